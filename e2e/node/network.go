package node

import (
	"context"
	"errors"
	"net"
)

// InNetNS calls the function on a thread in the network namespace of the node. Goroutines that it starts are not in it.
func (n *Node) InNetNS(func() error) error { return errors.ErrUnsupported }

// DialContext connects from inside the network namespace. The address is an IP address with a port.
func (n *Node) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

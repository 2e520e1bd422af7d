package node

import (
	"context"
	"errors"
	"io"
	"os/exec"
)

// Kubectl runs kubectl as administrator with the given standard input, and returns what it printed.
func (n *Node) Kubectl(context.Context, []byte, ...string) (string, error) {
	return "", errors.ErrUnsupported
}

// Exec runs a command in a container and returns its standard output.
func (n *Node) Exec(_ context.Context, _, _, _ string, _ io.Reader, _ ...string) (string, error) {
	return "", errors.ErrUnsupported
}

// Command is exec.CommandContext for a program in the network namespace of the node. What still runs at Stop is killed.
func (n *Node) Command(context.Context, string, ...string) *exec.Cmd { return nil }

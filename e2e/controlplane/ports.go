package controlplane

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are taken below those that the kernel gives to outgoing connections: one of those could take a port between our
// look and the bind of the process that we chose it for.
const (
	lowestPort  = 15000
	highestPort = 32000
)

// given holds the ports that were returned: what one was chosen for may not listen yet.
var given sync.Map

// freePort returns a port on loopback on which nothing listens, and never one twice.
func freePort(ctx context.Context) (int, error) {
	var last error
	for range 100 {
		port := lowestPort + rand.N(highestPort-lowestPort)
		if _, twice := given.LoadOrStore(port, true); twice {
			continue
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", loopback(port))
		if err == nil {
			return port, listener.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

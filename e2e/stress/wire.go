package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
)

// wire is between the replicas and the API server, and can be cut.
type wire struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// startWire leads to the address until the context ends.
func startWire(ctx context.Context, to string) (*wire, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen between the replicas and the API server: %w", err)
	}
	w := &wire{listener: listener, to: to, conns: map[net.Conn]struct{}{}}
	context.AfterFunc(ctx, func() { _ = listener.Close(); w.cut() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(ctx, in)
		}
	}()
	return w, nil
}

func (w *wire) address() string { return w.listener.Addr().String() }

// cut breaks every connection; new ones can be made.
func (w *wire) cut() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.conns {
		_ = conn.Close()
	}
	return len(w.conns)
}

func (w *wire) carry(ctx context.Context, in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	w.mu.Lock()
	w.conns[in] = struct{}{}
	w.mu.Unlock()
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(out, in); done <- struct{}{} }()
	go func() { _, _ = io.Copy(in, out); done <- struct{}{} }()
	<-done
	w.mu.Lock()
	delete(w.conns, in)
	w.mu.Unlock()
}

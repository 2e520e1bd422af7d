package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// ofClients are the faults of those who ask.
func ofClients() []fault {
	return []fault{
		{what: "900 clients stall, or send a byte at a time, on the port of each replica", inject: stall(300, 15*time.Second)},
		{what: "500 new OSDs of 5 CephClusters are written at once, 5 s before their addresses come", inject: writeAtOnce(5, 100), beside: 10, unserved: true, waits: true, long: true},
	}
}

// stall opens as many connections of each kind to each replica, and keeps them.
func stall(each int, during time.Duration) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, _ *tally) error {
		ctx, end := context.WithTimeout(ctx, during)
		defer end()
		var clients sync.WaitGroup
		for _, one := range r.pods.running() {
			for _, way := range []func(context.Context, string){sayNothing, stallInHeader, trickle} {
				for range each {
					clients.Go(func() {
						// A replica may end the connection at any moment: then there is another one.
						for ctx.Err() == nil {
							way(ctx, one.address())
							_ = measure.Pause(ctx, time.Second)
						}
					})
				}
			}
		}
		clients.Wait()
		return nil
	}
}

// sayNothing connects and does not even begin with TLS.
func sayNothing(ctx context.Context, to string) {
	if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to); err == nil {
		untilClosed(ctx, conn)
	}
}

func stallInHeader(ctx context.Context, to string) {
	if conn, err := dialTLS(ctx, to); err == nil {
		_, _ = io.WriteString(conn, "POST /mutate-deployment HTTP/1.1\r\nHost: webhook\r\n")
		untilClosed(ctx, conn)
	}
}

// trickle sends a body a byte at a time.
func trickle(ctx context.Context, to string) {
	conn, err := dialTLS(ctx, to)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, beginning(4096))
	for err == nil && measure.Pause(ctx, 200*time.Millisecond) == nil {
		_, err = io.WriteString(conn, " ")
	}
}

// beginning is a request up to the first byte of its body.
func beginning(length int) string {
	return fmt.Sprintf("POST /mutate-deployment HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{", length)
}

func dialTLS(ctx context.Context, to string) (net.Conn, error) {
	// A stranger does not care to whom it talks.
	return (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}}).DialContext(ctx, "tcp", to)
}

// untilClosed reads until the other side ends the connection, or the context does.
func untilClosed(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer func() { _ = conn.Close() }()
	_, _ = io.Copy(io.Discard, conn)
}

const (
	addressAfter = 5 * time.Second
	// allWritten is how long it may take until every one of the writers was let in.
	allWritten = 3 * time.Minute
)

// writeAtOnce has all OSDs of new clusters written at the same moment, each again after a second until it is let in.
func writeAtOnce(clusters, osds int) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, counted *tally) error {
		ctx, cancel := context.WithTimeout(ctx, allWritten)
		defer cancel()
		var all []*traffic
		for i := range clusters {
			ceph, err := measure.NewCluster(ctx, r.world, fmt.Sprintf("rook-at-once-%d", i), measure.Enabled())
			if err != nil {
				return err
			}
			for id := range osds {
				r.world.MCS.SetFault(ceph.Namespace, measure.OSDName(id), mcsstandin.Fault{Delay: addressAfter})
			}
			all = append(all, &traffic{world: r.world, ceph: ceph})
		}
		writers, writing := errgroup.WithContext(ctx)
		for range osds {
			for _, t := range all {
				writers.Go(func() error {
					id := int(t.born.Add(1)) - 1
					return measure.Until(writing, time.Second, func() (bool, error) { return t.create(writing, id, counted), nil })
				})
			}
		}
		if err := writers.Wait(); err != nil {
			return fmt.Errorf("bring up all OSDs: %w", err)
		}
		return nil
	}
}

package proof_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
)

//go:embed testdata/steady.py
var steadyProgram string

const (
	// steadyPatience is how long a client may run that stays connected.
	steadyPatience = 20 * time.Minute
	// steadyEnd is the file in its pod that ends it.
	steadyEnd = "/tmp/steady-end"
)

// did is one thing that a client did.
type did struct {
	What    string  `json:"what"`
	Began   float64 `json:"began"`
	Took    float64 `json:"took"`
	Failure string  `json:"failure"`
	// Quorum and Mons are how many mons are in quorum and in the monmap, OSDsUp how many OSDs are up in the osdmap.
	Quorum int `json:"quorum"`
	Mons   int `json:"mons"`
	OSDsUp int `json:"osdsUp"`
}

// clients use a Ceph cluster once a second from a pod in it. One stays connected, the other is a new program each time, which
// knows of the mons what Rook tells at that moment.
type clients struct {
	site *site
	disk disk
	end  context.CancelFunc
	done sync.WaitGroup
	// told are what the one that stays wrote, anew what the others did.
	told   string
	anew   []did
	failed error
}

// startClients returns when the first things were done.
func (s *site) startClients(ctx context.Context, pt point, d disk) *clients {
	c := &clients{site: s, disk: d}
	var coming context.Context
	coming, c.end = context.WithCancel(ctx)
	c.done.Go(func() {
		c.told, c.failed = s.shell.within(steadyPatience).Run(ctx, nil, "python3", "-c", steadyProgram, d.pool, d.image, steadyEnd)
	})
	c.done.Go(func() {
		for n := 0; coming.Err() == nil; n++ {
			c.anew = append(c.anew, c.comeAnew(ctx, n))
		}
	})
	require.NoError(pt, until(ctx, time.Minute, func() error {
		_, err := s.shell.Run(ctx, nil, "rados", "-p", d.pool, "stat", "steady")
		return err
	}))
	return c
}

// comeAnew takes a second or more.
func (c *clients) comeAnew(ctx context.Context, n int) did {
	began := time.Now()
	err := c.writeAnew(ctx, fmt.Sprintf("anew %d", n))
	now := did{What: "anew", Began: float64(began.UnixMilli()) / 1000, Took: time.Since(began).Seconds()}
	if err != nil {
		now.Failure = err.Error()
	}
	time.Sleep(time.Until(began.Add(time.Second)))
	return now
}

func (c *clients) writeAnew(ctx context.Context, text string) error {
	told, err := readAccess(ctx, c.site.node.Client, c.site.namespace)
	if err != nil {
		return err
	}
	anew := c.site.shell.to(told).within(time.Minute)
	if err := realceph.PutObject(ctx, anew, c.disk.pool, "anew", strings.NewReader(text)); err != nil {
		return err
	}
	read, err := realceph.ObjectSum(ctx, anew, c.disk.pool, "anew")
	if err == nil && read != sumOf([]byte(text)) {
		err = errors.New("what was read is not what was written")
	}
	return err
}

// stop ends the clients, once they have done what they began, and returns what they did.
func (c *clients) stop(ctx context.Context, pt point) []did {
	c.end()
	need(c.site.shell.Run(ctx, nil, "touch", steadyEnd))(pt)
	c.done.Wait()
	require.NoError(pt, c.failed)
	all := c.anew
	for line := range strings.Lines(c.told) {
		var now did
		require.NoError(pt, json.Unmarshal([]byte(line), &now), line)
		all = append(all, now)
	}
	return all
}

// longest returns how often a thing was done, what took longest of it, and what failed.
func longest(all []did, what string) (times int, took time.Duration, failures []string) {
	for _, now := range all {
		if now.What != what {
			continue
		}
		times++
		took = max(took, time.Duration(now.Took*float64(time.Second)))
		if now.Failure != "" {
			failures = append(failures, now.Failure)
		}
	}
	return times, took, failures
}

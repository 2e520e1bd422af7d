package proof_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
)

const (
	// moveTimeout bounds the wait for a cluster to have moved.
	moveTimeout = 10 * time.Minute
	// longestPause is for how long a client may wait for an answer while its cluster is moved.
	longestPause = 30 * time.Second
)

// moved is the image that is written while its cluster is moved.
var moved = disk{pool: "moved", image: "disk"}

// isMoved labels the namespace of the cluster that was brought up without us, and does nothing else but watch and use it.
func (p *proof) isMoved(ctx context.Context, pt point) {
	s := p.plain
	for _, each := range []*site{s, p.westCeph} {
		require.NoError(pt, realceph.CreatePool(ctx, each.shell, moved.pool))
	}
	require.NoError(pt, realceph.CreateImage(ctx, s.shell, moved.pool, moved.image, imageSize))
	witness := need(recorder.Watch(ctx, s.node.Client, s.namespace))(pt)
	users := s.startClients(ctx, pt, moved)
	require.Equal(pt, []string{"mon a", "mon b", "mon c", "osd 0", "osd 1", "osd 2"}, witness.Up())

	began := time.Now()
	need(s.node.Kubectl(ctx, nil, "label", "namespace", s.namespace, "rook-clusterset.io/enabled=true"))(pt)
	require.NoError(pt, until(ctx, moveTimeout, func() error { return s.hasMoved(ctx, pt) }))
	took := time.Since(began)
	all := users.stop(ctx, pt)
	pt.evidence("%s: 3 mons and 3 OSDs have moved %.0fs after the namespace was labelled", s.name, took.Seconds())

	a := need(readAccess(ctx, s.node.Client, s.namespace))(pt)
	s.shell = s.shell.to(a)
	s.atGlobalIPs(ctx, pt)
	require.Empty(pt, witness.Broken())
	require.Equal(pt, map[string]int{
		"mon a": 1, "mon b": 1, "mon c": 1, "mon d": 1, "mon e": 1, "mon f": 1, "osd 0": 2, "osd 1": 2, "osd 2": 2,
	}, witness.Had())
	require.Zero(pt, s.operator.Journal().Count(rookstandin.FailoverReverted))
	pt.evidence("at no moment was more than one daemon down; each mon was replaced once and each OSD restarted once")
	sawNothing(pt, all)
	p.isMirroredWest(ctx, pt, s)
}

// hasMoved says whether no mon is left that was born without us, and no OSD is known at another address than its global IP.
func (s *site) hasMoved(ctx context.Context, pt point) error {
	for id, endpoint := range s.operator.Memory() {
		if !s.cluster.global.Contains(endpoint.Addr()) {
			return fmt.Errorf("Rook remembers mon %s of %s at %s", id, s.name, endpoint)
		}
	}
	a, err := readAccess(ctx, s.node.Client, s.namespace)
	if err != nil {
		return err
	}
	osds, err := realceph.OSDDump(ctx, s.shell.to(a))
	for id, osd := range osds {
		if osd.Up != 1 || !s.cluster.global.Contains(osd.Public.Addr()) {
			return fmt.Errorf("osd.%s of %s is up: %d, at %s", id, s.name, osd.Up, osd.Public.Addr())
		}
	}
	return err
}

// sawNothing asserts that no client failed or waited for long, and that the cluster had a quorum whenever it was asked.
func sawNothing(pt point, all []did) {
	for what, doing := range map[string]string{
		"image":  "a client that stayed connected wrote an RBD image and read it again",
		"object": "and an object",
		"anew":   "new clients, with what Rook told of the mons then, wrote an object and read it again",
		"status": "the mons were asked for the status",
	} {
		times, took, failures := longest(all, what)
		require.Empty(pt, failures, what)
		require.Greater(pt, times, 30, what)
		require.Less(pt, took, longestPause, what)
		pt.evidence("%s %d times, and waited for %.1fs at the most", doing, times, took.Seconds())
	}
	hadQuorum(pt, slices.DeleteFunc(slices.Clone(all), func(now did) bool { return now.What != "status" }))
}

// hadQuorum asserts of what the mons answered, once a second, that one of them was missing at the most. While a new one joins they
// name no quorum at all, and let nobody new in: the monmap counts it, beside the one that is gone, before it can vote. Whoever is
// connected goes on.
func hadQuorum(pt point, asked []did) {
	fewest, longest, since := asked[0].OSDsUp, 0.0, asked[0].Began
	for _, now := range asked {
		fewest = min(fewest, now.OSDsUp)
		if now.Quorum == 0 {
			longest = max(longest, now.Began+now.Took-since)
			continue
		}
		since = now.Began
		require.LessOrEqual(pt, now.Mons-now.Quorum, 1, "mons that were not in quorum: %+v", now)
		require.Greater(pt, 2*now.Quorum, now.Mons, "%+v", now)
	}
	pt.evidence("at most one mon was out of quorum, but while one joined: for up to %.0fs", longest)
	require.Less(pt, longest, longestPause.Seconds(), "without a quorum")
	require.GreaterOrEqual(pt, fewest, 2)
}

// isMirroredWest sees in west what was written while the cluster was moved, and after.
func (p *proof) isMirroredWest(ctx context.Context, pt point, s *site) {
	s.peerWith(ctx, pt, p.westCeph, moved.pool)
	written := need(realceph.ImageSum(ctx, s.shell, moved.pool, moved.image))(pt)
	began := time.Now()
	require.NoError(pt, p.westCeph.gets(ctx, moved, written))
	pt.evidence("what was written meanwhile is the same in west after %.0fs, SHA-256 %s...", time.Since(began).Seconds(), written[:16])
	written = p.write(ctx, pt, s, moved, writeSize)
	began = time.Now()
	require.NoError(pt, p.westCeph.gets(ctx, moved, written))
	pt.evidence("16 MiB written since are the same in west after %.0fs, SHA-256 %s...", time.Since(began).Seconds(), written[:16])
}

package proof_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
)

// returnTimeout bounds the wait for a daemon whose pod was deleted.
const returnTimeout = 3 * time.Minute

// returns deletes pods while no replica of rook-clusterset runs.
func (p *proof) returns(ctx context.Context, pt point) {
	s := p.eastCeph
	p.scaleWebhook(ctx, pt, 0)
	pt.evidence("rook-clusterset is scaled to 0 in east")
	inWest := p.westCeph.shell.to(s.shell.access)

	mons := need(realceph.MonDump(ctx, s.shell))(pt)
	monB := map[string]string{"app": "rook-ceph-mon", "mon": "b"}
	before, after := s.deletePod(ctx, pt, monB)
	// For a moment the other mons still count on the old pod: the new one is asked itself.
	require.NoError(pt, until(ctx, returnTimeout, func() error { return s.joined(ctx, monB, "b") }))
	// One that has joined may call another election on a busy machine.
	require.NoError(pt, until(ctx, returnTimeout, func() error { return s.inQuorum(ctx, inWest, "a", "b", "c") }))
	again := need(realceph.MonDump(ctx, s.shell))(pt)
	require.Equal(pt, mons, again)
	pt.evidence("mon.b: pod %s became %s, and it is in quorum at %s again", before, after, mons["b"].Addr())

	osds := need(realceph.OSDDump(ctx, s.shell))(pt)
	before, after = s.deletePod(ctx, pt, osdLabels("1"))
	require.NoError(pt, until(ctx, returnTimeout, func() error {
		now, err := realceph.OSDDump(ctx, s.shell)
		if err == nil && (now["1"].Up != 1 || now["1"].Cluster.Addr() != after) {
			err = fmt.Errorf("osd.1 is up: %d, with cluster address %s", now["1"].Up, now["1"].Cluster.Addr())
		}
		if err == nil {
			require.Equal(pt, osds["1"].Public, now["1"].Public)
		}
		return err
	}))
	pt.evidence("osd.1: pod %s became %s, and it is up at %s again", before, after, osds["1"].Public.V2)
	p.reachesEveryDaemon(ctx, pt, inWest)
	p.writesFromWest(ctx, pt, inWest, "after-the-pods")
	p.scaleWebhook(ctx, pt, 2)
}

// writesFromWest writes an object and reads it again.
func (p *proof) writesFromWest(ctx context.Context, pt point, inWest shell, object string) {
	text := strings.Repeat(object+" ", 100_000)
	require.NoError(pt, until(ctx, returnTimeout, func() error {
		return realceph.PutObject(ctx, inWest, pool, object, strings.NewReader(text))
	}))
	read := need(realceph.ObjectSum(ctx, inWest, pool, object))(pt)
	require.Equal(pt, sumOf([]byte(text)), read)
	pt.evidence("from west an object of %d bytes was written and read again", len(text))
}

func (p *proof) scaleWebhook(ctx context.Context, pt point, replicas int) {
	need(p.east.node.Kubectl(ctx, nil, "-n", "rook-clusterset", "scale", "deployment/rook-clusterset", fmt.Sprintf("--replicas=%d", replicas)))(pt)
	require.NoError(pt, p.east.rolledOut(ctx, "rook-clusterset", "deployment/rook-clusterset"))
	if replicas == 0 {
		need(p.east.node.Kubectl(ctx, nil, "-n", "rook-clusterset", "wait", "--for=delete", "pod", "--all", "--timeout=90s"))(pt)
	}
}

// deletePod deletes the pod of a daemon and returns its IP and that of the pod that takes its place.
func (s *site) deletePod(ctx context.Context, pt point, labels map[string]string) (before, after netip.Addr) {
	old := need(s.podOf(ctx, labels))(pt)
	require.NoError(pt, s.node.Client.Delete(ctx, old))
	require.NoError(pt, until(ctx, returnTimeout, func() error {
		pod, err := s.podOf(ctx, labels)
		switch {
		case err != nil:
			return err
		case pod.UID == old.UID || pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "":
			return fmt.Errorf("the pod that takes the place of %s does not run", old.Name)
		}
		after, err = netip.ParseAddr(pod.Status.PodIP)
		return err
	}))
	before = netip.MustParseAddr(old.Status.PodIP)
	require.NotEqual(pt, before, after)
	return before, after
}

// joined says whether the mon in the one pod with the labels is in quorum, by its own word.
func (s *site) joined(ctx context.Context, labels map[string]string, id string) error {
	pod, err := s.podOf(ctx, labels)
	if err != nil {
		return err
	}
	status, err := askMon(ctx, s.node, s.namespace, pod.Name, id)
	if err == nil && !status.inQuorum() {
		err = fmt.Errorf("mon.%s of %s is %s", id, s.name, status.State)
	}
	return err
}

// inQuorum says whether exactly these mons are in quorum, as a client sees it.
func (s *site) inQuorum(ctx context.Context, c realceph.Client, ids ...string) error {
	status, err := realceph.GetStatus(ctx, c)
	if err != nil {
		return err
	}
	if members := slices.Sorted(slices.Values(status.Quorum)); !slices.Equal(members, ids) {
		return fmt.Errorf("in quorum in %s are %v, not %v", s.name, members, ids)
	}
	return nil
}

// failsOver lets Rook replace a mon while a client in west asks all the time.
func (p *proof) failsOver(ctx context.Context, pt point) {
	s := p.eastCeph
	inWest := p.westCeph.shell.to(s.shell.access)
	before := need(realceph.MonDump(ctx, s.shell))(pt)

	asking, stop := context.WithCancel(ctx)
	var asked sync.WaitGroup
	var answers int
	var longest time.Duration
	var failures []error
	asked.Go(func() {
		for asking.Err() == nil {
			question := time.Now()
			_, err := inWest.within(30*time.Second).Run(ctx, nil, "ceph", "--connect-timeout", "20", "quorum_status")
			if err != nil {
				failures = append(failures, err)
			}
			answers++
			longest = max(longest, time.Since(question))
		}
	})
	began := time.Now()
	err := s.operator.FailOver(ctx, "c")
	took := time.Since(began)
	stop()
	asked.Wait()
	require.NoError(pt, err, s.journal())
	require.Empty(pt, failures)
	require.Greater(pt, answers, 3)
	// The others wait 10 s for a mon that is gone, and elect for 5 s at the most.
	require.Less(pt, longest, 20*time.Second)

	after := need(realceph.MonDump(ctx, s.shell))(pt)
	require.Equal(pt, []string{"a", "b", "d"}, slices.Sorted(maps.Keys(after)))
	s.global(pt, "rook-ceph-mon-d", after["d"].Addr())
	for id, old := range before {
		require.NotEqual(pt, old.Addr(), after["d"].Addr(), "mon.d has the address of mon.%s", id)
	}
	require.NoError(pt, until(ctx, returnTimeout, func() error { return s.inQuorum(ctx, inWest, "a", "b", "d") }))
	require.NoError(pt, s.settled(ctx, s.monmap(ctx)))
	require.Equal(pt, []string{"a", "b", "c", "d"}, s.recorder.Mons())
	require.Empty(pt, s.recorder.ClusterIPsAfterBirth())
	p.reachesEveryDaemon(ctx, pt, inWest)
	pt.evidence("mon.d at %s took the place of mon.c at %s after %.0fs", after["d"].Addr(), before["c"].Addr(), took.Seconds())
	pt.evidence("a client in west asked %d times meanwhile and was answered each time, after %.1fs at the most", answers, longest.Seconds())
}

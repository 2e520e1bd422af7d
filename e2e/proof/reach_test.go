package proof_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
)

const (
	cephNamespace  = "rook-ceph"
	plainNamespace = "rook-plain"
	pool           = "mirrored"
	objectSize     = 64 << 20
	// brief is how long a client looks for a mon that is not to be found.
	brief = "10"
)

// comesUp brings up both Ceph clusters and looks at the addresses of every daemon.
func (p *proof) comesUp(ctx context.Context, pt point) {
	var err error
	p.eastCeph, p.westCeph, err = both(func(i int, m member) (*site, error) {
		return bringUp(ctx, [2]*cluster{p.east, p.west}[i], p.report, plan{name: m.id, namespace: cephNamespace, enabled: true})
	})
	require.NoError(pt, err)
	for _, s := range []*site{p.eastCeph, p.westCeph} {
		s.atGlobalIPs(ctx, pt)
		s.works(ctx, pt)
	}
}

// atGlobalIPs asserts that every daemon is known to clients by its global IP, and to other OSDs by the IP of its pod.
func (s *site) atGlobalIPs(ctx context.Context, pt point) {
	mons := need(realceph.MonDump(ctx, s.shell))(pt)
	require.Len(pt, mons, 3)
	var texts []string
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		s.global(pt, "rook-ceph-mon-"+id, mons[id].Addr())
		texts = append(texts, fmt.Sprintf("mon.%s %s", id, mons[id].V2))
	}
	pt.evidence("%s: ceph mon dump: %s", s.name, listed(texts))

	require.NoError(pt, until(ctx, 2*time.Minute, func() error {
		status, err := realceph.GetStatus(ctx, s.shell)
		if err == nil && (len(status.Quorum) != 3 || status.OSDs.Up != 3 || status.OSDs.In != 3) {
			err = fmt.Errorf("%s has %d mons in quorum and %d OSDs up", s.name, len(status.Quorum), status.OSDs.Up)
		}
		return err
	}))
	osds := need(realceph.OSDDump(ctx, s.shell))(pt)
	require.Len(pt, osds, 3)
	texts = nil
	for _, id := range slices.Sorted(maps.Keys(osds)) {
		pod := need(s.podOf(ctx, osdLabels(id)))(pt)
		own := netip.MustParseAddr(pod.Status.PodIP)
		s.global(pt, "rook-ceph-osd-"+id, osds[id].Public.Addr())
		for what, address := range map[string]realceph.Addresses{
			"cluster": osds[id].Cluster, "heartbeat_front": osds[id].HeartbeatFront, "heartbeat_back": osds[id].HeartbeatBack,
		} {
			require.Equal(pt, own.String(), address.Addr().String(), "the %s address of osd.%s in %s", what, id, s.name)
		}
		texts = append(texts, fmt.Sprintf("osd.%s public %s cluster %s", id, osds[id].Public.V2, osds[id].Cluster.V2))
	}
	pt.evidence("%s: ceph osd dump: %s", s.name, listed(texts))
}

// works asserts that the cluster is of use, and that nothing ever told a mon of it wrongly.
func (s *site) works(ctx context.Context, pt point) {
	require.NoError(pt, realceph.CreatePool(ctx, s.shell, pool))
	text := "written in " + s.name
	require.NoError(pt, realceph.PutObject(ctx, s.shell, pool, "greeting", strings.NewReader(text)))
	read := need(realceph.ObjectSum(ctx, s.shell, pool, "greeting"))(pt)
	require.Equal(pt, sumOf([]byte(text)), read)
	pt.evidence("%s: a client in the cluster has written an object and read it again", s.name)

	require.NoError(pt, s.settled(ctx, s.monmap(ctx)))
	require.Equal(pt, []string{"a", "b", "c"}, s.recorder.Mons())
	require.Empty(pt, s.recorder.ClusterIPsAfterBirth(), "what was stored of a living mon")
	require.Equal(pt, 1, s.operator.Journal().Refusals()["ConfigMap"], "how often Rook was refused in %s", s.name)
	pt.evidence("%s: Rook was refused once, and its memory is true; no stored object ever told a living mon by its ClusterIP", s.name)
}

func (s *site) monmap(ctx context.Context) func() (map[string]netip.Addr, error) {
	return func() (map[string]netip.Addr, error) {
		mons, err := realceph.MonDump(ctx, s.shell)
		truth := map[string]netip.Addr{}
		for id, addresses := range mons {
			truth[id] = addresses.Addr()
		}
		return truth, err
	}
}

// isReached uses east from a pod in west, and sees that east has no other way in.
func (p *proof) isReached(ctx context.Context, pt point) {
	inWest := p.westCeph.shell.to(p.eastCeph.shell.access)
	eastID := need(p.eastCeph.shell.Run(ctx, nil, "ceph", "fsid"))(pt)
	westID := need(p.westCeph.shell.Run(ctx, nil, "ceph", "fsid"))(pt)
	require.NotEqual(pt, eastID, westID)
	seen := need(inWest.Run(ctx, nil, "ceph", "fsid"))(pt)
	require.Equal(pt, eastID, seen)
	status := need(inWest.Run(ctx, nil, "ceph", "-s"))(pt)
	pt.evidence("from a pod in west, ceph -s of east: %s", oneLine(status))

	name := "east.rook-ceph-mon-a." + cephNamespace + ".svc.clusterset.local"
	answer := need(inWest.Run(ctx, nil, "getent", "ahostsv4", name))(pt)
	monA, _ := p.east.mcs.GlobalIP(cephNamespace, "rook-ceph-mon-a")
	require.True(pt, strings.HasPrefix(answer, monA.String()+" "), answer)
	pt.evidence("the DNS of pods in west: %s is %s", name, monA)

	data := make([]byte, objectSize)
	need(rand.Read(data))(pt)
	began := time.Now()
	require.NoError(pt, realceph.PutObject(ctx, inWest, pool, "big", bytes.NewReader(data)))
	put := time.Since(began)
	there := need(realceph.ObjectSum(ctx, inWest, pool, "big"))(pt)
	get := time.Since(began) - put
	require.Equal(pt, sumOf(data), there)
	here := need(realceph.ObjectSum(ctx, p.eastCeph.shell, pool, "big"))(pt)
	require.Equal(pt, sumOf(data), here)
	pt.evidence("64 MiB by rados put (%.1fs) and get (%.1fs) from west, SHA-256 %s... in west and in east", put.Seconds(), get.Seconds(), there[:16])

	p.reachesEveryDaemon(ctx, pt, inWest)
	p.nothingElseCrosses(ctx, pt, inWest)
}

// reachesEveryDaemon dials each mon of east alone, and each OSD, from west.
func (p *proof) reachesEveryDaemon(ctx context.Context, pt point, inWest shell) {
	mons := need(realceph.MonDump(ctx, inWest))(pt)
	var reached []string
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		address := mons[id].Addr()
		_, err := inWest.at(address).Run(ctx, nil, "ceph", "--connect-timeout", "30", "fsid")
		require.NoError(pt, err, "mon.%s at %s", id, address)
		reached = append(reached, fmt.Sprintf("mon.%s %s", id, address))
	}
	osds := need(realceph.OSDDump(ctx, inWest))(pt)
	for _, id := range slices.Sorted(maps.Keys(osds)) {
		_, err := inWest.within(time.Minute).Run(ctx, nil, "ceph", "tell", "osd."+id, "version")
		require.NoError(pt, err, "osd.%s at %s", id, osds[id].Public.Addr())
		reached = append(reached, fmt.Sprintf("osd.%s %s", id, osds[id].Public.Addr()))
	}
	require.Len(pt, reached, 6)
	pt.evidence("reached from west, each by itself: %s", listed(reached))
}

// doesNotReach asserts that no mon answers at the address, and that nothing else is the matter.
func (s shell) doesNotReach(ctx context.Context, pt point, address netip.Addr) {
	_, err := s.at(address).Run(ctx, nil, "ceph", "--connect-timeout", brief, "fsid")
	require.Error(pt, err, "%s", address)
	require.Regexp(pt, noAnswer, err.Error())
}

// noAnswer is what ceph says when no mon answers, be it that none is there or that it refuses us.
const noAnswer = `(?s)exit status \d+: .*(timed out|error connecting to the cluster)`

// nothingElseCrosses dials from west what is east's own: the IPs of its mons' pods and Services.
func (p *proof) nothingElseCrosses(ctx context.Context, pt point, inWest shell) {
	for what, address := range p.eastCeph.ownAddresses(ctx, pt, "a") {
		inWest.doesNotReach(ctx, pt, address)
		pt.evidence("%s of east's mon.a, %s, does not answer in west as east's", what, address)
	}
	for _, e := range []end{p.east.end, p.west.end} {
		t := need(e.traffic(ctx))(pt)
		require.Positive(pt, t.taken)
		require.Zero(pt, t.turnedAway, "packets on the wire to %s with an address that is not global", e.node.Name)
		pt.evidence("%s has taken in %d packets from its peer, all of them from and to global addresses", e.node.Name, t.taken)
	}
	p.guardTurnsAway(ctx, pt)
}

// guardTurnsAway sends what must not cross: a packet from west to a pod of east, by a route that nobody has. East's end
// of the wire turns it away.
func (p *proof) guardTurnsAway(ctx context.Context, pt point) {
	const noPodOfWest = "10.244.0.250"
	route := []string{noPodOfWest + "/32", "via", p.east.address.String(), "dev", p.west.device, "onlink"}
	require.NoError(pt, p.west.run(ctx, "ip", append([]string{"route", "add"}, route...)...))
	out, err := p.west.node.Command(ctx, "timeout", "3", "bash", "-c", "exec 3<>/dev/tcp/"+noPodOfWest+"/3300").CombinedOutput()
	require.Error(pt, err, string(out))
	require.NoError(pt, p.west.run(ctx, "ip", append([]string{"route", "del"}, route...)...))
	t := need(p.east.traffic(ctx))(pt)
	require.Positive(pt, t.turnedAway)
	pt.evidence("%s turns away what is sent to a pod IP: %d packets", p.east.node.Name, t.turnedAway)
}

// ownAddresses returns the addresses that a mon has in its own cluster alone.
func (s *site) ownAddresses(ctx context.Context, pt point, mon string) map[string]netip.Addr {
	pod := need(s.podOf(ctx, map[string]string{"app": "rook-ceph-mon", "mon": mon}))(pt)
	service := &corev1.Service{}
	require.NoError(pt, s.node.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "rook-ceph-mon-" + mon}, service))
	return map[string]netip.Addr{
		"the pod IP":    netip.MustParseAddr(pod.Status.PodIP),
		"the ClusterIP": netip.MustParseAddr(service.Spec.ClusterIP),
	}
}

// isNotReachedWithoutUs brings up a Ceph cluster in east that rook-clusterset has nothing to do with.
func (p *proof) isNotReachedWithoutUs(ctx context.Context, pt point) {
	var err error
	p.plain, err = bringUp(ctx, p.east, p.report, plan{name: "plain", namespace: plainNamespace, replacesSoon: true})
	require.NoError(pt, err)
	need(p.plain.shell.Run(ctx, nil, "ceph", "--connect-timeout", brief, "fsid"))(pt)
	pt.evidence("in east a client reaches the mons at %s", p.plain.shell.access.monHost)

	inWest := p.westCeph.shell.to(p.plain.shell.access)
	began := time.Now()
	_, err = inWest.Run(ctx, nil, "ceph", "--connect-timeout", brief, "fsid")
	require.Error(pt, err)
	require.Regexp(pt, noAnswer, err.Error())
	pt.evidence("in west it does not, for %.0fs", time.Since(began).Seconds())

	global := p.east.export(ctx, pt, plainNamespace, "rook-ceph-mon-a")
	require.NoError(pt, until(ctx, time.Minute, func() error { return inWest.connects(ctx, global) }))
	inWest.doesNotReach(ctx, pt, global)
	pt.evidence("nor with a ServiceExport alone: its Service takes connections at %s, but the mon does not answer to that address", global)
	need(p.east.node.Kubectl(ctx, nil, "-n", plainNamespace, "delete", "serviceexport", "rook-ceph-mon-a"))(pt)
}

// connects says whether a TCP connection to a mon comes about.
func (s shell) connects(ctx context.Context, address netip.Addr) error {
	_, err := s.within(5*time.Second).Run(ctx, nil, "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/%s/3300", address))
	return err
}

// export exports a Service by hand and returns the global IP that it gets.
func (c *cluster) export(ctx context.Context, pt point, namespace, service string) netip.Addr {
	manifest := fmt.Sprintf("apiVersion: multicluster.x-k8s.io/v1alpha1\nkind: ServiceExport\nmetadata: {namespace: %s, name: %s}\n", namespace, service)
	need(c.node.Kubectl(ctx, []byte(manifest), "apply", "-f", "-"))(pt)
	var global netip.Addr
	require.NoError(pt, until(ctx, 30*time.Second, func() error {
		var ok bool
		if global, ok = c.mcs.GlobalIP(namespace, service); !ok {
			return fmt.Errorf("Service %s/%s has no global IP", namespace, service)
		}
		return nil
	}))
	return global
}

// monHost is what a client is told of one mon.
func monHost(address netip.Addr) string {
	return fmt.Sprintf("[v2:%s,v1:%s]", netip.AddrPortFrom(address, 3300), netip.AddrPortFrom(address, 6789))
}

func osdLabels(id string) map[string]string {
	return map[string]string{"app": "rook-ceph-osd", "ceph-osd-id": id}
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

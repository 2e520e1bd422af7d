package scenarios_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

func TestHostNetworkIsLeftAlone(t *testing.T) {
	s := newStory(t, true)
	s.createCephCluster(func(spec map[string]any) { spec["network"] = map[string]any{"provider": "host"} })
	s.startOperator()
	s.comesUp()
	require.Empty(t, s.Operator.Journal().Refusals())
	for _, endpoint := range s.Operator.Memory() {
		require.True(t, netip.MustParsePrefix("192.168.0.0/16").Contains(endpoint.Addr()))
	}
	s.eventually("it is told why", func() bool { return s.events()["CephClusterHostNetwork"] == 1 })
}

// In its own multi-cluster mode Rook exports the Services itself and asks DNS for their addresses.
func TestNativeMultiClusterModeIsLeftAlone(t *testing.T) {
	s := newStory(t, true)
	s.createCephCluster(func(spec map[string]any) {
		spec["network"] = map[string]any{"multiClusterService": map[string]any{"enabled": true, "clusterID": "east"}}
	})
	s.startOperator(func(o *rookstandin.Options) { o.Lookup = lookup })
	s.comesUp()
	require.Empty(t, s.Operator.Journal().Refusals())
	for id, endpoint := range s.Operator.Memory() {
		require.Equal(t, s.globalIP("rook-ceph-mon-"+id), endpoint.Addr())
	}
	s.everyOSDIsGlobal("0", "1", "2")
	s.eventually("it is told why", func() bool { return s.events()["NativeMultiClusterService"] == 1 })
	for _, name := range []string{"rook-ceph-mon-a", "rook-ceph-osd-0"} {
		export, err := s.Export(t.Context(), name)
		require.NoError(t, err)
		require.Empty(t, export.GetAnnotations(), "the export is Rook's, and no address of ours stands on it")
	}
	require.Equal(t, map[string]int{"NativeMultiClusterService": 1}, s.events())
}

func lookup(ctx context.Context, name string) (netip.Addr, error) {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, shared.MCS.DNSAddr())
	}}
	found, err := resolver.LookupNetIP(ctx, "ip4", name+".")
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0], nil
}

func TestAnUnlabelledNamespaceIsUntouched(t *testing.T) {
	s := newStory(t, false)
	s.bringsUp()
	require.Empty(t, s.Operator.Journal().Refusals())
	for id, endpoint := range s.Operator.Memory() {
		require.False(t, globalRange.Contains(endpoint.Addr()), "mon %s", id)
	}
	require.NotContains(t, lastArg(s.deployment("rook-ceph-osd-0")), "ROOK_POD_IP")
	require.False(t, s.isExported("rook-ceph-mon-a"))
	require.Empty(t, s.events())
}

func TestCanariesAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		release rookstandin.Release
		args    string
	}{
		"that sleep":                      {rookstandin.Release{Minor: 16, Patch: 9}, "3600"},
		"that keep the arguments of mons": {rookstandin.Release{Minor: 20, Patch: 6}, "--public-addr="},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, true)
			s.createCephCluster()
			s.startOperator(func(o *rookstandin.Options) { o.Release = c.release })
			s.comesUp()
			s.settled()
			s.everyMonIsGlobal("a", "b", "c")
			for _, id := range []string{"a", "b", "c"} {
				writes := s.Recorder.Of("Deployment", "rook-ceph-mon-"+id+"-canary")
				require.NotEmpty(t, writes)
				d, _ := writes[0].Object.(*appsv1.Deployment)
				require.Contains(t, d.Spec.Template.Spec.Containers[0].Args, c.args)
				for _, w := range writes {
					require.False(t, w.Holds(s.globalIP("rook-ceph-mon-"+id)), "a canary never advertises")
				}
			}
			require.Contains(t, s.metrics(), `reason="mon_canary"`)
		})
	}
}

// metrics returns the metrics of all replicas.
func (s *story) metrics() string {
	s.t.Helper()
	var all strings.Builder
	for _, replica := range s.World.Replicas {
		text, err := replica.Metrics(s.t.Context())
		require.NoError(s.t, err)
		all.WriteString(text)
	}
	return all.String()
}

func lastArg(d *appsv1.Deployment) string {
	var own corev1.Container
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == "osd" || c.Name == "mon" {
			own = c
		}
	}
	return own.Args[len(own.Args)-1]
}

func TestWhatIsNotRooksIsAdmittedAsItIs(t *testing.T) {
	s := newStory(t, true)
	s.bringsUp()
	for name, edit := range map[string]func(*appsv1.Deployment){
		"an OSD that no CephCluster controls": func(d *appsv1.Deployment) { d.Name, d.OwnerReferences = "rook-ceph-osd-7", nil },
		"a floating mon": func(d *appsv1.Deployment) {
			d.Name, d.Labels["app"] = "rook-ceph-mon-f", "rook-ceph-floating-mon"
		},
		"an OSD under another name": func(d *appsv1.Deployment) { d.Name = "my-osd" },
		"an OSD on the host network": func(d *appsv1.Deployment) {
			d.Name, d.Labels["ceph_daemon_id"], d.Spec.Template.Spec.HostNetwork = "rook-ceph-osd-8", "8", true
		},
	} {
		t.Run(name, func(t *testing.T) {
			stored := s.deployment("rook-ceph-osd-0")
			d := &appsv1.Deployment{ObjectMeta: *stored.ObjectMeta.DeepCopy(), Spec: *stored.Spec.DeepCopy()}
			d.ResourceVersion, d.UID = "", ""
			d.Spec.Template.Spec.Containers[0].Args = []string{"--foreground"}
			edit(d)
			require.NoError(t, s.World.Plane.Client.Create(t.Context(), d, client.DryRunAll))
			require.Equal(t, []string{"--foreground"}, d.Spec.Template.Spec.Containers[0].Args)
		})
	}
}

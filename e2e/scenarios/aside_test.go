package scenarios_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
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

func TestAnUnlabelledNamespaceIsUntouched(t *testing.T) {
	s := newStory(t, false)
	s.bringsUp()
	require.Empty(t, s.Operator.Journal().Refusals())
	for id, endpoint := range s.Operator.Memory() {
		require.False(t, globalRange.Contains(endpoint.Addr()), "mon %s", id)
	}
	require.NotContains(t, strings.Join(s.deployment("rook-ceph-osd-0").Spec.Template.Spec.Containers[0].Args, " "), "ROOK_POD_IP")
	require.False(t, s.isExported("rook-ceph-mon-a"))
	require.Empty(t, s.events())
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
			d := s.deployment("rook-ceph-osd-0")
			d.ResourceVersion, d.UID = "", ""
			d.Spec.Template.Spec.Containers[0].Args = []string{"--foreground"}
			edit(d)
			require.NoError(t, s.World.Plane.Client.Create(t.Context(), d, client.DryRunAll))
			require.Equal(t, []string{"--foreground"}, d.Spec.Template.Spec.Containers[0].Args)
		})
	}
}

package doctor

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// A daemon that admission lets through as it is written would be taken for the proof that nobody asks admission.
func TestAdmissionIsTriedWithADaemonThatItRewrites(t *testing.T) {
	ip := netip.MustParseAddr("242.0.0.1")
	daemon := func(kind rook.Type, cluster string, identity rook.Identity) rook.DaemonFacts {
		return rook.DaemonFacts{
			Daemon:   rook.Daemon{Type: kind, ID: "0", Namespace: "rook-ceph", Cluster: cluster},
			Export:   rook.Export{Exists: true, Ours: true, GlobalIP: ip, Valid: metav1.ConditionTrue, Identity: identity},
			Deployed: true, Address: ip,
		}
	}
	cluster := &rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster"}
	for name, c := range map[string]struct {
		daemon rook.DaemonFacts
		tried  bool
	}{
		"an OSD":                         {daemon(rook.OSD, "my-cluster", ""), true},
		"a mon":                          {daemon(rook.Mon, "my-cluster", rook.IdentityClusterset), true},
		"one whose owner was taken away": {daemon(rook.OSD, "", ""), false},
		"one of another CephCluster":     {daemon(rook.OSD, "other", ""), false},
		"a mon that is to keep what Rook writes it": {daemon(rook.Mon, "my-cluster", rook.IdentityCluster), false},
	} {
		t.Run(name, func(t *testing.T) {
			found := atGlobalIP(view.Snapshot{Cluster: cluster, Daemons: []rook.DaemonFacts{c.daemon}})
			require.Equal(t, c.tried, found.Deployed)
		})
	}
}

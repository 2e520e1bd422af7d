package scenarios_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// Who installs rook-clusterset before Rook and before an MCS implementation need not install it again.
func TestKindsThatAreInstalledLaterArePickedUp(t *testing.T) {
	waitsFor(t, own, 1)
	plane, err := controlplane.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plane.Stop()) })
	_, err = plane.Kubectl(t.Context(), manifests.Install, "apply", "-f", "-")
	require.NoError(t, err)
	w := &world.World{Plane: plane}
	require.NoError(t, w.AddReplica(t.Context(), "early"))

	require.NoError(t, rookstandin.InstallKinds(plane.Config))
	s := storyOf(t, w, "rook-early", true)
	s.createCephCluster()
	s.eventually("it is told what is missing", func() bool { return s.events()["NoServiceExportKind"] == 1 })
	said := s.status(s.Namespace)
	require.Equal(t, 1, said.code)
	require.Contains(t, said.stderr, "ServiceExport.multicluster.x-k8s.io is not installed")

	require.NoError(t, mcsstandin.Install(plane.Config, mcsstandin.V1Beta1))
	w.MCS, err = mcsstandin.Start(t.Context(), mcsstandin.Options{Config: plane.Config})
	require.NoError(t, err)
	s.startOperator()
	s.comesUp()
	s.global(3)
	s.everyOSDIsGlobal("0", "1", "2")
	require.Equal(t, 1, s.events()["NoServiceExportKind"])
	s.allIsWell(6)
}

var certificatesRead = regexp.MustCompile(`(?m)^certwatcher_read_certificate_total (\d+)$`)

func TestARenewedServingCertificateIsServedWithoutARestart(t *testing.T) {
	s := newStory(t, true)
	c := s.World.Plane.Client
	read := certificatesRead.FindAllString(s.metrics(), -1)
	require.Len(t, read, len(s.World.Replicas))

	key := client.ObjectKey{Namespace: controlplane.Namespace, Name: "rook-clusterset-serving-cert"}
	old := &corev1.Secret{}
	require.NoError(t, c.Get(t.Context(), key, old))
	require.NoError(t, c.Delete(t.Context(), old))
	s.eventually("cert-manager has issued another", func() bool {
		renewed := &corev1.Secret{}
		return c.Get(t.Context(), key, renewed) == nil && len(renewed.Data["tls.crt"]) > 0 &&
			!slices.Equal(renewed.Data["tls.crt"], old.Data["tls.crt"]) && !maps.EqualFunc(renewed.Data, old.Data, slices.Equal)
	})
	s.eventually("every replica has read it", func() bool {
		now := certificatesRead.FindAllString(s.metrics(), -1)
		return len(now) == len(read) && !slices.ContainsFunc(now, func(line string) bool { return slices.Contains(read, line) })
	})
	s.createCephCluster()
	s.startOperator()
	s.comesUp()
	s.global(3)
}

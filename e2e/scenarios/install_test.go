package scenarios_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

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
	require.Equal(t, 1, said.Code)
	require.Contains(t, said.Err, "ServiceExport.multicluster.x-k8s.io is not installed")

	require.NoError(t, mcsstandin.Install(plane.Config, mcsstandin.V1Beta1))
	w.MCS, err = mcsstandin.Start(t.Context(), mcsstandin.Options{Config: plane.Config})
	require.NoError(t, err)
	s.startOperator()
	s.comesUp()
	s.everyDaemonIsGlobal()
	require.Equal(t, 1, s.events()["NoServiceExportKind"])
	s.allIsWell(6)
}

var certificatesRead = regexp.MustCompile(`(?m)^certwatcher_read_certificate_total (\d+)$`)

func TestARenewedServingCertificateIsServedWithoutARestart(t *testing.T) {
	s := newStory(t, true)
	read := certificatesRead.FindAllString(s.metrics(), -1)
	require.Len(t, read, len(s.World.Replicas))

	old := get(s, controlplane.Namespace, "rook-clusterset-serving-cert", &corev1.Secret{})
	require.NoError(t, s.World.Plane.Client.Delete(t.Context(), old))
	s.eventually("cert-manager has issued another", func() bool {
		renewed := &corev1.Secret{}
		return s.has(old.Namespace, old.Name, renewed) && len(renewed.Data["tls.crt"]) > 0 &&
			!slices.Equal(renewed.Data["tls.crt"], old.Data["tls.crt"]) && !maps.EqualFunc(renewed.Data, old.Data, slices.Equal)
	})
	s.eventually("every replica has read it", func() bool {
		now := certificatesRead.FindAllString(s.metrics(), -1)
		return len(now) == len(read) && !slices.ContainsFunc(now, func(line string) bool { return slices.Contains(read, line) })
	})
	s.bringsUp()
	s.everyDaemonIsGlobal()
}

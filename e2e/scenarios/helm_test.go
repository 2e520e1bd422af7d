package scenarios_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// Who installs with Helm has what install.yaml has, goes over to the host network without a change to what Rook's writes pass, and is
// rid of all of it again while the daemons keep their addresses.
func TestTheCommandsOfHelmRunAsTheyStandThere(t *testing.T) {
	waitsFor(t, own, 1)
	s := aClusterWithTheParts(t)
	r := s.reader()
	r.hasHelm()
	installed := s.runsWhatIsInstalled()
	r.runsPages("helm")
	require.NoError(t, <-installed)
	require.Len(t, s.ofTheManifest(), bytes.Count(manifests.Install, []byte("\nkind: ")))
	s.createCephCluster()
	s.comesUp()
	s.everyDaemonIsGlobal()
	s.isWell()

	before, admission := s.addresses(), s.admission()
	require.NotEmpty(t, admission.Webhooks[0].ClientConfig.CABundle)
	r.runsPages("helm-host-network")
	s.eventually("the new pods are refused and one of the old goes on", s.isHeldUpByTheStandard)
	r.runsPages("helm-privileged")
	s.isOnTheHostNetwork()
	require.Equal(t, admission.Generation, s.admission().Generation, "the CA is never away, without which no daemon is born")
	s.isWell()
	s.allIsWell(6)

	admissionGoes := s.goes(&admissionregistrationv1.MutatingWebhookConfigurationList{}, client.MatchingFields{"metadata.name": "rook-clusterset"})
	podsGo := s.goes(&appsv1.DeploymentList{}, client.InNamespace(controlplane.Namespace))
	r.runsPages("helm-uninstall")
	for _, replica := range s.World.Replicas {
		require.NoError(t, replica.Stop())
	}
	require.Less(t, admissionGoes(), podsGo(), "while pods go, nobody asks them")
	s.eventually("all but the namespace is gone", func() bool {
		return strings.Join(s.ofTheManifest(), " ") == "namespace/"+controlplane.Namespace
	})
	require.Equal(t, []string{"secret/rook-clusterset-ca", "secret/rook-clusterset-serving-cert", "lease.coordination.k8s.io/rook-clusterset-exporter"},
		strings.Fields(r.sh(t, "kubectl -n rook-clusterset get secret,lease,deployment,pod,service,pvc -o name")))
	r.runsPages("helm-namespace")
	s.isGone()
	require.Equal(t, before, s.addresses())
	s.keepsItsExports()
	s.goesOnWithoutUs(before)
}

// hasHelm lets the reader find helm.
func (r reader) hasHelm() {
	r.t.Helper()
	dir, err := assets.Build(r.t.Context(), assets.Helm)
	require.NoError(r.t, err)
	require.NoError(r.t, os.Symlink(filepath.Join(dir, "helm"), filepath.Join(r.home, "helm")))
}

// ofTheManifest returns which objects of install.yaml are there.
func (s *story) ofTheManifest() []string {
	s.t.Helper()
	printed, err := s.World.Plane.Kubectl(s.t.Context(), manifests.Install, "get", "-f", "-", "--ignore-not-found", "-o", "name")
	require.NoError(s.t, err)
	return strings.Fields(printed)
}

func (s *story) admission() *admissionregistrationv1.MutatingWebhookConfiguration {
	s.t.Helper()
	return get(s, "", "rook-clusterset", &admissionregistrationv1.MutatingWebhookConfiguration{})
}

// isHeldUpByTheStandard says whether the Pod Security Standard of the namespace holds the rollout up, with a replica left.
func (s *story) isHeldUpByTheStandard() bool {
	s.t.Helper()
	deployment := get(s, controlplane.Namespace, "rook-clusterset", &appsv1.Deployment{})
	return deployment.Status.AvailableReplicas == 1 && slices.ContainsFunc(deployment.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
		return c.Type == appsv1.DeploymentReplicaFailure && strings.Contains(c.Message, `violates PodSecurity "restricted`)
	})
}

// isOnTheHostNetwork asserts that each pod takes the ports of its node that the page names.
func (s *story) isOnTheHostNetwork() {
	s.t.Helper()
	pods := &corev1.PodList{}
	require.NoError(s.t, s.World.Plane.Client.List(s.t.Context(), pods, client.InNamespace(controlplane.Namespace)))
	running := 0
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.DeletionTimestamp != nil {
			continue
		}
		running++
		require.True(s.t, pod.Spec.HostNetwork, pod.Name)
		var taken []int32
		for _, port := range pod.Spec.Containers[0].Ports {
			taken = append(taken, port.HostPort)
		}
		require.ElementsMatch(s.t, []int32{9443, 8443, 8081}, taken)
	}
	require.Equal(s.t, 2, running)
}

// goes returns what waits until an object of the list is deleted, and returns the revision of the API server at which it was.
func (s *story) goes(list client.ObjectList, of ...client.ListOption) (at func() uint64) {
	s.t.Helper()
	ctx, end := context.WithTimeout(s.t.Context(), 90*time.Second)
	s.t.Cleanup(end)
	events, err := s.World.Plane.Client.Watch(ctx, list, of...)
	require.NoError(s.t, err)
	return func() uint64 {
		s.t.Helper()
		for event := range events.ResultChan() {
			if event.Type == watch.Deleted {
				revision, err := strconv.ParseUint(event.Object.(client.Object).GetResourceVersion(), 10, 64)
				require.NoError(s.t, err)
				return revision
			}
		}
		require.Fail(s.t, "none was deleted")
		return 0
	}
}

package webhook

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// golden reads a file of the golden Deployments of package rook, and the value that its first line names.
func golden(t testing.TB, file string) (string, *appsv1.Deployment) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	first, body, _ := bytes.Cut(text, []byte("\n"))
	_, value, found := strings.Cut(string(first), ": ")
	require.True(t, found, "%s begins with %q", file, first)
	d := &appsv1.Deployment{}
	require.NoError(t, yaml.Unmarshal(body, d))
	return value, d
}

// recordedCluster is the CephCluster of the recordings.
const recordedCluster = "my-cluster"

func TestEveryShapeThatRookWritesComesOutOfAdmissionAsInTheGoldenFile(t *testing.T) {
	files, err := filepath.Glob("../rook/testdata/*.in.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".in.yaml"), func(t *testing.T) {
			ip, incoming := golden(t, file)
			code, wanted := golden(t, strings.Replace(file, ".in.yaml", ".out.yaml", 1))
			w := newWorld()
			w.cluster.UID = ""
			if owner := metav1.GetControllerOf(incoming); owner != nil && owner.Name == recordedCluster {
				w.cluster.Name = recordedCluster
			}
			w.exports[incoming.Name] = ready(ip)
			req := creation(t, incoming)
			response := newStage(t, w, Options{Hold: longHold, MaxHeld: 1}).handle(t.Context(), DeploymentPath, req)
			require.Equal(t, code, string(reasonOf(response)))
			if reason.Code(code) == reason.Rewritten {
				require.Equal(t, wanted, patchedObject[appsv1.Deployment](t, req, response))
				return
			}
			require.Empty(t, response.Patch)
			kind, _, _ := rook.ParseName(incoming.Name)
			bornWrong := reason.Code(code) == reason.MalformedDeployment || reason.Code(code) == reason.AddressFamilyMismatch
			require.Equal(t, kind == rook.Mon && bornWrong, !response.Allowed)
		})
	}
}

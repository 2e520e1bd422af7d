package rook_test

import (
	"encoding/json"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAPatchNamesOnlyTheArgumentsThatDiffer(t *testing.T) {
	const (
		container = `"/spec/template/spec/containers/0/`
		public    = `"value":"--public-addr=242.0.0.10"}`
		bind      = `"value":"--public-bind-addr=$(ROOK_POD_IP)"}`
		cluster   = `"value":"--cluster-addr=$(ROOK_POD_IP)"}`
		podIP     = `{"name":"ROOK_POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}}`
	)
	withEnv := func(env ...corev1.EnvVar) *appsv1.Deployment {
		d := osdAt("242.0.0.10")
		d.Spec.Template.Spec.Containers[0].Env = env
		return d
	}
	for name, c := range map[string]struct {
		d     *appsv1.Deployment
		patch string
	}{
		"what is right is not touched": {osdAt("242.0.0.10"), `null`},
		"a changed argument":           {osdAt("10.1.1.1"), `[{"op":"replace","path":` + container + `args/1",` + public + `]`},
		"added arguments": {osdWith("--foreground"), `[
			{"op":"add","path":` + container + `args/-",` + public + `,
			{"op":"add","path":` + container + `args/-",` + bind + `,
			{"op":"add","path":` + container + `args/-",` + cluster + `]`},
		"arguments too many": {
			osdWith("--public-addr=242.0.0.10", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)", "--public-addr", "10.1.1.1", "-f"), `[
			{"op":"replace","path":` + container + `args/3","value":"-f"},
			{"op":"remove","path":` + container + `args/5"},
			{"op":"remove","path":` + container + `args/4"}]`,
		},
		"the IP of the pod in an environment":   {withEnv(corev1.EnvVar{Name: "A"}), `[{"op":"add","path":` + container + `env/-","value":` + podIP + `}]`},
		"the IP of the pod without environment": {withEnv(), `[{"op":"add","path":` + container + `env","value":[` + podIP + `]}]`},
		"both containers of a mon": {monAt("10.96.0.1"), `[
			{"op":"replace","path":"/spec/template/spec/initContainers/0/args/1",` + public + `,
			{"op":"replace","path":` + container + `args/1",` + public + `]`},
	} {
		t.Run(name, func(t *testing.T) {
			changes, _ := rook.ChangesFor(c.d, globalIP)
			patch, err := json.Marshal(changes.Operations())
			require.NoError(t, err)
			require.JSONEq(t, c.patch, string(patch))
		})
	}
}

func TestThePatchOfEveryGoldenFileMakesOfItWhatTheChangesMake(t *testing.T) {
	for _, g := range goldens(t) {
		after := g.in.DeepCopy()
		if changes, code := rook.ChangesFor(g.in, g.ip); code == reason.Rewritten {
			changes.Apply(after)
			requirePatch(t, g.in, changes, after)
		}
	}
}

// requirePatch checks that the changes, written as a patch, turn before into after, and touch what they may alone.
func requirePatch(t *testing.T, before *appsv1.Deployment, changes rook.Changes, after *appsv1.Deployment) {
	t.Helper()
	operations := changes.Operations()
	require.NotEmpty(t, operations)
	for _, o := range operations {
		require.Regexp(t, `^/spec/template/spec/(containers|initContainers)/\d+/(args/(\d+|-)|env(/-)?)$`, o.Path)
	}
	text, err := json.Marshal(operations)
	require.NoError(t, err)
	patch, err := jsonpatch.DecodePatch(text)
	require.NoError(t, err)
	was, err := json.Marshal(before)
	require.NoError(t, err)
	want, err := json.Marshal(after)
	require.NoError(t, err)
	got, err := patch.Apply(was)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
	require.Equal(t, operations, changes.Operations(), "the changes stay a patch of what was, also once they are made")
}

package shapes

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func osdOf(t *testing.T, edit func(spec *Spec)) *appsv1.Deployment {
	t.Helper()
	c := &Cluster{Operator: Operator{Release: Release{Minor: 20, Patch: 6}}, Namespace: "rook-ceph", Name: "my-cluster", key: t.Name()}
	if edit != nil {
		edit(&c.Spec)
		c.key += "edited"
	}
	return Make[appsv1.Deployment](c, "osd", Values{
		"type": "osd", "id": "0", "fsid": "F", "node": "node-1", "backing": "device", "uuid": "U", "exported": "", "updated": true,
	})
}

func TestWhatIsADifference(t *testing.T) {
	daemon := func(d *appsv1.Deployment) *corev1.Container { return &d.Spec.Template.Spec.Containers[0] }
	for name, c := range map[string]struct {
		change  func(stored *appsv1.Deployment)
		differs bool
	}{
		"nothing":                      {func(*appsv1.Deployment) {}, false},
		"an argument that was added":   {func(d *appsv1.Deployment) { daemon(d).Args = append(daemon(d).Args, "--public-addr=242.0.0.1") }, true},
		"an environment variable more": {func(d *appsv1.Deployment) { daemon(d).Env = append(daemon(d).Env, corev1.EnvVar{Name: "EXTRA"}) }, false},
		"an annotation more":           {func(d *appsv1.Deployment) { d.Annotations["deployment.kubernetes.io/revision"] = "1" }, false},
		"a default of the API server":  {func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(600)) }, false},
		"a container more": {func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers, corev1.Container{Name: "sidecar"})
		}, false},
		"the replicas":   {func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) }, true},
		"a label lost":   {func(d *appsv1.Deployment) { delete(d.Labels, "app") }, true},
		"the status":     {func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 1 }, false},
		"the generation": {func(d *appsv1.Deployment) { d.Generation, d.ResourceVersion = 7, "9" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			stored := osdOf(t, nil)
			SetLastApplied(stored)
			c.change(stored)
			different, err := Differs(stored, osdOf(t, nil))
			require.NoError(t, err)
			require.Equal(t, c.differs, different)
		})
	}
}

func TestWhatTheOperatorNoLongerWantsIsADifference(t *testing.T) {
	stored := osdOf(t, func(spec *Spec) { spec.LogCollector.Enabled = true })
	SetLastApplied(stored)
	text, err := lastApplied(stored)
	require.NoError(t, err)
	require.Contains(t, string(text), `"name":"rook-ceph-osd-0"`)
	different, err := Differs(stored, osdOf(t, nil))
	require.NoError(t, err)
	require.True(t, different)
}

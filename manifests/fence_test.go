package manifests

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// theManager returns a client with the rights of the shipped service account.
func theManager(t *testing.T, admin *rest.Config) client.Client {
	t.Helper()
	config := rest.CopyConfig(admin)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:rook-clusterset:rook-clusterset",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:rook-clusterset", "system:authenticated"},
	}
	c, err := client.New(config, client.Options{Scheme: newScheme(t)})
	require.NoError(t, err)
	return c
}

// fenced is an API server with the fences and the rights that are shipped, and with the Deployments of a Rook cluster in a
// namespace that is switched on and in one that is not.
func fenced(t *testing.T) (manager, admin client.Client) {
	t.Helper()
	config := startConfig(t)
	admin, err := client.New(config, client.Options{Scheme: newScheme(t)})
	require.NoError(t, err)
	for _, object := range installed(t) {
		switch object.(type) {
		case *admissionregistrationv1.ValidatingAdmissionPolicy, *admissionregistrationv1.ValidatingAdmissionPolicyBinding,
			*rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding:
			require.NoError(t, admin.Create(t.Context(), object, client.FieldValidation(metav1.FieldValidationStrict)), object.GetName())
		}
	}
	giveAllRights(t, admin)
	for namespace, enabled := range map[string]string{"rook-ceph": "true", "off": "false"} {
		require.NoError(t, admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: named("", namespace, map[string]string{rook.EnabledLabel: enabled})}))
		for _, name := range []string{"rook-ceph-mon-a", "rook-ceph-osd-0", "rook-ceph-mgr-a"} {
			d := deployment(named(namespace, name, map[string]string{rook.AppLabel: strings.TrimSuffix(strings.TrimSuffix(name, "-a"), "-0")}))
			d.Annotations = map[string]string{"of": "Rook"}
			pod := &d.Spec.Template.Spec
			pod.InitContainers = []corev1.Container{{Name: "init", Image: "i", Args: []string{"--public-addr=10.96.0.1"}}}
			pod.Containers[0].Args = []string{"--id=a", "--public-addr=10.96.0.1", "--foreground"}
			pod.Containers[0].Env = []corev1.EnvVar{{Name: "A", Value: "b"}}
			require.NoError(t, admin.Create(t.Context(), d))
		}
	}
	manager = theManager(t, config)
	require.Eventually(t, func() bool {
		err := scaleTo(t, manager, "off", "rook-ceph-mon-a", 0)
		return err != nil && strings.Contains(err.Error(), "ValidatingAdmissionPolicy")
	}, time.Minute, 100*time.Millisecond, "the fence is in force")
	return manager, admin
}

// giveAllRights gives the service account more than is shipped: the fence has to hold by itself.
func giveAllRights(t *testing.T, admin client.Client) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: "too-much"}
	require.NoError(t, admin.Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{"apps"}, Resources: []string{"deployments", "deployments/scale", "deployments/status"}, Verbs: []string{"*"},
	}}}))
	require.NoError(t, admin.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "too-much"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "rook-clusterset", Namespace: "rook-clusterset"}},
	}))
}

func scaleTo(t *testing.T, c client.Client, namespace, name string, replicas int32) error {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	scale := &autoscalingv1.Scale{ObjectMeta: meta, Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	return c.SubResource("scale").Update(t.Context(), &appsv1.Deployment{ObjectMeta: meta}, client.WithSubResourceBody(scale))
}

func patch(t *testing.T, c client.Client, namespace, name string, kind types.PatchType, text string) error {
	t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	return c.Patch(t.Context(), d, client.RawPatch(kind, []byte(text)))
}

const asks = `{"metadata":{"annotations":{"rook-clusterset.io/asked":"242.0.0.1"}}}`

func TestTheManagerStopsAndStartsMonsAndAsksForOSDs(t *testing.T) {
	manager, _ := fenced(t)
	require.NoError(t, scaleTo(t, manager, "rook-ceph", "rook-ceph-mon-a", 0))
	require.NoError(t, scaleTo(t, manager, "rook-ceph", "rook-ceph-mon-a", 1))
	require.NoError(t, patch(t, manager, "rook-ceph", "rook-ceph-osd-0", types.MergePatchType, asks))
	// What admission makes of it is part of the same write.
	for _, rewritten := range []string{
		`[{"op":"replace","path":"/spec/template/spec/containers/0/args/1","value":"--public-addr=242.0.0.1"},
		  {"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--public-bind-addr=$(ROOK_POD_IP)"},
		  {"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--cluster-addr=$(ROOK_POD_IP)"},
		  {"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"ROOK_POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}}},
		  {"op":"replace","path":"/metadata/annotations/rook-clusterset.io~1asked","value":"242.0.0.2"}]`,
		`[{"op":"remove","path":"/metadata/annotations/rook-clusterset.io~1asked"}]`,
	} {
		require.NoError(t, patch(t, manager, "rook-ceph", "rook-ceph-osd-0", types.JSONPatchType, rewritten))
	}
}

func TestTheManagerMayNotWriteOtherwise(t *testing.T) {
	manager, admin := fenced(t)
	json := func(namespace, name, text string) func() error {
		return func() error { return patch(t, manager, namespace, name, types.JSONPatchType, text) }
	}
	osd := func(text string) func() error { return json("rook-ceph", "rook-ceph-osd-0", text) }
	scale := func(namespace, name string, replicas int32) func() error {
		return func() error { return scaleTo(t, manager, namespace, name, replicas) }
	}
	const containers = `"/spec/template/spec/containers/0`
	beyond := map[string]struct {
		try  func() error
		says string
	}{
		"create a Deployment": {func() error {
			return manager.Create(t.Context(), deployment(named("rook-ceph", "rook-ceph-osd-1", nil)))
		}, "neither creates nor deletes"},
		"delete one": {func() error {
			return manager.Delete(t.Context(), &appsv1.Deployment{ObjectMeta: named("rook-ceph", "rook-ceph-osd-0", nil)})
		}, "neither creates nor deletes"},
		"write the status of one": {func() error {
			d := &appsv1.Deployment{ObjectMeta: named("rook-ceph", "rook-ceph-osd-0", nil)}
			return manager.Status().Patch(t.Context(), d, client.RawPatch(types.MergePatchType, []byte(`{"status":{"replicas":7}}`)))
		}, "writes no status"},
		"stop a mon in a namespace that is not switched on": {scale("off", "rook-ceph-mon-a", 0), "only in namespaces"},
		"ask for an OSD in one":                             {func() error { return patch(t, manager, "off", "rook-ceph-osd-0", types.MergePatchType, asks) }, "only in namespaces"},
		"stop an OSD":                                       {scale("rook-ceph", "rook-ceph-osd-0", 0), "only the Deployments of mons"},
		"stop a mgr":                                        {scale("rook-ceph", "rook-ceph-mgr-a", 0), "only the Deployments of mons"},
		"run two of a mon":                                  {scale("rook-ceph", "rook-ceph-mon-a", 2), "to 0 or 1"},
		"annotate a mon":                                    {func() error { return patch(t, manager, "rook-ceph", "rook-ceph-mon-a", types.MergePatchType, asks) }, "only those of OSDs"},
		"annotate a mgr":                                    {func() error { return patch(t, manager, "rook-ceph", "rook-ceph-mgr-a", types.MergePatchType, asks) }, "only those of OSDs"},
		"set another annotation":                            {osd(`[{"op":"add","path":"/metadata/annotations/x","value":"y"}]`), "no annotation"},
		"change another annotation":                         {osd(`[{"op":"replace","path":"/metadata/annotations/of","value":"us"}]`), "no annotation"},
		"remove another annotation":                         {osd(`[{"op":"remove","path":"/metadata/annotations/of"}]`), "no annotation"},
		"set a label":                                       {osd(`[{"op":"add","path":"/metadata/labels/x","value":"y"}]`), "of the metadata"},
		"own it":                                            {osd(`[{"op":"add","path":"/metadata/ownerReferences","value":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u"}]}]`), "of the metadata"},
		"hold it back from being deleted":                   {osd(`[{"op":"add","path":"/metadata/finalizers","value":["rook-clusterset.io/x"]}]`), "of the metadata"},
		"stop an OSD by a patch":                            {osd(`[{"op":"replace","path":"/spec/replicas","value":0}]`), "but its pods"},
		"pause its rollout":                                 {osd(`[{"op":"add","path":"/spec/paused","value":true}]`), "but its pods"},
		"annotate its pods, which would restart them again": {osd(`[{"op":"add","path":"/spec/template/metadata/annotations","value":{"a":"b"}}]`), "but its pods"},
		"run another image":                      {osd(`[{"op":"replace","path":` + containers + `/image","value":"evil"}]`), "args and environment"},
		"run another command":                    {osd(`[{"op":"add","path":` + containers + `/command","value":["sh"]}]`), "args and environment"},
		"run it with all rights":                 {osd(`[{"op":"add","path":` + containers + `/securityContext","value":{"privileged":true}}]`), "args and environment"},
		"run a container more":                   {osd(`[{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"d","image":"i"}}]`), "args and environment"},
		"run another image in an init container": {osd(`[{"op":"replace","path":"/spec/template/spec/initContainers/0/image","value":"evil"}]`), "args and environment"},
		"drop an init container":                 {osd(`[{"op":"remove","path":"/spec/template/spec/initContainers"}]`), "args and environment"},
		"see the processes of the node":          {osd(`[{"op":"add","path":"/spec/template/spec/hostPID","value":true}]`), "args and environment"},
		"act as another service account":         {osd(`[{"op":"add","path":"/spec/template/spec/serviceAccountName","value":"rook-ceph-system"}]`), "args and environment"},
		"mount a volume":                         {osd(`[{"op":"add","path":"/spec/template/spec/volumes","value":[{"name":"v","hostPath":{"path":"/"}}]}]`), "args and environment"},
		"give another arg":                       {osd(`[{"op":"add","path":` + containers + `/args/-","value":"--debug"}]`), "no args"},
		"give one that only looks like ours":     {osd(`[{"op":"add","path":` + containers + `/args/-","value":"--x=--public-addr=1"}]`), "no args"},
		"take an arg away":                       {osd(`[{"op":"remove","path":` + containers + `/args/2"}]`), "no args"},
		"set a variable":                         {osd(`[{"op":"add","path":` + containers + `/env/-","value":{"name":"LD_PRELOAD","value":"x"}}]`), "no variable"},
		"set our variable to something else":     {osd(`[{"op":"add","path":` + containers + `/env/-","value":{"name":"ROOK_POD_IP","value":"1.2.3.4"}}]`), "no variable"},
		"change a variable":                      {osd(`[{"op":"replace","path":` + containers + `/env/0/value","value":"c"}]`), "no variable"},
		"take a variable away":                   {osd(`[{"op":"remove","path":` + containers + `/env/0"}]`), "no variable"},
	}
	for name, c := range beyond {
		t.Run(name, func(t *testing.T) {
			err := c.try()
			require.True(t, apierrors.IsInvalid(err), "%v", err)
			require.ErrorContains(t, err, "ValidatingAdmissionPolicy 'rook-clusterset-migration'")
			require.ErrorContains(t, err, c.says)
		})
	}
	t.Run("others may do all of it", func(t *testing.T) {
		require.NoError(t, scaleTo(t, admin, "off", "rook-ceph-mgr-a", 3))
		require.NoError(t, patch(t, admin, "rook-ceph", "rook-ceph-osd-0", types.JSONPatchType, `[{"op":"replace","path":`+containers+`/image","value":"other"}]`))
	})
}

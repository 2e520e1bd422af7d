package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// startAPIServer starts etcd and kube-apiserver out of KUBEBUILDER_ASSETS, with cert-manager's kinds.
func startAPIServer(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(startConfig(t), client.Options{Scheme: newScheme(t)})
	require.NoError(t, err)
	return c
}

// startConfig is startAPIServer for who wants to be somebody else than the administrator as well.
func startConfig(t *testing.T) *rest.Config {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Skip("KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver")
	}
	environment := &envtest.Environment{BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{filepath.Join(assets, "crds")}, ErrorIfCRDPathMissing: true}
	config, err := environment.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, environment.Stop()) })
	return config
}

// request is an object of which the webhook called calls is to be asked, and no other; empty means none.
type request struct {
	name   string
	object client.Object
	calls  string
}

func named(namespace, name string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}
}

func requests(namespace string) []request {
	generated := metav1.ObjectMeta{Namespace: namespace, GenerateName: "rook-ceph-config-"}
	app := func(name string) map[string]string { return map[string]string{rook.AppLabel: name} }
	return []request{
		{"a Deployment of a mon", deployment(named(namespace, "rook-ceph-mon-a", app(rook.MonApp))), "deployments"},
		{"a Deployment of an OSD", deployment(named(namespace, "rook-ceph-osd-0", app(rook.OSDApp))), "deployments"},
		{"a Deployment of the manager", deployment(named(namespace, "rook-ceph-mgr-a", app("rook-ceph-mgr"))), ""},
		{"a Deployment without labels", deployment(named(namespace, "rook-ceph-mon-b", nil)), ""},
		{"the mon endpoints", &corev1.ConfigMap{ObjectMeta: named(namespace, rook.MonEndpointsName, nil)}, "mon-endpoints"},
		{"the CSI configuration", &corev1.ConfigMap{ObjectMeta: named(namespace, rook.CSIConfigName, nil)}, "csi-config"},
		{"our own ConfigMap", &corev1.ConfigMap{ObjectMeta: named(namespace, rook.ReloadName, nil)}, ""},
		{"a ConfigMap with a generated name", &corev1.ConfigMap{ObjectMeta: generated}, ""},
		{"the Secret with mon_host", &corev1.Secret{ObjectMeta: named(namespace, rook.ConfigSecretName, nil)}, "ceph-config"},
		{"the Secret with the keys", &corev1.Secret{ObjectMeta: named(namespace, "rook-ceph-mon", nil)}, ""},
		{"a Secret with a generated name", &corev1.Secret{ObjectMeta: generated}, ""},
		{"the EndpointSlice of the mons", slice(named(namespace, rook.ActiveMonsIPv4Name, nil), discoveryv1.AddressTypeIPv4), "active-mons"},
		{"the EndpointSlice of the mons, IPv6", slice(named(namespace, rook.ActiveMonsIPv6Name, nil), discoveryv1.AddressTypeIPv6), "active-mons"},
		{"another EndpointSlice", slice(named(namespace, "rook-ceph-mgr-x", nil), discoveryv1.AddressTypeIPv4), ""},
		{"the Service of a mon", service(named(namespace, "rook-ceph-mon-a", app(rook.MonApp))), "mon-services"},
		{"the Service of an OSD", service(named(namespace, "rook-ceph-osd-0", app(rook.OSDApp))), ""},
	}
}

func deployment(meta metav1.ObjectMeta) *appsv1.Deployment {
	labels := map[string]string{"of": meta.Name}
	return &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		},
	}}
}

func slice(meta metav1.ObjectMeta, family discoveryv1.AddressType) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{ObjectMeta: meta, AddressType: family, Endpoints: []discoveryv1.Endpoint{}}
}

func service(meta metav1.ObjectMeta) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 3300}}}}
}

// awaitWebhooks waits until the API server, which watches its configurations, knows of the webhooks.
func awaitWebhooks(t *testing.T, c client.Client, namespace string) {
	t.Helper()
	mon := deployment(named(namespace, "rook-ceph-mon-asked", map[string]string{rook.AppLabel: rook.MonApp}))
	require.Eventually(t, func() bool {
		err := c.Create(t.Context(), mon.DeepCopy(), client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "failed calling webhook")
	}, time.Minute, 50*time.Millisecond, "the webhooks are known")
}

// No replica runs here, so a request that a webhook is asked of fails by the name of that webhook.
func TestAnAPIServerSendsOnlyWhatIsCorrected(t *testing.T) {
	c := startAPIServer(t)
	for _, object := range installed(t) {
		require.NoError(t, c.Create(t.Context(), object, client.FieldValidation(metav1.FieldValidationStrict)), object.GetName())
	}
	for namespace, labels := range map[string]map[string]string{
		"enabled": {rook.EnabledLabel: "true"}, "disabled": {rook.EnabledLabel: "false"}, "unlabelled": nil,
	} {
		require.NoError(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: named("", namespace, labels)}))
		if namespace == "enabled" {
			awaitWebhooks(t, c, namespace)
		}
		for _, r := range requests(namespace) {
			t.Run(fmt.Sprintf("%s in a namespace that is %s", r.name, namespace), func(t *testing.T) {
				err := c.Create(t.Context(), r.object, client.DryRunAll)
				if namespace == "enabled" && r.calls != "" {
					require.ErrorContains(t, err, fmt.Sprintf("failed calling webhook %q", r.calls+".rook-clusterset.io"))
					return
				}
				require.NoError(t, err)
			})
		}
	}
}

func TestAnUpdateAsksAsACreationDoesButForServices(t *testing.T) {
	c := startAPIServer(t)
	require.NoError(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: named("", "rook-ceph", map[string]string{rook.EnabledLabel: "true"})}))
	all := requests("rook-ceph")
	for _, r := range all {
		require.NoError(t, c.Create(t.Context(), r.object), r.name)
	}
	require.NoError(t, c.Create(t.Context(), one[*admissionregistrationv1.MutatingWebhookConfiguration](t, "rook-clusterset")))
	awaitWebhooks(t, c, "rook-ceph")
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			r.object.SetAnnotations(map[string]string{"changed": "true"})
			err := c.Update(t.Context(), r.object)
			if r.calls == "" || r.calls == "mon-services" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, fmt.Sprintf("failed calling webhook %q", r.calls+".rook-clusterset.io"))
		})
	}
}

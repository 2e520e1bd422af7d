package controlplane_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// TestPlane starts the control plane once for all that it is to be able to.
func TestPlane(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	started := time.Now()
	plane, err := controlplane.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plane.Stop()) })
	t.Logf("control plane after %s", time.Since(started).Round(time.Millisecond))
	require.NotEmpty(t, processesIn(t, temp))

	t.Run("the API server calls a webhook by a certificate that cert-manager issued", func(t *testing.T) {
		callsAWebhook(t, plane)
	})
	t.Run("a ServiceAccount has its own rights and no other", func(t *testing.T) {
		hasItsOwnRights(t, plane)
	})
	t.Run("one apply of the manifests brings a ready replica", func(t *testing.T) {
		bringsAReadyReplica(t, plane)
	})

	stopping := time.Now()
	require.NoError(t, plane.Stop())
	t.Logf("stopped after %s", time.Since(stopping).Round(time.Millisecond))
	require.Empty(t, processesIn(t, temp))
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left)
}

const webhookObjects = `
apiVersion: v1
kind: Namespace
metadata: {name: hooked}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: self-signed, namespace: hooked}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: ca, namespace: hooked}
spec:
  isCA: true
  commonName: hooked
  secretName: ca
  privateKey: {algorithm: ECDSA}
  issuerRef: {name: self-signed}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: ca, namespace: hooked}
spec: {ca: {secretName: ca}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: serving, namespace: hooked}
spec:
  dnsNames: [hook.hooked.svc]
  secretName: serving
  issuerRef: {name: ca}
---
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: hooked}
spec: {ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: hook
  annotations: {cert-manager.io/inject-ca-from: hooked/serving}
webhooks:
- name: hook.example.com
  clientConfig: {service: {namespace: hooked, name: hook}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: hooked}}
  matchConditions: [{name: ours, expression: request.name.startsWith("seen")}]
  admissionReviewVersions: [v1]
  sideEffects: None
`

func callsAWebhook(t *testing.T, plane *controlplane.Plane) {
	_, err := plane.Kubectl(t.Context(), []byte(webhookObjects), "apply", "-f", "-")
	require.NoError(t, err)
	_, err = plane.Kubectl(t.Context(), nil, "wait", "-n", "hooked", "--for=condition=Ready", "--timeout=30s", "certificate/ca", "certificate/serving")
	require.NoError(t, err)

	dir := t.TempDir()
	serving := types.NamespacedName{Namespace: "hooked", Name: "serving"}
	require.NoError(t, plane.MountSecret(t.Context(), serving, dir))
	var configuration admissionregistrationv1.MutatingWebhookConfiguration
	require.Eventually(t, func() bool {
		require.NoError(t, plane.Client.Get(t.Context(), client.ObjectKey{Name: "hook"}, &configuration))
		return len(configuration.Webhooks[0].ClientConfig.CABundle) > 0
	}, 10*time.Second, 50*time.Millisecond)

	hook := types.NamespacedName{Namespace: "hooked", Name: "hook"}
	require.Error(t, createConfigMap(t, plane, "seen-by-none"), "a Service without endpoints")

	var calls [2]atomic.Int32
	first, second := newHook(t, dir, &calls[0]), newHook(t, dir, &calls[1])
	plane.Route(hook, first.Listener.Addr().String(), second.Listener.Addr().String())
	require.NoError(t, createConfigMap(t, plane, "seen-by-one"))
	require.EqualValues(t, 1, calls[0].Load()+calls[1].Load())

	first.Close()
	before := calls[1].Load()
	var refused int32
	for i := range 4 {
		if createConfigMap(t, plane, fmt.Sprintf("seen-while-one-is-down-%d", i)) != nil {
			refused++
		}
	}
	require.Positive(t, refused, "nobody tries another endpoint for a connection that is refused")
	require.Less(t, refused, int32(4))
	require.Equal(t, before+4-refused, calls[1].Load())

	plane.Route(hook, second.Listener.Addr().String())
	before = calls[1].Load()
	for i := range 3 {
		require.NoError(t, createConfigMap(t, plane, fmt.Sprintf("seen-by-the-other-%d", i)))
	}
	require.Equal(t, before+3, calls[1].Load())

	followsTheSecret(t, plane, serving, dir)
}

// followsTheSecret has the certificate issued anew.
func followsTheSecret(t *testing.T, plane *controlplane.Plane, serving types.NamespacedName, dir string) {
	t.Helper()
	before, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
	require.NoError(t, err)
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = serving.Namespace, serving.Name
	require.NoError(t, plane.Client.Delete(t.Context(), secret))
	require.Eventually(t, func() bool {
		now, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
		require.NoError(t, err, "a file of a volume is never missing")
		return string(now) != string(before)
	}, 20*time.Second, time.Millisecond)
	_, err = tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	require.NoError(t, err)
}

// newHook serves admission on loopback with the certificate of the directory, counts the calls and allows all.
func newHook(t *testing.T, dir string, calls *atomic.Int32) *httptest.Server {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		_ = json.NewEncoder(w).Encode(review)
	}))
	// Each call is then a connection of its own, which the egress has to find an end for.
	server.Config.SetKeepAlivesEnabled(false)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func createConfigMap(t *testing.T, plane *controlplane.Plane, name string) error {
	t.Helper()
	configMap := &corev1.ConfigMap{}
	configMap.Namespace, configMap.Name = "hooked", name
	return plane.Client.Create(t.Context(), configMap)
}

func hasItsOwnRights(t *testing.T, plane *controlplane.Plane) {
	_, err := plane.Kubectl(t.Context(), []byte(`
apiVersion: v1
kind: Namespace
metadata: {name: limited}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: limited}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: reader, namespace: limited}]
`), "apply", "-f", "-")
	require.NoError(t, err)
	kubeconfig, err := plane.ServiceAccountKubeconfig(t.Context(), "limited", "reader")
	require.NoError(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	reader, err := client.New(config, client.Options{})
	require.NoError(t, err)
	var configMaps corev1.ConfigMapList
	require.Eventually(t, func() bool {
		return reader.List(t.Context(), &configMaps, client.InNamespace("limited")) == nil
	}, 10*time.Second, 50*time.Millisecond, "the controller manager fills the ClusterRole view")
	require.True(t, apierrors.IsForbidden(reader.List(t.Context(), &corev1.SecretList{}, client.InNamespace("limited"))))
}

func bringsAReadyReplica(t *testing.T, plane *controlplane.Plane) {
	applied := time.Now()
	_, err := plane.Kubectl(t.Context(), manifests.Install, "apply", "-f", "-")
	require.NoError(t, err)
	replica, err := plane.StartReplica(t.Context(), "replica-0")
	require.NoError(t, err)
	plane.Serve(replica)
	t.Logf("ready %s after the apply", time.Since(applied).Round(time.Millisecond))

	var configuration admissionregistrationv1.MutatingWebhookConfiguration
	require.NoError(t, plane.Client.Get(t.Context(), client.ObjectKey{Name: "rook-clusterset"}, &configuration))
	require.NotEmpty(t, configuration.Webhooks)
	for _, hook := range configuration.Webhooks {
		require.NotEmpty(t, hook.ClientConfig.CABundle, hook.Name)
	}
	metrics, err := replica.Metrics(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, metrics)
	require.NoError(t, replica.Stop())
	require.NotEmpty(t, replica.Log())
	require.Empty(t, plane.EndedReplicas(), "a replica that was stopped has not ended by itself")
	tellsOfAReplicaThatEnded(t, plane)
}

func tellsOfAReplicaThatEnded(t *testing.T, plane *controlplane.Plane) {
	t.Helper()
	replica, err := plane.StartReplica(t.Context(), "replica-1")
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(replica.PID(), syscall.SIGKILL))
	var ended []error
	require.Eventually(t, func() bool { ended = append(ended, plane.EndedReplicas()...); return len(ended) > 0 }, 5*time.Second, 10*time.Millisecond)
	require.Len(t, ended, 1)
	require.ErrorContains(t, ended[0], "replica-1 ended (signal: killed), having logged:\n")
	require.ErrorContains(t, ended[0], "check=kinds state=ready")
	require.Empty(t, plane.EndedReplicas(), "it is told once")

	kept := t.TempDir()
	t.Setenv("ROOK_CLUSTERSET_LOGS", kept)
	dir, err := plane.KeepLogs("TestOfThis/case")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(kept, "TestOfThis", "case"), dir)
	whole, err := os.ReadFile(filepath.Join(dir, "replica-1.log"))
	require.NoError(t, err)
	require.Equal(t, replica.Log(), string(whole))
	require.FileExists(t, filepath.Join(dir, "replica-0.log"), "the logs of those that were stopped before are kept too")
}

// processesIn returns the command lines of all processes that name the directory.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

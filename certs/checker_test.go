package certs

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

const namespace = "rook-clusterset"

type caches struct{ synced bool }

func (c *caches) WaitForCacheSync(context.Context) bool { return c.synced }

func builder(t *testing.T, objects ...client.Object) *fake.ClientBuilder {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, admissionregistrationv1.AddToScheme(scheme))
	require.NoError(t, certmanagerv1.AddToScheme(scheme))
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)
}

// configuration has one webhook for each bundle.
func configuration(bundles ...[]byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	c := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: WebhookConfigurationName}}
	for i, bundle := range bundles {
		c.Webhooks = append(c.Webhooks, admissionregistrationv1.MutatingWebhook{
			Name:         []string{"deployments.rook-clusterset.io", "mon-endpoints.rook-clusterset.io"}[i],
			ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: bundle},
		})
	}
	return c
}

func issuedCertificate(ready cmmeta.ConditionStatus, why, message string) *certmanagerv1.Certificate {
	return &certmanagerv1.Certificate{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: CertificateName},
		Status: certmanagerv1.CertificateStatus{Conditions: []certmanagerv1.CertificateCondition{
			{Type: certmanagerv1.CertificateConditionReady, Status: ready, Reason: why, Message: message},
		}},
	}
}

func TestReadiness(t *testing.T) {
	now := time.Now()
	hourAgo, inAnHour := now.Add(-time.Hour), now.Add(time.Hour)
	ours, other := newAuthority(t, newKey(t)), newAuthority(t, newKey(t))
	renewed := newAuthority(t, ours.key)
	good := ours.issue(t, servingName, hourAgo, inAnHour)
	otherKey, err := os.ReadFile(filepath.Join(other.issue(t, servingName, hourAgo, inAnHour), "tls.key"))
	require.NoError(t, err)
	goodCertificate, err := os.ReadFile(filepath.Join(good, "tls.crt"))
	require.NoError(t, err)
	notReady := issuedCertificate(cmmeta.ConditionFalse, "DoesNotExist", "Issuing certificate as Secret does not exist")

	for name, test := range map[string]struct {
		dir      string
		unsynced bool
		objects  []client.Object
		want     []string
	}{
		"ready with the CA that signed the certificate": {
			dir: good, objects: []client.Object{configuration(ours.bundle(), ours.bundle())},
		},
		"ready while the bundle carries the CA before and the CA after a rotation": {
			dir: good, objects: []client.Object{configuration(slices.Concat(other.bundle(), ours.bundle()))},
		},
		"ready with a renewed CA that kept its key": {
			dir: good, objects: []client.Object{configuration(renewed.bundle())},
		},
		"not ready without a certificate, and why cert-manager gives none": {
			dir: t.TempDir(), objects: []client.Object{configuration(ours.bundle()), notReady},
			want: []string{
				"load the serving certificate", "no such file",
				"cert-manager says of Certificate rook-clusterset/rook-clusterset-serving: DoesNotExist: Issuing certificate as Secret does not exist",
			},
		},
		"not ready without a certificate that cert-manager has issued": {
			dir: t.TempDir(), objects: []client.Object{configuration(ours.bundle()), issuedCertificate(cmmeta.ConditionTrue, "Ready", "up to date")},
			want: []string{"load the serving certificate"},
		},
		"not ready without a certificate that nobody asked for": {
			dir: t.TempDir(), objects: []client.Object{configuration(ours.bundle())},
			want: []string{"load the serving certificate", "there is no Certificate rook-clusterset/rook-clusterset-serving"},
		},
		"not ready with a file that is no certificate": {
			dir: writePair(t, []byte("nonsense"), otherKey), objects: []client.Object{configuration(ours.bundle())},
			want: []string{"load the serving certificate", "failed to find any PEM data"},
		},
		"not ready with the key of another certificate": {
			dir: writePair(t, goodCertificate, otherKey), objects: []client.Object{configuration(ours.bundle())},
			want: []string{"load the serving certificate", "private key does not match public key"},
		},
		"not ready with an expired certificate": {
			dir: ours.issue(t, servingName, hourAgo, now.Add(-time.Minute)), objects: []client.Object{configuration(ours.bundle()), notReady},
			want: []string{"the serving certificate expired at " + now.Add(-time.Minute).UTC().Format(time.RFC3339), "cert-manager says of Certificate"},
		},
		"not ready with a certificate of the future": {
			dir: ours.issue(t, servingName, inAnHour, now.Add(2*time.Hour)), objects: []client.Object{configuration(ours.bundle())},
			want: []string{"the serving certificate is not valid before " + inAnHour.UTC().Format(time.RFC3339)},
		},
		"not ready before the caches are synced": {
			dir: good, unsynced: true, objects: []client.Object{configuration(ours.bundle())},
			want: []string{"the caches are not synced yet"},
		},
		"not ready without a webhook configuration": {
			dir: good, want: []string{"there is no MutatingWebhookConfiguration rook-clusterset, so the API server does not call the webhook"},
		},
		"not ready before a CA is injected": {
			dir: good, objects: []client.Object{configuration(ours.bundle(), nil)},
			want: []string{"webhook mon-endpoints.rook-clusterset.io of MutatingWebhookConfiguration rook-clusterset has no CA yet"},
		},
		"not ready with another CA": {
			dir: good, objects: []client.Object{configuration(ours.bundle(), other.bundle())},
			want: []string{"webhook mon-endpoints.rook-clusterset.io of MutatingWebhookConfiguration rook-clusterset does not trust the serving certificate"},
		},
		"not ready with a certificate for another Service": {
			dir: ours.issue(t, "other.rook-clusterset.svc", hourAgo, inAnHour), objects: []client.Object{configuration(ours.bundle())},
			want: []string{"does not trust the serving certificate", "not " + servingName},
		},
	} {
		t.Run(name, func(t *testing.T) {
			reader := builder(t, test.objects...).Build()
			checker := NewChecker(reader, reader, &caches{synced: !test.unsynced}, test.dir, namespace)
			err := checker.Check(httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
			if test.want == nil {
				require.NoError(t, err)
			}
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestAnExplanationThatCannotBeHadIsLeftOut(t *testing.T) {
	certificates := schema.GroupKind{Group: "cert-manager.io", Kind: "Certificate"}
	for name, test := range map[string]struct {
		failure error
		want    string
	}{
		"cert-manager is not installed": {&meta.NoKindMatchError{GroupKind: certificates}, "; cert-manager is not installed"},
		"reading is forbidden":          {apierrors.NewForbidden(schema.GroupResource{Resource: "certificates"}, CertificateName, nil), ""},
	} {
		t.Run(name, func(t *testing.T) {
			live := builder(t).WithInterceptorFuncs(interceptor.Funcs{
				Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
					return test.failure
				},
			}).Build()
			dir := t.TempDir()
			checker := NewChecker(builder(t).Build(), live, &caches{synced: true}, dir, namespace)
			err := checker.Check(httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
			require.EqualError(t, err, "load the serving certificate: open "+filepath.Join(dir, "tls.crt")+": no such file or directory"+test.want)
		})
	}
}

func TestCachesThatWereSyncedOnceAreNotAskedAgain(t *testing.T) {
	ca := newAuthority(t, newKey(t))
	dir := ca.issue(t, servingName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	reader := builder(t, configuration(ca.bundle())).Build()
	informers := &caches{synced: true}
	checker := NewChecker(reader, reader, informers, dir, namespace)
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil)
	require.NoError(t, checker.Check(request))
	informers.synced = false
	require.NoError(t, checker.Check(request))
}

func TestARenewedCertificateIsReadAnew(t *testing.T) {
	ca := newAuthority(t, newKey(t))
	dir := ca.issue(t, servingName, time.Now().Add(-time.Hour), time.Now().Add(time.Minute))
	reader := builder(t, configuration(ca.bundle())).Build()
	checker := NewChecker(reader, reader, &caches{synced: true}, dir, namespace)
	checker.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil)
	require.ErrorContains(t, checker.Check(request), "expired")

	renewed := ca.issue(t, servingName, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	for _, file := range []string{"tls.crt", "tls.key"} {
		require.NoError(t, os.Rename(filepath.Join(renewed, file), filepath.Join(dir, file)))
	}
	require.NoError(t, checker.Check(request))
}

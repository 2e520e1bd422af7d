// Package certs watches over the serving certificate of the webhook: a replica is ready only when the API server can
// truly reach it over TLS.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The names under which rook-clusterset is installed.
const (
	WebhookConfigurationName = "rook-clusterset"
	CertificateName          = "rook-clusterset-serving"
	ServiceName              = "rook-clusterset-webhook"
)

// syncTimeout bounds how long a probe waits for caches that have not synced.
const syncTimeout = 500 * time.Millisecond

// Caches says whether what the webhook decides on has been read.
type Caches interface {
	WaitForCacheSync(ctx context.Context) bool
}

// Checker answers the readiness probe: it says no until the serving certificate is loaded, the caches are synced and
// the webhook configuration carries the CA that signed the certificate.
type Checker struct {
	cached    client.Reader
	live      client.Reader
	caches    Caches
	certDir   string
	namespace string
	now       func() time.Time
	// synced once is synced for good: a kind that is installed later must not take every replica out of service while
	// its objects are being read for the first time.
	synced atomic.Bool
}

// NewChecker returns a Checker of the certificate in certDir, for an installation in the namespace. The webhook
// configuration is read from the cache; the Certificate, which only explains a failure, from the API server.
func NewChecker(cached, live client.Reader, caches Caches, certDir, namespace string) *Checker {
	return &Checker{cached: cached, live: live, caches: caches, certDir: certDir, namespace: namespace, now: time.Now}
}

// Check returns why this replica cannot serve yet, in the order in which things come about; nil means that it can.
func (c *Checker) Check(req *http.Request) error {
	chain, err := c.servingCertificate()
	if err != nil {
		return c.explained(req.Context(), err)
	}
	if !c.cachesSynced(req.Context()) {
		return errors.New("the caches are not synced yet")
	}
	return c.trusted(req.Context(), chain)
}

func (c *Checker) cachesSynced(ctx context.Context) bool {
	if c.synced.Load() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	if !c.caches.WaitForCacheSync(ctx) {
		return false
	}
	c.synced.Store(true)
	return true
}

// servingCertificate returns the chain in certDir, leaf first, if it is valid now.
func (c *Checker) servingCertificate() ([]*x509.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(c.certDir, "tls.crt"), filepath.Join(c.certDir, "tls.key"))
	if err != nil {
		return nil, fmt.Errorf("load the serving certificate: %w", err)
	}
	chain := make([]*x509.Certificate, 0, len(pair.Certificate))
	for _, der := range pair.Certificate {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("parse the serving certificate: %w", err)
		}
		chain = append(chain, certificate)
	}
	switch leaf, now := chain[0], c.now(); {
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("the serving certificate is not valid before %s", leaf.NotBefore.Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("the serving certificate expired at %s", leaf.NotAfter.Format(time.RFC3339))
	}
	return chain, nil
}

// trusted verifies the chain as the API server will: against the CA bundle of each webhook, for the name of our Service.
func (c *Checker) trusted(ctx context.Context, chain []*x509.Certificate) error {
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{}
	switch err := c.cached.Get(ctx, client.ObjectKey{Name: WebhookConfigurationName}, configuration); {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no MutatingWebhookConfiguration %s, so the API server does not call the webhook", WebhookConfigurationName)
	case err != nil:
		return fmt.Errorf("read MutatingWebhookConfiguration %s: %w", WebhookConfigurationName, err)
	}
	return Trusted(chain, configuration, c.namespace, c.now())
}

// Trusted returns why a webhook of the configuration would not believe a server with the chain, leaf first, to be our Service
// in the namespace of the installation; nil means that each would.
func Trusted(chain []*x509.Certificate, configuration *admissionregistrationv1.MutatingWebhookConfiguration, namespace string, now time.Time) error {
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	for _, hook := range configuration.Webhooks {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(hook.ClientConfig.CABundle) {
			return fmt.Errorf("webhook %s of MutatingWebhookConfiguration %s has no CA yet: cert-manager's cainjector puts it there", hook.Name, WebhookConfigurationName)
		}
		_, err := chain[0].Verify(x509.VerifyOptions{
			DNSName:       ServiceName + "." + namespace + ".svc",
			Roots:         roots,
			Intermediates: intermediates,
			CurrentTime:   now,
		})
		if err != nil {
			return fmt.Errorf("webhook %s of MutatingWebhookConfiguration %s does not trust the serving certificate: %w", hook.Name, WebhookConfigurationName, err)
		}
	}
	return nil
}

// explained adds what cert-manager says of the certificate, where it says anything.
func (c *Checker) explained(ctx context.Context, err error) error {
	key := client.ObjectKey{Namespace: c.namespace, Name: CertificateName}
	certificate := &certmanagerv1.Certificate{}
	switch failure := c.live.Get(ctx, key, certificate); {
	case meta.IsNoMatchError(failure):
		return fmt.Errorf("%w; cert-manager is not installed", err)
	case apierrors.IsNotFound(failure):
		return fmt.Errorf("%w; there is no Certificate %s", err, key)
	case failure != nil:
		return err
	}
	for _, condition := range certificate.Status.Conditions {
		if condition.Type == certmanagerv1.CertificateConditionReady && condition.Status != cmmeta.ConditionTrue {
			return fmt.Errorf("%w; cert-manager says of Certificate %s: %s: %s", err, key, condition.Reason, condition.Message)
		}
	}
	return err
}

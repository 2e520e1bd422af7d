package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

const certManagerGroup = "cert-manager.io"

func certificateChecks() []Check {
	configuration := right{"list", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", certs.WebhookConfigurationName, everywhere}
	return []Check{
		{Name: "cert-manager", Needs: "cluster", Before: true, Ask: askCertManager},
		{
			Name: "certificate", Needs: "cert-manager", Ask: askCertificate,
			Reads: []right{{"get", certManagerGroup, "certificates", certs.CertificateName, install}},
		},
		{Name: "webhook-configuration", Needs: "cluster", Ask: askConfiguration, Reads: []right{configuration}},
		{
			Name: "certificate-chain", Needs: "certificate", Ask: askChain,
			Reads: []right{{"list", certManagerGroup, "certificaterequests", "", install}, configuration},
		},
	}
}

func askCertManager(_ context.Context, p *Patient) (Finding, error) {
	gvk, served := p.Installed.Served(schema.GroupKind{Group: certManagerGroup, Kind: "Certificate"})
	switch {
	case !served:
		return fails("Install cert-manager: https://cert-manager.io/docs/installation/", "cert-manager is not installed: nobody issues the certificate of the webhook"), nil
	case gvk.Version != "v1":
		return fails("Upgrade cert-manager to 1.0 or later.", "cert-manager serves Certificate %s, and v1 is needed", gvk.Version), nil
	}
	return well("Certificate %s is served", gvk.Version), nil
}

const describeCertificate = "See what cert-manager says: kubectl -n rook-clusterset describe certificate"

func askCertificate(ctx context.Context, p *Patient) (Finding, error) {
	certificate := &certmanagerv1.Certificate{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: installNamespace, Name: certs.CertificateName}, certificate)
	switch {
	case kinds.Absent(err):
		return fails("Install rook-clusterset again: kubectl apply -f manifests/install.yaml", "there is no Certificate %s/%s", installNamespace, certs.CertificateName), nil
	case err != nil:
		return Finding{}, fmt.Errorf("read Certificate %s: %w", certs.CertificateName, err)
	}
	return ofCertificate(certificate, p.Now), nil
}

// ofCertificate looks at the expiry first: one that expired is not Ready either, and that says less.
func ofCertificate(c *certmanagerv1.Certificate, now time.Time) Finding {
	expires := c.Status.NotAfter
	if expires != nil && now.After(expires.Time) {
		return fails(describeCertificate, "Certificate %s expired at %s", c.Name, expires.UTC().Format(time.RFC3339))
	}
	i := slices.IndexFunc(c.Status.Conditions, func(c certmanagerv1.CertificateCondition) bool {
		return c.Type == certmanagerv1.CertificateConditionReady
	})
	if i < 0 {
		return fails(describeCertificate, "cert-manager has not reported of Certificate %s yet", c.Name)
	}
	if ready := c.Status.Conditions[i]; ready.Status != cmmeta.ConditionTrue {
		return fails(describeCertificate, "Certificate %s is not Ready (%s: %s)", c.Name, ready.Reason, oneLine(ready.Message))
	}
	if renew := c.Status.RenewalTime; renew != nil && now.After(renew.Add(renewalGrace)) {
		return warns(describeCertificate, "Certificate %s was to be renewed at %s, and was not", c.Name, renew.UTC().Format(time.RFC3339))
	}
	if expires == nil {
		return well("Certificate %s is Ready", c.Name)
	}
	return well("Certificate %s is Ready until %s", c.Name, expires.UTC().Format(time.RFC3339))
}

// renewalGrace is the time in which cert-manager can be expected to renew.
const renewalGrace = time.Hour

// ourPaths are what the API server is to ask.
var ourPaths = []string{
	webhook.DeploymentPath, webhook.MonEndpointsPath, webhook.CephConfigPath, webhook.ActiveMonsPath,
	webhook.CSIConfigPath, webhook.CephConnectionPath, webhook.MonServicePath,
}

func askConfiguration(ctx context.Context, p *Patient) (Finding, error) {
	configuration, err := p.configuration(ctx)
	if err != nil {
		return Finding{}, err
	}
	if configuration == nil {
		return fails("Install rook-clusterset again: kubectl apply -f manifests/install.yaml",
			"MutatingWebhookConfiguration %s is not installed: what Rook writes is not corrected", certs.WebhookConfigurationName), nil
	}
	return ofConfiguration(configuration, p.Now), nil
}

// configuration lists rather than gets: that is what rook-clusterset itself may do.
func (p *Patient) configuration(ctx context.Context) (*admissionregistrationv1.MutatingWebhookConfiguration, error) {
	found := &admissionregistrationv1.MutatingWebhookConfigurationList{}
	if err := p.Client.List(ctx, found, client.MatchingFields{"metadata.name": certs.WebhookConfigurationName}); err != nil {
		return nil, fmt.Errorf("read MutatingWebhookConfiguration %s: %w", certs.WebhookConfigurationName, err)
	}
	if len(found.Items) == 0 {
		return nil, nil
	}
	return &found.Items[0], nil
}

func ofConfiguration(c *admissionregistrationv1.MutatingWebhookConfiguration, now time.Time) Finding {
	const reinstall = "Install rook-clusterset again: kubectl apply -f manifests/install.yaml"
	missing := slices.Clone(ourPaths)
	for _, hook := range c.Webhooks {
		if service := hook.ClientConfig.Service; service != nil && service.Path != nil {
			missing = slices.DeleteFunc(missing, func(path string) bool { return path == *service.Path })
		}
		cas := parse(hook.ClientConfig.CABundle)
		switch {
		case len(cas) == 0:
			return fails("See that cert-manager's cainjector runs: kubectl -n cert-manager get pods", "webhook %s has no CA: cert-manager's cainjector puts it there", hook.Name)
		case !slices.ContainsFunc(cas, func(ca *x509.Certificate) bool { return now.Before(ca.NotAfter) }):
			return fails(describeCertificate, "the CA of webhook %s expired at %s", hook.Name, cas[0].NotAfter.UTC().Format(time.RFC3339))
		case hook.FailurePolicy != nil && *hook.FailurePolicy == admissionregistrationv1.Ignore:
			return warns(reinstall, "webhook %s has the failure policy Ignore: a mon can be born at a wrong address while nobody answers", hook.Name)
		}
	}
	if len(missing) > 0 {
		return fails(reinstall, "no webhook asks for %s", missing[0]).with(missing)
	}
	return well("%d webhooks, each with a CA", len(c.Webhooks))
}

func parse(bundle []byte) []*x509.Certificate {
	var found []*x509.Certificate
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, certificate)
		}
	}
	return found
}

func askChain(ctx context.Context, p *Patient) (Finding, error) {
	requests := &certmanagerv1.CertificateRequestList{}
	if err := p.Client.List(ctx, requests, client.InNamespace(installNamespace)); err != nil {
		return Finding{}, fmt.Errorf("list the CertificateRequests: %w", err)
	}
	configuration, err := p.configuration(ctx)
	if err != nil {
		return Finding{}, err
	}
	chain := issued(requests.Items)
	if configuration == nil || len(chain) == 0 {
		return nothingThere("there is no webhook configuration, or no CertificateRequest that was answered"), nil
	}
	return ofChain(chain, configuration, p.Now), nil
}

// issued returns the chain that was issued last, leaf first. It stands in a CertificateRequest too, so that nobody has to read
// the Secret with the key.
func issued(requests []certmanagerv1.CertificateRequest) []*x509.Certificate {
	var last *certmanagerv1.CertificateRequest
	for i := range requests {
		r := &requests[i]
		owner := metav1.GetControllerOfNoCopy(r)
		ours := owner != nil && owner.Name == certs.CertificateName && len(r.Status.Certificate) > 0
		if ours && (last == nil || last.CreationTimestamp.Before(&r.CreationTimestamp)) {
			last = r
		}
	}
	if last == nil {
		return nil
	}
	return parse(last.Status.Certificate)
}

func ofChain(chain []*x509.Certificate, c *admissionregistrationv1.MutatingWebhookConfiguration, now time.Time) Finding {
	if err := certs.Trusted(chain, c, installNamespace, now); err != nil {
		return fails("See that cert-manager's cainjector runs: kubectl -n cert-manager get pods", "%s", oneLine(err.Error()))
	}
	return well("each webhook trusts the certificate that was issued last")
}

package controlplane

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// scraperAccount is the ServiceAccount that stands in for that of Prometheus.
const scraperAccount = "scraper"

// scraper returns a client that reads metrics as Prometheus does: with a token of a ServiceAccount that has the shipped role
// of a reader, and trusting the CA of the shipped Certificate.
func (p *Plane) scraper(ctx context.Context) (*http.Client, error) {
	reader, err := p.MetricsReader(ctx)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(&rest.Config{
		BearerToken: reader.Token, TLSClientConfig: rest.TLSClientConfig{CAData: reader.CA, ServerName: reader.ServerName},
	})
	if err != nil {
		return nil, fmt.Errorf("make the client of the metrics: %w", err)
	}
	return &http.Client{Transport: transport}, nil
}

// MetricsReader is what whoever reads metrics has to have.
type MetricsReader struct {
	Token      string
	CA         []byte
	ServerName string
}

// MetricsReader returns what a ServiceAccount with the shipped role reads metrics by.
func (p *Plane) MetricsReader(ctx context.Context) (MetricsReader, error) {
	p.scraping.Lock()
	defer p.scraping.Unlock()
	secret := &corev1.Secret{}
	if err := p.Client.Get(ctx, types.NamespacedName{Namespace: Namespace, Name: servingSecret}, secret); err != nil {
		return MetricsReader{}, fmt.Errorf("read the CA of the metrics: %w", err)
	}
	if p.scraperToken == "" {
		var err error
		if p.scraperToken, err = p.newScraper(ctx); err != nil {
			return MetricsReader{}, err
		}
	}
	return MetricsReader{Token: p.scraperToken, CA: secret.Data["ca.crt"], ServerName: "rook-clusterset-metrics." + Namespace + ".svc"}, nil
}

// newScraper makes the ServiceAccount and returns a token of it.
func (p *Plane) newScraper(ctx context.Context) (string, error) {
	meta := metav1.ObjectMeta{Namespace: Namespace, Name: scraperAccount}
	for _, o := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: meta},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: scraperAccount},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "rook-clusterset-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: Namespace, Name: scraperAccount}},
		},
	} {
		if err := client.IgnoreAlreadyExists(p.Client.Create(ctx, o)); err != nil {
			return "", fmt.Errorf("let metrics be read: %w", err)
		}
	}
	return p.token(ctx, Namespace, scraperAccount)
}

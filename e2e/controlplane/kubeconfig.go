package controlplane

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/rook-clusterset/rook-clusterset/e2e/credentials"
)

const tokenSeconds = int64(24 * 60 * 60)

// ServiceAccountKubeconfig writes a kubeconfig with a token of the ServiceAccount and returns its path. What uses it
// has no right but those of the ServiceAccount.
func (p *Plane) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	token, err := p.token(ctx, namespace, name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(p.dir, namespace+"-"+name+"-"+rand.Text()+".kubeconfig")
	config := &rest.Config{Host: p.Config.Host, TLSClientConfig: rest.TLSClientConfig{CAData: p.Config.CAData}, BearerToken: token}
	return path, credentials.WriteKubeconfig(path, config)
}

// token returns a token of the ServiceAccount.
func (p *Plane) token(ctx context.Context, namespace, name string) (string, error) {
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = namespace, name
	token := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(tokenSeconds)}}
	if err := p.Client.SubResource("token").Create(ctx, account, token); err != nil {
		return "", fmt.Errorf("ask for a token of ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return token.Status.Token, nil
}

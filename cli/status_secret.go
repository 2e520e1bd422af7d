package cli

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// addSecrets adds where the Secret that every daemon reads has the mons. Whoever may not read it is asked first, and does not try:
// an audit would tell of one who reaches for Secrets.
func addSecrets(ctx context.Context, c client.Client, rows []daemonStatus) {
	secrets := map[string]*corev1.Secret{}
	for i := range rows {
		row := &rows[i]
		secret, known := secrets[row.Namespace]
		if !known {
			secret = readSecret(ctx, c, row.Namespace)
			secrets[row.Namespace] = secret
		}
		if secret != nil && row.Type == string(rook.Mon) {
			row.Secret = rook.AddressText(rook.MonHosts(secret)[row.ID])
		}
	}
}

func readSecret(ctx context.Context, c client.Client, namespace string) *corev1.Secret {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Resource: "secrets", Namespace: namespace, Name: rook.ConfigSecretName},
	}}
	if err := c.Create(ctx, review); err != nil || !review.Status.Allowed {
		return nil
	}
	secret := &corev1.Secret{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: rook.ConfigSecretName}, secret); err != nil {
		return nil
	}
	return secret
}

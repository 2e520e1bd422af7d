package view

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Remembered returns what is known of the memory of Rook's operator, from the API server: Rook writes its list of mons, and
// milliseconds later what follows from it. Where the API server does not answer it is what was read last.
func (v *View) Remembered(ctx context.Context, namespace string) (rook.Remembered, error) {
	live, cancel := context.WithTimeout(ctx, latestTimeout)
	defer cancel()
	found, err := get(live, v.live, namespace, rook.RememberedName, "ConfigMap", &corev1.ConfigMap{})
	if err == nil {
		remembered := rook.ReadRemembered(found)
		v.remembered.Store(namespace, remembered)
		return remembered, nil
	}
	if last, ok := v.remembered.Load(namespace); ok {
		if remembered, ok := last.(rook.Remembered); ok {
			return remembered, nil
		}
	}
	return rook.Remembered{}, fmt.Errorf("read what Rook remembers: %w", err)
}

// Operator returns what the API server says of the Deployment of Rook's operator.
func (v *View) Operator(ctx context.Context, namespace string) (rook.Operator, error) {
	found, err := get(ctx, v.live, namespace, rook.OperatorName, "Deployment", &appsv1.Deployment{})
	if err != nil || found == nil {
		return rook.Operator{}, err
	}
	return rook.Operator{Known: true, Running: found.Status.ReadyReplicas > 0}, nil
}

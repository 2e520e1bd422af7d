package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

const (
	webhookName = "rook-clusterset-webhook." + controlplane.Namespace + ".svc"
	dialEvery   = 100 * time.Millisecond
	// settled is longer than a replica and the API server take to see a new certificate.
	settled = 5 * time.Second
)

// renew has cert-manager renew one Certificate after the other, as it does before they expire.
func renew(certificates ...string) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, counted *tally) error {
		dialling, end := context.WithCancel(ctx)
		var dialler sync.WaitGroup
		dialler.Go(func() { every(dialling, 0, dialEvery, func() { r.dialEach(dialling, counted) }) })
		defer dialler.Wait()
		defer end()
		for _, name := range certificates {
			if err := r.renewOne(ctx, name); err != nil {
				return fmt.Errorf("renew Certificate %s: %w", name, err)
			}
			if err := measure.Pause(ctx, settled); err != nil {
				return err
			}
		}
		return nil
	}
}

func (r *room) renewOne(ctx context.Context, name string) error {
	c := r.plane.Client
	key := client.ObjectKey{Namespace: controlplane.Namespace, Name: name}
	certificate := &unstructured.Unstructured{}
	certificate.SetAPIVersion("cert-manager.io/v1")
	certificate.SetKind("Certificate")
	if err := c.Get(ctx, key, certificate); err != nil {
		return err
	}
	secret := &corev1.Secret{}
	secretName, _, _ := unstructured.NestedString(certificate.Object, "spec", "secretName")
	secretKey := client.ObjectKey{Namespace: key.Namespace, Name: secretName}
	if err := c.Get(ctx, secretKey, secret); err != nil {
		return err
	}
	old := secret.Data[corev1.TLSCertKey]
	conditions, _, _ := unstructured.NestedSlice(certificate.Object, "status", "conditions")
	conditions = append(conditions, map[string]any{
		"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "renewed by hand",
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339), "observedGeneration": certificate.GetGeneration(),
	})
	if err := unstructured.SetNestedSlice(certificate.Object, conditions, "status", "conditions"); err != nil {
		return err
	}
	if err := c.Status().Update(ctx, certificate); err != nil {
		return err
	}
	return measure.Until(ctx, lookAtPods, func() (bool, error) {
		now := &corev1.Secret{}
		err := c.Get(ctx, secretKey, now)
		return err == nil && !bytes.Equal(now.Data[corev1.TLSCertKey], old), nil
	})
}

// dialEach makes a new connection to each replica, and trusts whom the API server would.
func (r *room) dialEach(ctx context.Context, counted *tally) {
	hook := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := r.plane.Client.Get(ctx, client.ObjectKey{Name: "rook-clusterset"}, hook); err != nil {
		return
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(hook.Webhooks[0].ClientConfig.CABundle)
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: webhookName}}
	for _, one := range r.pods.running() {
		conn, err := dialer.DialContext(ctx, "tcp", one.address())
		if ctx.Err() != nil {
			return
		}
		counted.dialled(err)
		if err == nil {
			_ = conn.Close()
		}
	}
}

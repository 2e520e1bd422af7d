package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// noop is a mutating webhook that allows everything: the server, the certificate and the way to it are as ours.
type noop struct{ calls atomic.Int64 }

const noopName = "bench-noop"

const noopManifests = `
apiVersion: v1
kind: Service
metadata: {name: bench-noop, namespace: rook-clusterset}
spec: {ports: [{port: 443}]}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: bench-noop, namespace: rook-clusterset}
spec:
  secretName: bench-noop
  dnsNames: [bench-noop.rook-clusterset.svc]
  privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}
  usages: [digital signature, server auth]
  issuerRef: {name: rook-clusterset-ca, kind: Issuer, group: cert-manager.io}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: bench-noop
  annotations: {cert-manager.io/inject-ca-from: rook-clusterset/bench-noop}
webhooks:
  - name: noop.rook-clusterset.io
    clientConfig: {service: {name: bench-noop, namespace: rook-clusterset, path: /noop, port: 443}}
    rules:
      - {apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE, UPDATE], scope: Namespaced}
    namespaceSelector: {matchLabels: {bench-noop: "true"}}
    objectSelector: {matchExpressions: [{key: app, operator: In, values: [rook-ceph-mon, rook-ceph-osd]}]}
    failurePolicy: Fail
    reinvocationPolicy: IfNeeded
    sideEffects: NoneOnDryRun
    timeoutSeconds: 30
    admissionReviewVersions: [v1]
`

// labels are those of a namespace that it is asked about.
func (*noop) labels() map[string]string { return map[string]string{noopName: "true"} }

// startNoop serves until the context ends.
func startNoop(ctx context.Context, w *world.World) (*noop, error) {
	if _, err := w.Plane.Kubectl(ctx, []byte(noopManifests), "apply", "-f", "-"); err != nil {
		return nil, err
	}
	certs, err := os.MkdirTemp("", noopName)
	if err != nil {
		return nil, fmt.Errorf("make a directory for a certificate: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = os.RemoveAll(certs) })
	if err := w.Plane.MountSecret(ctx, types.NamespacedName{Namespace: controlplane.Namespace, Name: noopName}, certs); err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	n := &noop{}
	server := webhook.NewServer(webhook.Options{Host: "127.0.0.1", Port: port, CertDir: certs})
	server.Register("/noop", &admission.Webhook{Handler: admission.HandlerFunc(
		func(context.Context, admission.Request) admission.Response {
			n.calls.Add(1)
			return admission.Allowed("")
		})})
	go func() {
		if err := server.Start(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "the webhook that does nothing ended:", err)
		}
	}()
	w.Plane.Route(types.NamespacedName{Namespace: controlplane.Namespace, Name: noopName}, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	return n, waitForCA(ctx, w.Plane.Client)
}

// waitForCA waits until cert-manager has noted the CA, and a moment more for the API server to see it.
func waitForCA(ctx context.Context, c client.Reader) error {
	return measure.Until(ctx, time.Second, func() (bool, error) {
		hook := &admissionregistrationv1.MutatingWebhookConfiguration{}
		if err := c.Get(ctx, client.ObjectKey{Name: noopName}, hook); err != nil {
			return false, fmt.Errorf("read the webhook configuration: %w", err)
		}
		if len(hook.Webhooks[0].ClientConfig.CABundle) == 0 {
			return false, nil
		}
		return true, measure.Pause(ctx, time.Second)
	})
}

func freePort(ctx context.Context) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

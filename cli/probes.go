package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// addProbes makes liveness a mere sign of life, so that a fault of the certificate is not answered by restarts; a metric tells
// beforehand when it expires.
func addProbes(ctx context.Context, mgr ctrl.Manager, installed *kinds.Watch, o *managerOptions) error {
	if _, err := mgr.GetCache().GetInformer(ctx, &admissionregistrationv1.MutatingWebhookConfiguration{}, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("watch the webhook configuration: %w", err)
	}
	checker := certs.NewChecker(mgr.GetCache(), mgr.GetAPIReader(), mgr.GetCache(), o.certDir, o.namespace)
	log := mgr.GetLogger().WithName("readiness")
	return errors.Join(
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("webhook", logged(log, "webhook", func(r *http.Request) error { return mgr.GetWebhookServer().StartedChecker()(r) })),
		mgr.AddReadyzCheck("kinds", logged(log, "kinds", installed.Ready)),
		mgr.AddReadyzCheck("certs", logged(log, "certs", checker.Check)),
		crmetrics.Registry.Register(certs.Expiry{CertDir: o.certDir}),
	)
}

// logged logs what a probe says whenever that changes: the answer to the kubelet withholds the reason.
func logged(log logr.Logger, name string, check healthz.Checker) healthz.Checker {
	var mu sync.Mutex
	last := "not asked yet"
	return func(r *http.Request) error {
		err := check(r)
		text := "ready"
		if err != nil {
			text = err.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		if text != last {
			log.Info("readiness changed", "check", name, "state", text)
			last = text
		}
		return err
	}
}

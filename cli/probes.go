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

	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// addProbes makes liveness a mere sign of life, so that a fault of the certificate is not answered by restarts.
func addProbes(ctx context.Context, mgr ctrl.Manager, installed *kinds.Watch, o *managerOptions) error {
	if _, err := mgr.GetCache().GetInformer(ctx, &admissionregistrationv1.MutatingWebhookConfiguration{}, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("watch the webhook configuration: %w", err)
	}
	checker := certs.NewChecker(mgr.GetCache(), mgr.GetAPIReader(), mgr.GetCache(), o.certDir, o.namespace)
	return errors.Join(
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("webhook", func(r *http.Request) error { return mgr.GetWebhookServer().StartedChecker()(r) }),
		mgr.AddReadyzCheck("kinds", installed.Ready),
		mgr.AddReadyzCheck("certs", logged(mgr.GetLogger().WithName("readiness"), checker.Check)),
	)
}

// logged logs what a probe says whenever that changes: the answer to the kubelet withholds the reason.
func logged(log logr.Logger, check healthz.Checker) healthz.Checker {
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
			log.Info("readiness changed", "state", text)
			last = text
		}
		return err
	}
}

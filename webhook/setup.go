// Package webhook admits what Rook writes: it gathers the facts from the caches, lets package rook decide, and turns the
// decision into an answer that carries its reason.
package webhook

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// The paths of the webhook configuration.
const (
	DeploymentPath     = "/mutate-deployment"
	MonEndpointsPath   = "/mutate-mon-endpoints"
	CephConfigPath     = "/mutate-ceph-config"
	ActiveMonsPath     = "/mutate-active-mons"
	CSIConfigPath      = "/mutate-csi-config"
	CephConnectionPath = "/mutate-ceph-connection"
	MonServicePath     = "/mutate-mon-service"
)

// Options bound what admission may cost.
type Options struct {
	// Hold is how long a request may wait for a global IP, and MaxHeld how many may at once, of all namespaces: no more than
	// a quarter of them in one.
	Hold    time.Duration
	MaxHeld int
	// ShutdownDelay is how long a manager that is asked to stop goes on answering, because API servers go on asking it
	// for a moment. Zero stands for DefaultShutdownDelay, a negative value for none.
	ShutdownDelay time.Duration
	// Reads are the kinds whose objects tell global IPs, or whether an address may be one.
	Reads []kinds.Kind
	// Clock is what a hold waits by; nil stands for the machine's.
	Clock clock.Clock
}

// Setup registers a handler for each path with the manager's webhook server. subscribe has a function called for each kind
// of others that is watched, now and later.
func Setup(mgr ctrl.Manager, view View, ensurer Ensurer, global GlobalRange, subscribe func(func(schema.GroupVersionKind)), opts Options) error {
	h, err := NewHandlers(view, ensurer, global, opts)
	if err != nil {
		return err
	}
	if err := listen(mgr, subscribe, h); err != nil {
		return err
	}
	if err := mgr.Add(drain{holds: h.holds, delay: opts.shutdownDelay()}); err != nil {
		return fmt.Errorf("add the end of all holds to the manager: %w", err)
	}
	bounds := newLimits(h.metrics)
	for path, handler := range h.byPath {
		mgr.GetWebhookServer().Register(path, h.holds.sayGoodbye(bounds.guard(handler.object(), withDeadline(&admission.Webhook{Handler: handler}))))
	}
	return nil
}

func newDeciders(view View, ensurer Ensurer, global GlobalRange, waiting *holds) map[string]decider {
	replacements := replacer{view: view}
	return map[string]decider{
		DeploymentPath:     newDeployments(view, ensurer, waiting),
		MonEndpointsPath:   &monEndpoints{view: view, ensurer: ensurer, holds: waiting},
		CephConfigPath:     newCephConfig(replacements, ensurer),
		ActiveMonsPath:     newActiveMons(replacements),
		CSIConfigPath:      newCSIConfig(replacements),
		CephConnectionPath: newCephConnection(replacements),
		MonServicePath:     &monServices{view: view, global: global},
	}
}

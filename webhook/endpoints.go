package webhook

import (
	"context"
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// monEndpoints corrects the ConfigMap from which Rook learns the address of each mon.
type monEndpoints struct {
	view    View
	ensurer Ensurer
	holds   *holds
}

func (*monEndpoints) object() string { return "mon-endpoints" }

func (*monEndpoints) mustRefuse(context.Context, admission.Request) bool { return false }

func (m *monEndpoints) decide(ctx context.Context, req admission.Request) (answer, error) {
	incoming := &corev1.ConfigMap{}
	if err := decode(req.Object, incoming); err != nil {
		return answer{}, fmt.Errorf("decode the ConfigMap: %w", err)
	}
	if incoming.Name != rook.MonEndpointsName {
		return answer{code: reason.AlreadyRight}, nil
	}
	operator, isRook := rook.OperatorNamespace(req.UserInfo.Username)
	stranger, err := isStranger(ctx, m.view, req)
	if err != nil {
		return answer{}, err
	}
	isRook = isRook && !stranger
	facts := rook.EndpointsFacts{New: incoming, ByHand: !isRook}
	if facts.Stored, err = m.stored(ctx, req); err != nil {
		return answer{}, err
	}

	var decision rook.EndpointsDecision
	held, err := m.holds.settle(ctx, place{namespace: req.Namespace, endpoints: true}, isDryRun(req), func() {}, func(giveUp reason.Code) (bool, error) {
		facts.GaveUp = giveUp
		if err := m.refresh(ctx, req.Namespace, &facts); err != nil {
			return false, err
		}
		decision = rook.DecideEndpoints(facts)
		return decision.Action == rook.Hold, nil
	})
	if err != nil {
		return answer{held: held}, err
	}
	a, err := m.carryOut(ctx, req, incoming, decision, held)
	if err != nil || a.refuse || facts.Aside != "" || isDryRun(req) {
		return a, err
	}
	t := told{newlyListed: decision.NewlyListed}
	if isRook {
		t.write = &rook.OperatorWrite{
			Operator: operator, Wrong: decision.Wrong,
			// Rook replaces the whole without having read it, where it writes what it remembers.
			FromMemory: req.Operation == admissionv1.Create || incoming.ResourceVersion == "",
		}
	}
	if a.fault = m.note(ctx, req, facts, t); a.fault != nil && len(decision.NewlyListed) > 0 {
		// Nobody would know that mon_host has to tell the mon before it is born.
		a.refuse, a.patch, a.code = true, nil, whyFaulty(a.fault)
		a.message = fmt.Sprintf("that a new mon is listed could not be noted (%v); Rook will retry", a.fault)
	}
	return a, nil
}

func (m *monEndpoints) stored(ctx context.Context, req admission.Request) (*corev1.ConfigMap, error) {
	if req.Operation == admissionv1.Update {
		stored := &corev1.ConfigMap{}
		if err := decode(req.OldObject, stored); err != nil {
			return nil, fmt.Errorf("decode the stored ConfigMap: %w", err)
		}
		return stored, nil
	}
	ctx, cancel := reading(ctx)
	defer cancel()
	stored, _, err := m.view.LatestMonEndpoints(ctx, req.Namespace)
	return stored, err
}

func (m *monEndpoints) refresh(ctx context.Context, namespace string, facts *rook.EndpointsFacts) error {
	ctx, cancel := reading(ctx)
	defer cancel()
	cluster, err := m.view.Cluster(ctx, namespace)
	if err != nil {
		return err
	}
	facts.Aside = ""
	if cluster != nil {
		facts.Aside = cluster.StandAside()
	}
	if facts.Mons, err = m.view.Mons(ctx, namespace); err != nil || facts.Aside != "" {
		return err
	}
	for _, id := range facts.Unsure() {
		latest, err := m.view.LatestDaemon(ctx, rook.Daemon{Type: rook.Mon, ID: id, Namespace: namespace})
		if err != nil {
			logf.FromContext(ctx).Error(err, "Deciding by the cache instead", "mon", id)
			continue
		}
		facts.Mons[id] = latest
	}
	return nil
}

func (m *monEndpoints) carryOut(ctx context.Context, req admission.Request, incoming *corev1.ConfigMap, decision rook.EndpointsDecision, held time.Duration) (answer, error) {
	a := answer{code: decision.Code, message: decision.Message, advice: decision.Advice, held: held}
	switch decision.Action {
	case rook.Refuse, rook.Hold:
		a.refuse = true
	case rook.StoreAndRefuse:
		// Refused even where storing fails: the write would make Rook wait for quorum at an address where no mon answers.
		a.refuse = true
		if !isDryRun(req) {
			a.fault = m.store(ctx, req.Namespace)
		}
		if a.fault != nil {
			a.code = whyFaulty(a.fault)
			a.message = fmt.Sprintf("the mon endpoints with the global IP of the first mon could not be stored (%v); Rook will retry", a.fault)
		}
	case rook.Allow, rook.Rewrite:
		if decision.Corrected != nil {
			var err error
			a.patch, err = objectPatch(incoming, decision.Corrected)
			return a, err
		}
	}
	return a, nil
}

// store has the first mon stored. Who asks may be anybody, so that nothing of the write is a part of it.
func (m *monEndpoints) store(ctx context.Context, namespace string) error {
	ctx, cancel := beforeBirth(ctx)
	defer cancel()
	cluster, err := m.view.Cluster(ctx, namespace)
	if err != nil {
		return err
	}
	if cluster == nil {
		return fmt.Errorf("there is no CephCluster in %s", namespace)
	}
	mons, err := m.view.Mons(ctx, namespace)
	if err != nil {
		return err
	}
	for id, mon := range mons {
		if mon.Deployed {
			continue
		}
		// It is to be born by this, and has no other chance.
		daemon := rook.Daemon{Type: rook.Mon, ID: id, Namespace: namespace}
		if mons[id], err = m.view.LatestDaemon(ctx, daemon); err != nil {
			return err
		}
		if err := mons[id].Untrue(daemon, mon); err != nil {
			return err
		}
	}
	return m.ensurer.StoreEndpoints(ctx, *cluster, mons)
}

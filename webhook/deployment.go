package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	// exportsAtOnce is how many OSDs of those that it holds a replica exports at the same time. Each takes a seat in the API server,
	// which has 66 for all replicas where it serves 600 requests at once: with every OSD that was held exported at the same moment
	// the others waited up to two seconds in its queue, the leader's reads for the mons among them.
	exportsAtOnce = 16
	// exportTurn is how long one waits for its turn to be exported. Without one it tries again at the next change.
	exportTurn = 5 * time.Second
)

// deployments gives the Deployments of mons and OSDs their global IP, and holds a new one until it is known.
type deployments struct {
	view      View
	ensurer   Ensurer
	holds     *holds
	exporting *semaphore.Weighted
}

func newDeployments(view View, ensurer Ensurer, waiting *holds) *deployments {
	return &deployments{view: view, ensurer: ensurer, holds: waiting, exporting: semaphore.NewWeighted(exportsAtOnce)}
}

func (*deployments) object() string { return "deployment" }

func (d *deployments) decide(ctx context.Context, req admission.Request) (answer, error) {
	incoming := &appsv1.Deployment{}
	if err := decode(req.Object, incoming); err != nil {
		return answer{}, fmt.Errorf("decode the Deployment: %w", err)
	}
	daemon, code := rook.IdentifyOurs(incoming)
	if code != "" {
		return answer{code: code}, nil
	}
	facts := rook.DeploymentFacts{Daemon: daemon, New: incoming}
	var err error
	if facts.Stored, err = d.stored(ctx, req); err != nil {
		return answer{}, err
	}
	if facts.Stranger, err = isStranger(ctx, d.view, req); err != nil {
		return answer{}, err
	}

	var decision rook.Decision
	var unexported error
	placed, ensured := false, false
	ensure := func() {
		// A failure is tried again at the next change, and reported if the address is not known in the end: until then the
		// exporter may have done it.
		if !ensured && facts.Cluster != nil && !facts.Export.Exists {
			ensured, unexported = d.ensure(ctx, daemon, *facts.Cluster)
		}
	}
	begin := func() {
		placed = true
		ensure()
	}
	held, err := d.holds.settle(ctx, place{namespace: req.Namespace}, isDryRun(req), begin, func(giveUp reason.Code) (bool, error) {
		facts.GaveUp = giveUp
		if err := d.refresh(ctx, daemon, &facts); err != nil {
			return false, err
		}
		decision = rook.DecideDeployment(facts)
		wait := decision.Action == rook.Hold
		switch {
		case facts.Export.Exists:
			unexported = nil
		case wait && placed:
			ensure()
		}
		return wait, nil
	})
	if err != nil {
		return answer{held: held}, err
	}
	a, err := carryOut(decision)
	a.held = held
	if a.refuse && unexported != nil {
		a.notExported(daemon, unexported)
	}
	return a, err
}

// ensure sees to it that a daemon is exported which Rook is about to write. That somebody asks for it is no sign of that:
// anybody who reaches the webhook can.
func (d *deployments) ensure(ctx context.Context, daemon rook.Daemon, cluster rook.Cluster) (bool, error) {
	// A mon waits for no OSD.
	if !daemon.Type.StandsInList() {
		leave, ok := acquire(ctx, d.exporting, 1, exportTurn)
		if !ok {
			return false, nil
		}
		defer leave()
	}
	reads, cancel := reading(ctx)
	defer cancel()
	expected, err := d.view.Expected(reads, daemon, cluster)
	if err != nil || !expected {
		return false, err
	}
	err = d.ensurer.EnsureExport(ctx, daemon, cluster)
	return err == nil, err
}

// stored returns the Deployment that the request is to replace, or nil for a truly new one. Rook creates first and
// updates what exists already, so that a creation of an object that exists has to be treated as the update it precedes.
func (d *deployments) stored(ctx context.Context, req admission.Request) (*appsv1.Deployment, error) {
	if req.Operation == admissionv1.Update {
		stored := &appsv1.Deployment{}
		if err := decode(req.OldObject, stored); err != nil {
			return nil, fmt.Errorf("decode the stored Deployment: %w", err)
		}
		return stored, nil
	}
	ctx, cancel := reading(ctx)
	defer cancel()
	cached, err := d.view.Deployment(ctx, req.Namespace, req.Name)
	kind, id, known := rook.ParseName(req.Name)
	if err != nil || cached == nil || !known {
		return cached, err
	}
	latest, err := d.view.LatestDaemon(ctx, rook.Daemon{Type: kind, ID: id, Namespace: req.Namespace})
	switch {
	case err == nil && !latest.Deployed:
		// It was deleted a moment ago: what is created in its stead is born.
		return nil, nil
	case err != nil && !kind.KeepsAddressForLife():
		// If it was, its export can be gone as well, and its address another's by now.
		return nil, err
	case err != nil:
		logf.FromContext(ctx).Error(err, "Taking the daemon for one that lives, as the cache has it")
	}
	return cached, nil
}

// refresh reads anew what can change while the request is held.
func (d *deployments) refresh(ctx context.Context, daemon rook.Daemon, facts *rook.DeploymentFacts) error {
	reads, cancel := reading(ctx)
	defer cancel()
	var err error
	if facts.Cluster, err = d.view.Cluster(reads, daemon.Namespace); err != nil {
		return err
	}
	if facts.Export, err = d.view.Export(reads, daemon.Namespace, daemon.Name()); err != nil {
		return err
	}
	switch {
	case !facts.Export.Ready():
		return nil
	case facts.Stored != nil:
		return d.addFollowed(reads, daemon, facts)
	}
	return d.addLatest(ctx, daemon, facts)
}

// addLatest adds what the API server itself says of a daemon that is about to be born.
func (d *deployments) addLatest(ctx context.Context, daemon rook.Daemon, facts *rook.DeploymentFacts) error {
	ctx, cancel := beforeBirth(ctx)
	defer cancel()
	// A mon has this one chance, and an OSD would live at another's address until Rook writes it again: of an export that was
	// made anew a moment ago the cache has the lost address.
	latest, err := d.view.LatestDaemon(ctx, daemon)
	if err != nil {
		return err
	}
	if facts.Export = latest.Export; !facts.Export.Ready() {
		return nil
	}
	claims, err := d.view.Claims(ctx, facts.Export.GlobalIP)
	if err != nil {
		return err
	}
	facts.HeldBy = rook.HolderAtBirth(daemon, claims)
	if daemon.Type.StandsInList() {
		return d.addListed(ctx, daemon, facts)
	}
	return nil
}

// addFollowed adds who has the address that a daemon which lives elsewhere is about to follow its export to.
func (d *deployments) addFollowed(ctx context.Context, daemon rook.Daemon, facts *rook.DeploymentFacts) error {
	if at, _ := rook.Address(facts.Stored); daemon.Type.KeepsAddressForLife() || at == facts.Export.GlobalIP {
		return nil
	}
	claims, err := d.view.Claims(ctx, facts.Export.GlobalIP)
	facts.HeldBy = rook.HolderAtMove(daemon, claims)
	return err
}

// addListed adds where the stored mon endpoints have the mon, whether mon_host has told that, and which other one they have at
// its address. Rook wrote them milliseconds before the mon, so that what a cache has of them is not enough for a mon to be born by.
func (d *deployments) addListed(ctx context.Context, mon rook.Daemon, facts *rook.DeploymentFacts) error {
	endpoints, latest, err := d.view.LatestMonEndpoints(ctx, mon.Namespace)
	if err == nil && !latest {
		err = fmt.Errorf("the API server does not say what ConfigMap %s/%s holds", mon.Namespace, rook.MonEndpointsName)
	}
	if err != nil {
		return err
	}
	remembered, err := d.view.Remembered(ctx, mon.Namespace)
	facts.Listed, facts.MonHostBehind = rook.Listed(endpoints)[mon.ID], remembered.IsBehind(mon.ID)
	if other := rook.ListedAt(endpoints, facts.Export.GlobalIP, mon.ID); other != "" && facts.HeldBy == "" {
		facts.HeldBy = fmt.Sprintf("mon %q in Rook's list", other)
	}
	return err
}

func carryOut(decision rook.Decision) (answer, error) {
	a := answer{code: decision.Code, message: decision.Message}
	var err error
	switch decision.Action {
	case rook.Rewrite:
		a.patch, err = json.Marshal(decision.Changes.Operations())
	case rook.Refuse, rook.Hold, rook.StoreAndRefuse:
		a.refuse = true
	case rook.Allow:
	}
	return a, err
}

// notExported makes the refusal name what kept the daemon from being exported, rather than the want that came of it.
func (a *answer) notExported(daemon rook.Daemon, why error) {
	a.message = fmt.Sprintf("%s could not be exported: %v; Rook will retry", daemon, why)
	if known, ok := errors.AsType[*reason.Error](why); ok {
		a.code = known.Code
		return
	}
	a.code, a.fault = whyFaulty(why), why
}

// mustRefuse holds for a daemon that is about to be born, as far as the name says: the rest may be what cannot be read.
func (d *deployments) mustRefuse(ctx context.Context, req admission.Request) bool {
	if _, _, daemon := rook.ParseName(req.Name); !daemon || req.Operation != admissionv1.Create {
		return false
	}
	stored, err := d.stored(ctx, req)
	return err != nil || stored == nil
}

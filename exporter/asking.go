package exporter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// earlyFor is how long nothing is said of the want of an answer. The sources are read from caches of which one is a moment
// behind another, so that a healthy export can be Valid while its address has not been seen yet.
const earlyFor = 3 * time.Second

// place is what is known of this cluster's place in the clusterset, or why it cannot be read: then no answer is believed.
type place struct {
	resolver.Membership
	unreadable error
}

func (t turn) place(ctx context.Context) place {
	membership, err := t.sources.Membership(ctx)
	if err != nil {
		logf.FromContext(ctx).Error(err, "The range of global IPs cannot be read")
	}
	return place{membership, err}
}

// placeNotes says what is odd about this cluster's place in the clusterset, though its daemons are served.
func (t turn) placeNotes(subject string, in place) []note {
	var notes []note
	for code, details := range map[reason.Code][]string{
		reason.PeerCIDROverlaps: in.Overlaps(),
		reason.SourceLeftOut:    t.unreadable(),
	} {
		if len(details) > 0 {
			notes = append(notes, note{code: code, warning: true, subject: subject, detail: strings.Join(details, "; ")})
		}
	}
	return notes
}

// answer asks for the global IP of the daemon where that may be done now; otherwise it returns nil.
func (t turn) answer(ctx context.Context, f facts, in place) (*resolution, error) {
	name := f.daemon.Name()
	q, open := f.question()
	if !open {
		t.memory.Answered(name)
		t.memory.Settle(name, "")
		return nil, nil
	}
	q.signature = fmt.Sprintf("%s %d", q.signature, t.changes.About(f.daemon.Namespace, name))
	// A DNS record cannot be watched, so that one is asked for again only once what it rests on is another.
	settled := f.export.GlobalIP.IsValid() && f.export.Source == resolver.SourceDNS && t.memory.IsSettled(name, q.signature)
	if settled || !t.memory.Due(name, q.signature, f.now) {
		return nil, nil
	}
	answer, refusal := t.ask(ctx, f.daemon, q, in)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask for the global IP of %s/%s: %w", f.daemon.Namespace, name, err)
	}
	taken := false
	if refusal == nil && !f.export.Pinned {
		var err error
		if refusal, taken, err = t.settle(ctx, f, answer, in); err != nil {
			return nil, err
		}
	}
	t.metrics.resolved(answer.Source, refusal)
	if refusal == nil {
		t.memory.Answered(name)
		if answer.Source == resolver.SourceDNS {
			t.memory.Settle(name, q.signature)
		}
		return &resolution{answer: answer}, nil
	}
	since := t.memory.Failed(name, q.signature, f.now, isDoubt(refusal.Code))
	return &resolution{refusal: refusal, taken: taken, early: f.now.Sub(since) < earlyFor}, nil
}

// isBeingGiven says whether Globalnet is about to give the Service an address, by the API server's word: a Service that is written
// meanwhile can be given a second one.
func (t turn) isBeingGiven(ctx context.Context, f facts) bool {
	address, err := t.sources.Allocated(ctx, resolver.Request{Namespace: f.daemon.Namespace, Name: f.daemon.Name(), Latest: true})
	if refusal, ok := errors.AsType[*reason.Error](err); ok && refusal.Code == reason.NoAnswer {
		return false
	}
	return err != nil || address != f.export.GlobalIP
}

func (t turn) ask(ctx context.Context, daemon rook.Daemon, q question, in place) (resolver.Answer, *reason.Error) {
	var answer resolver.Answer
	err := in.unreadable
	if err == nil {
		request := resolver.Request{Namespace: daemon.Namespace, Name: daemon.Name(), ClusterIPs: q.clusterIPs, Known: q.known, ForLife: q.forLife}
		answer, err = t.sources.Resolve(ctx, request, in.Membership)
	}
	if err == nil {
		return answer, nil
	}
	if refusal, ok := errors.AsType[*reason.Error](err); ok {
		return answer, refusal
	}
	return answer, reason.Errorf(reason.SourceUnreadable, "%v", err)
}

// settle returns why the answer cannot be taken: another daemon, in whichever namespace, holds the address. taken says that
// it lives there.
func (t turn) settle(ctx context.Context, f facts, answer resolver.Answer, in place) (refusal *reason.Error, taken bool, err error) {
	cached, err := t.view.Claims(ctx, answer.IP)
	if err != nil {
		return nil, false, err
	}
	own := nameOf(f.daemon)
	holds := t.claims.settle(own, gift{answer.IP, f.export.UID}, cached, func(other types.NamespacedName) bool {
		return t.isLeaving(ctx, other, answer.IP, in, map[types.NamespacedName]bool{own: true})
	})
	if holds == own {
		return nil, false, nil
	}
	taken = slices.ContainsFunc(cached, func(c rook.Claim) bool { return c.Daemon == holds && (c.Advertised || c.Pinned) })
	return reason.Errorf(reason.UsedByAnother, "%s says %s, which is that of %s", answer.Source, answer.IP, holds), taken, nil
}

// isLeaving says whether the sources give another daemon another address than the one that it has, to which it can go: a
// living daemon that stays there, and a mon always does, keeps it where it is. Those that were asked about already are taken
// for leaving, for the addresses of two can have been swapped.
func (t turn) isLeaving(ctx context.Context, other types.NamespacedName, has netip.Addr, in place, asked map[types.NamespacedName]bool) bool {
	kind, id, ok := rook.ParseName(other.Name)
	if !ok {
		return false
	}
	if asked[other] {
		return true
	}
	asked[other] = true
	f, err := t.gather(ctx, rook.Daemon{Type: kind, ID: id, Namespace: other.Namespace})
	if err != nil || f.deployment == nil {
		// One that is to be born loses the address in its own turn. Before that it can be born with it.
		return false
	}
	q, open := f.question()
	if !open {
		return false
	}
	answer, refusal := t.ask(ctx, f.daemon, q, in)
	if refusal != nil || answer.IP == has {
		return false
	}
	there, err := t.view.Claims(ctx, answer.IP)
	return err == nil && !slices.ContainsFunc(there, func(c rook.Claim) bool {
		return c.Daemon != other && (c.StaysForLife() || c.Advertised && !t.isLeaving(ctx, c.Daemon, answer.IP, in, asked))
	})
}

func nameOf(daemon rook.Daemon) types.NamespacedName {
	return types.NamespacedName{Namespace: daemon.Namespace, Name: daemon.Name()}
}

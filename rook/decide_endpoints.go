package rook

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// EndpointsFacts is what a decision on a write of the mon endpoints rests on.
type EndpointsFacts struct {
	New *corev1.ConfigMap
	// Stored is what New replaces, also where Rook creates what exists already; nil if there is none.
	Stored *corev1.ConfigMap
	// Mons is what is known of each mon, by its ID.
	Mons map[string]DaemonFacts
	// Aside is why the cluster is left alone; it is empty for one that is served.
	Aside reason.Code
	// GaveUp is why waiting must end now; it is empty while waiting is still allowed.
	GaveUp reason.Code
	// ByHand says that the writer is not Rook: whoever that is has to be told what becomes of the write.
	ByHand bool
}

// EndpointsDecision is what is to be done with a write of the mon endpoints.
type EndpointsDecision struct {
	Decision
	// Corrected is the write put right: what to answer with. It is nil if nothing has to be corrected, and with StoreAndRefuse:
	// what is stored then is not of the write (see FirstEndpoints).
	Corrected *corev1.ConfigMap
	// Wrong are the entries that were corrected, as they were written.
	Wrong []Endpoint
	// Advice is what the writer can do instead; it is empty for Rook, and where nothing was corrected.
	Advice string
	// NewlyListed are the entries of mons to be born that are stored by this write and were not before: mon_host has to tell them
	// before these are born.
	NewlyListed []Endpoint
	// Waiting holds the IDs of the mons whose address is awaited.
	Waiting []string
}

// DecideEndpoints decides on a write of the mon endpoints, by the table at standing. What is held or refused is only a
// write that brings in a new mon at another address than it will answer at: Rook fails fast there, and anywhere else it
// must never fail.
func DecideEndpoints(f EndpointsFacts) EndpointsDecision {
	if f.Aside != "" {
		return EndpointsDecision{Decision: allow(f.Aside)}
	}
	rows := f.table()
	reached := slices.ContainsFunc(rows, func(r row) bool { return r.standing.isReached() })
	births := f.births(rows, reached)
	if d, waiting := f.awaited(births); len(waiting) > 0 {
		return EndpointsDecision{Decision: d, Waiting: waiting}
	}
	c := f.correct(rows)
	switch {
	case len(births) > 0 && !reached:
		return f.storeAndRefuse(births[0])
	case c.object == nil:
		return EndpointsDecision{Decision: c.annotate(allow(reason.AlreadyRight)), NewlyListed: f.newlyListed(rows)}
	}
	d := EndpointsDecision{
		Decision:  c.annotate(Decision{Action: Rewrite, Code: reason.EndpointsCorrected}),
		Corrected: c.object,
		Wrong:     c.wrong,

		NewlyListed: f.newlyListed(rows),
	}
	if f.ByHand {
		f.tellWriter(&d)
	}
	return d
}

// awaited returns the mons to be born whose address is not known, and what to do for want of it.
func (f EndpointsFacts) awaited(births []row) (Decision, []string) {
	births = slices.DeleteFunc(slices.Clone(births), func(r row) bool { return r.standing != awaited })
	if len(births) == 0 {
		return Decision{}, nil
	}
	var waiting []string
	for _, r := range births {
		waiting = append(waiting, r.ID)
	}
	first := Daemon{Type: Mon, ID: births[0].ID, Namespace: f.New.Namespace}
	obstacle := f.Mons[first.ID].obstacle(first)
	if same := births[0].sameAs; same != "" {
		obstacle = heldBy(births[0].truth, fmt.Sprintf("mon %q in this list", same))
	}
	return holdOrRefuse(first, reason.EndpointUnknown, obstacle, f.GaveUp), waiting
}

// correction is a write of the mon endpoints put right.
type correction struct {
	// object is nil if nothing had to be put right.
	object *corev1.ConfigMap
	// wrong holds the entries that were, as Rook wrote them.
	wrong []Endpoint
	// malformed is what could not be understood, and so was left as it is.
	malformed []string
}

func (f EndpointsFacts) correct(rows []row) correction {
	truth := map[string]netip.Addr{}
	for _, r := range rows {
		if r.standing.isCorrected() {
			truth[r.ID] = r.truth
		}
	}
	var c correction
	for _, r := range rows {
		if r.standing == malformed {
			c.noteMalformed(fmt.Errorf("mon endpoint %q has an ID that Rook gives to no mon, and that %s does not list", r.Endpoint, EndpointsExternalMons))
		}
	}
	data, wrong, err := CorrectEndpoints(f.New.Data[EndpointsDataKey], truth)
	c.noteMalformed(err)
	c.wrong = wrong

	// The same memory of Rook is in both keys, so that here it is surer than what the Services have by now.
	r := ReplacementsFor(f.Mons, nil, nil)
	right := truths(f.Mons)
	for _, e := range wrong {
		r[e.Addr.Addr()] = truth[e.ID]
		delete(right, truth[e.ID])
	}
	csi, csiWrong, err := CorrectCSIConfig(f.New.Data[EndpointsCSIKey], r.without(right))
	c.noteMalformed(err)

	if len(wrong) > 0 || csiWrong {
		c.object = f.New.DeepCopy()
	}
	if len(wrong) > 0 {
		c.object.Data[EndpointsDataKey] = data
	}
	if csiWrong {
		c.object.Data[EndpointsCSIKey] = csi
	}
	return c
}

func (c *correction) noteMalformed(err error) {
	if err != nil {
		c.malformed = append(c.malformed, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// annotate lets what was not understood stand in the place of what was, for it is what someone has to look at.
func (c *correction) annotate(d Decision) Decision {
	if len(c.malformed) > 0 {
		d.Code = reason.MalformedEndpoints
		d.Message = reason.Shorten(strings.Join(c.malformed, "; "), mostDetail)
	}
	return d
}

// storeAndRefuse is for a write after which Rook would know no mon by the address at which it answers: it would wait for
// quorum for 20 minutes. Refused, Rook fails at once, and reads at its next try what was stored meanwhile.
func (f EndpointsFacts) storeAndRefuse(first row) EndpointsDecision {
	return EndpointsDecision{
		Decision: Decision{
			Action: StoreAndRefuse,
			Code:   reason.FirstMonStored,
			Message: fmt.Sprintf("ConfigMap %s/%s %s (mon %q at %s)",
				f.New.Namespace, f.New.Name, reason.FirstMonStored.Sentence(), first.ID, first.truth),
		},
	}
}

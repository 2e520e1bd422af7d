package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// faults lets one fault after the other happen in one room.
func (r *run) faults(ctx context.Context) error {
	title := fmt.Sprintf("Faults, under %d updates and a birth in a second", r.rate)
	return r.suffer(ctx, title, false, slices.Concat(ofReplicas(), ofThePlane(), ofSources(), ofClients()))
}

// dns lets the faults of DNS happen where nothing else tells global IPs.
func (r *run) dns(ctx context.Context) error {
	return r.suffer(ctx, "Faults of DNS where it is the only source, under the same load", true, ofDNS())
}

func (r *run) suffer(ctx context.Context, title string, onlyDNS bool, faults []fault) (err error) {
	place, err := newRoom(ctx, r.rate, onlyDNS)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.stop()) }()
	var outcomes []outcome
	for _, f := range faults {
		if r.Short && f.long || !r.wanted(f.what) {
			continue
		}
		o, err := place.suffer(ctx, f)
		if err != nil {
			return err
		}
		// For who watches, or will not wait for the end.
		fmt.Fprintln(r.Out, strings.Join(o.row(), " | "), o.first)
		outcomes = append(outcomes, o)
	}
	report(&r.Report, title, outcomes)
	for _, o := range outcomes {
		if o.undisturbed {
			r.Verdict(o.admitted >= float64(r.rate), fmt.Sprintf("with nothing wrong there are as many admissions as are asked for: %.0f of %d in a second", o.admitted, r.rate))
		}
	}
	return place.reportFlow(ctx, &r.Report, "under faults")
}

// wanted says whether the fault or attack is one of those that were asked for.
func (r *run) wanted(what string) bool {
	return r.fault == "" || slices.ContainsFunc(strings.Split(r.fault, ","), func(part string) bool { return strings.Contains(what, part) })
}

package main

import (
	"context"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// ofSources are the faults of the MCS implementation.
func ofSources() []fault {
	return []fault{
		{what: "every export is Valid and not Valid in turns of a second", inject: flap(10 * time.Second), waits: true, long: true},
		{what: "Globalnet is away for 10 s, and then Lighthouse", inject: restartSubmariner, waits: true, long: true},
	}
}

// flap lets the exports of all OSDs that are there lose Valid and have it again.
func flap(during time.Duration) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, _ *tally) error {
		set := func(f mcsstandin.Fault) {
			for id := range int(r.traffic.born.Load()) {
				r.world.MCS.SetFault(r.traffic.ceph.Namespace, measure.OSDName(id), f)
			}
		}
		for end := time.Now().Add(during); time.Now().Before(end); {
			for _, f := range []mcsstandin.Fault{{NeverValid: &mcsstandin.AwaitingExport}, {}} {
				set(f)
				if err := measure.Pause(ctx, time.Second); err != nil {
					return err
				}
			}
		}
		set(mcsstandin.Fault{})
		return nil
	}
}

func restartSubmariner(ctx context.Context, r *room, _ *tally) error {
	const away = 10 * time.Second
	r.world.MCS.RestartGlobalnet(away)
	if err := measure.Pause(ctx, away); err != nil {
		return err
	}
	r.world.MCS.RestartLighthouse(away)
	return measure.Pause(ctx, away)
}

// ofDNS are the faults of DNS, where it is the only source. Who is born meanwhile waits for its address, or is refused.
func ofDNS() []fault {
	return []fault{
		{what: "DNS does not answer", inject: breakDNS(mcsstandin.DNSSilent, 10*time.Second), waits: true},
		{what: "DNS answers SERVFAIL", inject: breakDNS(mcsstandin.DNSServerFailure, 5*time.Second), waits: true, long: true},
		{what: "DNS answers after half a second", inject: breakDNS(mcsstandin.DNSSlow, 5*time.Second)},
		{what: "DNS answers over TCP only", inject: breakDNS(mcsstandin.DNSTruncated, 5*time.Second)},
		{what: "DNS has the address of another daemon for every name", inject: breakDNS(mcsstandin.DNSLying, 10*time.Second), waits: true},
	}
}

func breakDNS(f mcsstandin.DNSFault, during time.Duration) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, _ *tally) error {
		r.world.MCS.SetDNSFault(f)
		defer r.world.MCS.SetDNSFault(mcsstandin.DNSHealthy)
		return measure.Pause(ctx, during)
	}
}

// removeSources removes the kinds whose objects tell global IPs, and returns once they are gone.
func removeSources(ctx context.Context, c client.Client) error {
	for _, name := range []string{"globalingressips.submariner.io", "serviceimports.multicluster.x-k8s.io"} {
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
		err := measure.Until(ctx, lookAtPods, func() (bool, error) {
			err := c.Delete(ctx, crd)
			return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
		})
		if err != nil {
			return fmt.Errorf("remove kind %s: %w", name, err)
		}
	}
	return nil
}

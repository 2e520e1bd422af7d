package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
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

// sources are the kinds whose objects tell global IPs.
var sources = []string{"globalingressips.submariner.io"}

// withoutSources installs ServiceExports, and no kind whose objects tell a global IP.
func withoutSources(p *controlplane.Plane) error {
	crds, err := mcsstandin.MCSCRDs(mcsstandin.V1Beta1)
	if err != nil {
		return err
	}
	crds = slices.DeleteFunc(crds, func(crd *apiextensionsv1.CustomResourceDefinition) bool {
		return crd.Spec.Names.Kind != "ServiceExport"
	})
	if _, err := envtest.InstallCRDs(p.Config, envtest.CRDInstallOptions{CRDs: crds}); err != nil {
		return fmt.Errorf("install ServiceExport: %w", err)
	}
	if err := mcsstandin.InstallSubmariner(p.Config); err != nil {
		return err
	}
	for _, name := range sources {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		crd.Name = name
		if err := p.Client.Delete(context.Background(), crd, client.PropagationPolicy("Foreground")); err != nil {
			return fmt.Errorf("remove kind %s: %w", name, err)
		}
	}
	return nil
}

// askDNS are the flags of replicas that ask the stand-in's DNS, and hold a birth for less long than by default.
func askDNS(mcs *mcsstandin.Standin) []string {
	return []string{"--dns-server=" + mcs.DNSAddr(), "--hold=15s"}
}

package view

import (
	"context"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Claims returns who has the address, in whichever namespace is switched on: those whose export has it, and those that live
// there.
func (v *View) Claims(ctx context.Context, address netip.Addr) ([]rook.Claim, error) {
	return v.claims(ctx, address, v.EnabledByCache)
}

// ClaimsAnywhere returns those who live at the address in namespaces that are switched off as well: before an address is freed,
// every daemon counts that may be there.
func (v *View) ClaimsAnywhere(ctx context.Context, address netip.Addr) ([]rook.Claim, error) {
	return v.claims(ctx, address, func(context.Context, string) (bool, error) { return true, nil })
}

// counting says whether the daemons of a namespace count.
type counting func(ctx context.Context, namespace string) (bool, error)

func (v *View) claims(ctx context.Context, address netip.Addr, counts counting) ([]rook.Claim, error) {
	at := client.MatchingFields{addressIndex: address.String()}
	exports, err := v.kinds.List(ctx, kinds.ServiceExport, at)
	if err != nil {
		return nil, err
	}
	deployments, err := v.deployments(ctx, at)
	if err != nil {
		return nil, err
	}
	var claims []rook.Claim
	for i := range exports {
		claim, err := v.claimOf(ctx, &exports[i], address)
		if err != nil {
			return nil, err
		}
		if claim.Exported {
			claims = append(claims, claim)
		}
	}
	for i := range deployments {
		daemon := client.ObjectKeyFromObject(&deployments[i])
		if enabled, err := counts(ctx, daemon.Namespace); err != nil || !enabled {
			if err != nil {
				return nil, err
			}
			continue
		}
		known := slices.IndexFunc(claims, func(c rook.Claim) bool { return c.Daemon == daemon })
		if known < 0 {
			known, claims = len(claims), append(claims, rook.Claim{Daemon: daemon})
		}
		claims[known].Advertised = true
	}
	return v.addSleeping(ctx, claims, address, counts)
}

// addSleeping adds the mon that was put to sleep, has lost its export with its pin, and is listed at the address.
func (v *View) addSleeping(ctx context.Context, claims []rook.Claim, address netip.Addr, counts counting) ([]rook.Claim, error) {
	sleeping, err := v.deployments(ctx, client.MatchingFields{addressIndex: asleep})
	if err != nil {
		return nil, err
	}
	for i := range sleeping {
		key := client.ObjectKeyFromObject(&sleeping[i])
		kind, id, _ := rook.ParseName(key.Name)
		if !kind.StandsInList() || slices.ContainsFunc(claims, func(c rook.Claim) bool { return c.Daemon == key }) {
			continue
		}
		enabled, err := counts(ctx, key.Namespace)
		if err != nil {
			return nil, err
		}
		endpoints, err := v.MonEndpoints(ctx, key.Namespace)
		if err != nil {
			return nil, err
		}
		if enabled && rook.Listed(endpoints)[id] == address {
			claims = append(claims, rook.Claim{Daemon: key, Advertised: true})
		}
	}
	return claims, nil
}

// claimOf returns the claim of an export to the address that it has. Anybody can make an export somewhere: it counts where the
// namespace is switched on, for a daemon's name, and where there is the CephCluster or the daemon itself. That it is pinned
// counts while the daemon lives, and says nothing else.
func (v *View) claimOf(ctx context.Context, object *unstructured.Unstructured, address netip.Addr) (rook.Claim, error) {
	export, key := readExport(object), client.ObjectKeyFromObject(object)
	if _, _, isDaemons := rook.ParseName(key.Name); !export.Ours || !isDaemons {
		return rook.Claim{}, nil
	}
	if enabled, err := v.EnabledByCache(ctx, key.Namespace); err != nil || !enabled {
		return rook.Claim{}, err
	}
	deployment, err := v.Deployment(ctx, key.Namespace, key.Name)
	if err != nil {
		return rook.Claim{}, err
	}
	claim := rook.Claim{Daemon: key, Exported: true}
	if deployment != nil {
		if _, code := rook.Identify(deployment); code == "" {
			at, told := rook.Address(deployment)
			claim.Pinned = export.Pinned && (!told || at == address)
			return claim, nil
		}
	}
	cluster, err := v.served(ctx, v.kinds, key.Namespace)
	if err != nil || cluster == nil {
		return rook.Claim{}, err
	}
	return claim, nil
}

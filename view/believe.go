package view

import (
	"context"
	"net/netip"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Noted is an address that the export of a daemon has. Its annotations are a cache, and whoever may write the export can set
// them, so that they are asked about before a daemon advertises what they say.
type Noted struct {
	Namespace, Name string
	Address         netip.Addr
	// Source is where it was found.
	Source string
	// ClusterIPs are those of the daemon's Service.
	ClusterIPs []netip.Addr
	// ForLife says that the daemon can never change the address.
	ForLife bool
	// Lived says that the daemon lived at the address: what the sources answer by now is not asked.
	Lived bool
	// Latest says that the daemon is about to be born: what the sources answer is read from the API server itself.
	Latest bool
	// Unborn says that the address is pinned for a daemon that never lived there: somebody has to answer so.
	Unborn bool
}

// ExpectDoubts has the view ask what speaks against an address that is noted, before it is used; nil is nothing.
func (v *View) ExpectDoubts(doubts func(context.Context, Noted) *reason.Error) { v.doubts = doubts }

// believe takes an address that is in doubt from what is known of the export of a daemon, and says why there. A daemon that
// lives at the address needs no second look. With latest nothing rests on a cache.
func (v *View) believe(ctx context.Context, facts *rook.DaemonFacts, latest bool) error {
	export, daemon := &facts.Export, facts.Daemon
	if v.doubts == nil || !export.Ready() || facts.Deployed && facts.Address == export.GlobalIP {
		return nil
	}
	noted := Noted{
		Namespace: daemon.Namespace, Name: daemon.Name(), Address: export.GlobalIP, Source: export.Source, ClusterIPs: facts.ClusterIPs,
		ForLife: daemon.Type.KeepsAddressForLife(), Lived: export.Pinned && facts.Deployed && !facts.Address.IsValid(),
		Latest: latest && daemon.Type.KeepsAddressForLife(),
	}
	hearsay := false
	if export.Pinned && !facts.Deployed && daemon.Type.StandsInList() {
		list := v.MonEndpoints
		if latest {
			list = v.onlyLatestMonEndpoints
		}
		endpoints, err := list(ctx, daemon.Namespace)
		if err != nil {
			return err
		}
		listed := rook.Listed(endpoints)[daemon.ID] == export.GlobalIP
		hearsay = listed && export.IsHearsay()
		noted.Lived = listed && !hearsay
	}
	noted.Unborn = export.Pinned && !noted.Lived && !hearsay
	if doubt := v.doubts(ctx, noted); doubt != nil {
		export.GlobalIP, export.Source = netip.Addr{}, ""
		export.Refused, export.RefusedDetail = doubt.Code, doubt.Detail
	}
	return nil
}

// one joins what the objects of one daemon say; those that are not there are nil.
func one(namespace, name string, export rook.Export, service *corev1.Service, deployment *appsv1.Deployment) rook.DaemonFacts {
	exports := map[string]rook.Export{}
	if export.Exists {
		exports[name] = export
	}
	var services []corev1.Service
	if service != nil && isDaemonService(service) {
		services = []corev1.Service{*service}
	}
	var deployments []appsv1.Deployment
	if deployment != nil {
		deployments = []appsv1.Deployment{*deployment}
	}
	return combine(namespace, exports, services, deployments)[name]
}

package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// outcome is what a plan does to one daemon, in words that a table can hold.
type outcome struct {
	service, create bool
	// annotations are those that are applied, nil if none are.
	annotations map[string]string
	removed     []types.UID
	notes       []reason.Code
}

func outcomeOf(s step) outcome {
	o := outcome{service: s.apply != nil, create: s.create}
	if s.annotate != nil {
		o.annotations = map[string]string{}
		for key, value := range s.annotate.Annotations() {
			o.annotations[key[len("rook-clusterset.io/"):]] = value
		}
	}
	for _, r := range s.remove {
		o.removed = append(o.removed, r.uid)
	}
	for _, n := range s.notes {
		o.notes = append(o.notes, n.code)
	}
	return o
}

const (
	monA = "rook-ceph-mon-a"
	osd0 = "rook-ceph-osd-0"
	osd1 = "rook-ceph-osd-1"
)

// ownService is the Service that the exporter made for an OSD.
func ownService(f clusterFacts, name, clusterIP string) *corev1.Service {
	s := rook.OSDService(rookDaemon(name), f.cluster)
	s.UID, s.ResourceVersion = types.UID(name+"-service"), "3"
	s.Spec.ClusterIP, s.Spec.ClusterIPs = clusterIP, []string{clusterIP}
	return s
}

func TestAMonIsGivenAnIdentityAtFirstSightAndAnAddressOnce(t *testing.T) {
	for name, c := range map[string]struct {
		facts func(*clusterFacts)
		want  outcome
	}{
		"a mon of which there is only the Service will be born with its global IP": {
			facts: func(f *clusterFacts) { f.services[monA] = monService(monA, "10.96.0.1") },
			want: outcome{
				create: true, annotations: map[string]string{"identity": "clusterset"},
				notes: []reason.Code{reason.Exported},
			},
		},
		"a Service that somebody made with a mon's name is reported, and opens no port to the clusterset": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.services[monA].Spec.Ports = append(f.services[monA].Spec.Ports, monPort(22))
			},
			want: outcome{notes: []reason.Code{reason.ServiceUnexpected}},
		},
		"nor does one that points elsewhere": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.services[monA].Spec.Selector = map[string]string{"app": "evil"}
			},
			want: outcome{notes: []reason.Code{reason.ServiceUnexpected}},
		},
		"nor one that the CephCluster does not own, while no such mon lives": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.services[monA].OwnerReferences = nil
			},
			want: outcome{notes: []reason.Code{reason.ServiceUnexpected}},
		},
		"a mon that stands in Rook's list with its ClusterIP keeps it": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = endpointsOf("a=10.96.0.1:6789")
			},
			want: outcome{
				create: true, annotations: map[string]string{"identity": "cluster"},
				notes: []reason.Code{reason.Exported, reason.IdentityCluster},
			},
		},
		"a mon that is deployed with its ClusterIP keeps it": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
			},
			want: outcome{
				create: true, annotations: map[string]string{"identity": "cluster"},
				notes: []reason.Code{reason.Exported, reason.IdentityCluster},
			},
		},
		"a mon that is deployed at an address that is neither its ClusterIP nor a global IP is left alone": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "192.168.0.9")
			},
			want: outcome{
				create: true, annotations: map[string]string{"identity": "cluster"},
				notes: []reason.Code{reason.Exported, reason.IdentityCluster},
			},
		},
		"a mon that is deployed with a global IP before its export was lost is pinned to it": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.7")
			},
			want: outcome{
				create:      true,
				annotations: map[string]string{"identity": "clusterset", "global-ip": "242.0.0.7", "source": "Deployment", "pinned": "true"},
				notes:       []reason.Code{reason.Exported, reason.AddressResolved},
			},
		},
		"an identity is not guessed while the range of global IPs cannot be read": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.7")
				f.exports[monA] = known(monA, nil)
				f.inCIDR = nil
			},
			want: outcome{},
		},
		"a ClusterIP tells the identity though the range of global IPs cannot be read": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
				f.exports[monA] = known(monA, nil)
				f.inCIDR = nil
			},
			want: outcome{annotations: map[string]string{"identity": "cluster"}, notes: []reason.Code{reason.IdentityCluster}},
		},
		"an answer becomes the global IP of a mon": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) { validExport(e); e.Identity = rook.IdentityClusterset })
				f.answers = map[string]resolution{monA: told("242.0.0.1")}
			},
			want: outcome{
				annotations: map[string]string{"identity": "clusterset", "global-ip": "242.0.0.1", "source": "GlobalIngressIP"},
				notes:       []reason.Code{reason.AddressResolved},
			},
		},
		"a mon that was not born yet takes another answer": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.2")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.1"), "GlobalIngressIP"
				})
				f.answers = map[string]resolution{monA: told("242.0.0.5")}
			},
			want: outcome{
				annotations: map[string]string{"identity": "clusterset", "global-ip": "242.0.0.5", "source": "GlobalIngressIP"},
				notes:       []reason.Code{reason.AddressResolved},
			},
		},
		"a mon that was not born yet loses its global IP with the validity of its export": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.2")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					e.Valid = metav1.ConditionFalse
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.1"), "GlobalIngressIP"
				})
			},
			want: outcome{annotations: map[string]string{"identity": "clusterset"}},
		},
		"a mon that was not born yet loses a global IP that its source no longer tells": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.2")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.1"), "GlobalIngressIP"
				})
				f.answers = map[string]resolution{monA: {refusal: reason.Errorf(reason.NoAnswer, "nothing")}}
			},
			want: outcome{
				annotations: map[string]string{"identity": "clusterset", "refused": "no_answer: nothing"},
				notes:       []reason.Code{reason.NoAnswer},
			},
		},
		"a mon is pinned as soon as it is deployed": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.1"), "GlobalIngressIP"
				})
			},
			want: outcome{annotations: map[string]string{
				"identity": "clusterset", "global-ip": "242.0.0.1", "source": "GlobalIngressIP", "pinned": "true",
			}},
		},
		"a mon is pinned to what it was deployed with though its export tells another address by now": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.2"), "GlobalIngressIP"
				})
				f.answers = map[string]resolution{monA: told("242.0.0.2")}
			},
			want: outcome{
				annotations: map[string]string{
					"identity": "clusterset", "global-ip": "242.0.0.1", "source": "Deployment", "pinned": "true", "drift": "242.0.0.2",
				},
				notes: []reason.Code{reason.AddressResolved, reason.AddressDrifted},
			},
		},
		"a living mon keeps its global IP whatever the sources tell": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
				f.answers = map[string]resolution{monA: told("242.0.0.9")}
			},
			want: outcome{
				annotations: map[string]string{
					"identity": "clusterset", "global-ip": "242.0.0.1", "source": "GlobalIngressIP", "pinned": "true", "drift": "242.0.0.9",
				},
				notes: []reason.Code{reason.AddressDrifted},
			},
		},
		"that it lives where the list alone said is hearsay no longer": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) { pinnedAt("242.0.0.1")(e); e.Source = rook.SourceList })
			},
			want: outcome{annotations: map[string]string{"identity": "clusterset", "global-ip": "242.0.0.1", "source": "Deployment", "pinned": "true"}},
		},
		"a wrong answer for a living mon is a drift too": {
			facts: func(f *clusterFacts) {
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
				f.answers = map[string]resolution{monA: {refusal: reason.Errorf(reason.SourcesDisagree, "242.0.0.9 and 242.0.0.8"), early: true}}
			},
			want: outcome{
				annotations: map[string]string{
					"identity": "clusterset", "global-ip": "242.0.0.1", "source": "GlobalIngressIP", "pinned": "true",
					"refused": "sources_disagree: 242.0.0.9 and 242.0.0.8",
				},
				notes: []reason.Code{reason.SourcesDisagree},
			},
		},
		"the want of an answer for a living mon is none": {
			facts: func(f *clusterFacts) {
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
				f.answers = map[string]resolution{monA: {refusal: reason.Errorf(reason.NoAnswer, "nothing")}}
			},
			want: outcome{},
		},
		"a living mon keeps its global IP when its export is no longer Valid": {
			facts: func(f *clusterFacts) {
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) { pinnedAt("242.0.0.1")(e); e.Valid = metav1.ConditionFalse })
			},
			want: outcome{},
		},
		"a drift is over when the sources tell the old address again": {
			facts: func(f *clusterFacts) {
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) { pinnedAt("242.0.0.1")(e); e.Drift = addr("242.0.0.9") })
				f.answers = map[string]resolution{monA: told("242.0.0.1")}
			},
			want: outcome{annotations: map[string]string{
				"identity": "clusterset", "global-ip": "242.0.0.1", "source": "GlobalIngressIP", "pinned": "true",
			}},
		},
		"a pinned mon whose Deployment was rewritten to its ClusterIP stays pinned": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
			},
			want: outcome{},
		},
		"a mon that was deployed with its ClusterIP behind our back keeps it": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.1"), "GlobalIngressIP"
				})
			},
			want: outcome{annotations: map[string]string{"identity": "cluster"}, notes: []reason.Code{reason.IdentityCluster}},
		},
		"a mon without a Deployment stays pinned while it stands in Rook's list": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = endpointsOf("a=242.0.0.1:6789")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
			},
			want: outcome{},
		},
		"a mon that is gone from Rook's list as well can be born with another address": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = endpointsOf("b=242.0.0.2:6789")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
			},
			want: outcome{annotations: map[string]string{"identity": "clusterset"}},
		},
		"a mon that has lived is pinned to the global IP that the list says": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = usedUpTo("15", "a=242.0.0.7:6789")
			},
			want: outcome{
				create:      true,
				annotations: map[string]string{"identity": "clusterset", "global-ip": "242.0.0.7", "source": "mon endpoints", "pinned": "true"},
				notes:       []reason.Code{reason.Exported, reason.AddressResolved},
			},
		},
		"a mon that has lived at its ClusterIP keeps it": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.99.1.10")
				f.endpoints = usedUpTo("15", "a=10.99.1.10:6789")
			},
			want: outcome{
				create: true, annotations: map[string]string{"identity": "cluster"},
				notes: []reason.Code{reason.Exported, reason.IdentityCluster},
			},
		},
		"a mon that was seen unborn is, though a later letter was born first": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = usedUpTo("1", "a=242.0.0.9:6789,b=242.0.0.2:6789")
				f.exports[monA] = known(monA, func(e *rook.Export) { validExport(e); e.Identity = rook.IdentityClusterset })
				f.answers = map[string]resolution{monA: told("242.0.0.1")}
			},
			want: outcome{
				annotations: map[string]string{"identity": "clusterset", "global-ip": "242.0.0.1", "source": "GlobalIngressIP"},
				notes:       []reason.Code{reason.AddressResolved},
			},
		},
		"a mon that has lived and is gone from the list is nothing, until the list is restored": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = usedUpTo("15", "b=242.0.0.2:6789")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
			},
			want: outcome{annotations: map[string]string{}},
		},
		"so is one that had kept its ClusterIP": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = usedUpTo("15", "b=242.0.0.2:6789")
				f.exports[monA] = known(monA, func(e *rook.Export) { e.Identity = rook.IdentityCluster })
			},
			want: outcome{annotations: map[string]string{}},
		},
		"nor is the address kept that one had which never lived there, though its export is Valid still": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = usedUpTo("15", "b=242.0.0.2:6789")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityCluster, addr("242.0.0.1"), "GlobalIngressIP"
				})
			},
			want: outcome{annotations: map[string]string{}},
		},
		"a mon whose Deployment is not seen yet though its letter is used up stays what it is": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = usedUpTo("0", "")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("242.0.0.1"), "GlobalIngressIP"
				})
			},
		},
		"a mon without the mon endpoints stays pinned": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
			},
		},
		"a mon with the name of one that kept its ClusterIP will be born with its global IP": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.endpoints = endpointsOf("b=242.0.0.2:6789")
				f.exports[monA] = known(monA, func(e *rook.Export) { e.Identity = rook.IdentityCluster })
			},
			want: outcome{annotations: map[string]string{"identity": "clusterset"}},
		},
		"an answer for a mon that keeps its ClusterIP is noted, and not pinned": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) { validExport(e); e.Identity = rook.IdentityCluster })
				f.answers = map[string]resolution{monA: told("242.0.0.1")}
			},
			want: outcome{
				annotations: map[string]string{"identity": "cluster", "global-ip": "242.0.0.1", "source": "GlobalIngressIP"},
				notes:       []reason.Code{reason.AddressResolved},
			},
		},
		"an answer for a mon without an identity is not taken": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "242.0.0.1")
				f.exports[monA] = known(monA, validExport)
				f.inCIDR = nil
				f.answers = map[string]resolution{monA: told("242.0.0.1")}
			},
			want: outcome{},
		},
		"with networks that do not overlap a mon older than rook-clusterset is at its global IP, and not to be moved": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity = rook.IdentityCluster
				})
				f.answers = map[string]resolution{monA: told("10.96.0.1")}
			},
			want: outcome{
				annotations: map[string]string{"identity": "clusterset", "global-ip": "10.96.0.1", "source": "GlobalIngressIP", "pinned": "true"},
				notes:       []reason.Code{reason.AddressResolved},
			},
		},
		"with networks that do not overlap a mon is pinned to its ClusterIP": {
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.deployments[monA] = deployment(monA, "10.96.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) {
					validExport(e)
					e.Identity, e.GlobalIP, e.Source = rook.IdentityClusterset, addr("10.96.0.1"), "ServiceImport"
				})
			},
			want: outcome{annotations: map[string]string{
				"identity": "clusterset", "global-ip": "10.96.0.1", "source": "ServiceImport", "pinned": "true",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			c.facts(&f)
			require.Equal(t, c.want, outcomeOf(makePlan(f.of(monA))))
		})
	}
}

func pinnedAt(ip string) func(*rook.Export) {
	return func(e *rook.Export) {
		validExport(e)
		e.Identity, e.GlobalIP, e.Source, e.Pinned = rook.IdentityClusterset, addr(ip), "GlobalIngressIP", true
	}
}

func resolvedTo(ip string) func(*rook.Export) {
	return func(e *rook.Export) {
		validExport(e)
		e.GlobalIP, e.Source = addr(ip), "GlobalIngressIP"
	}
}

func TestAnOSDIsExportedAndFollowsItsGlobalIP(t *testing.T) {
	for name, c := range map[string]struct {
		facts func(*clusterFacts)
		want  outcome
	}{
		"a new OSD is given a Service and an export": {
			facts: func(f *clusterFacts) { f.deployments[osd0] = deployment(osd0, "") },
			want:  outcome{service: true, create: true},
		},
		"an OSD that Rook has prepared is given them before its Deployment": {
			facts: func(f *clusterFacts) { f.prepared = osd0 },
			want:  outcome{service: true, create: true},
		},
		"a prepared OSD that got its Deployment is left alone": {
			facts: func(f *clusterFacts) {
				f.prepared = osd0
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, nil)
				f.deployments[osd0] = deployment(osd0, "")
			},
		},
		"a prepared OSD that is waited for is no orphan": {
			facts: func(f *clusterFacts) {
				f.prepared = osd0
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, nil)
			},
		},
		"an OSD that was prepared and never comes is one": {
			facts: func(f *clusterFacts) {
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, nil)
			},
			want: outcome{annotations: map[string]string{"orphaned-since": "2026-03-01T12:00:00Z"}},
		},
		"a refused OSD, of which there is no Deployment, is resolved all the same": {
			facts: func(f *clusterFacts) {
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, func(e *rook.Export) { validExport(e); e.OrphanedSince = noon.Add(-time.Minute) })
				f.answers = map[string]resolution{osd0: told("242.0.1.0")}
			},
			want: outcome{
				annotations: map[string]string{
					"global-ip": "242.0.1.0", "source": "GlobalIngressIP", "orphaned-since": "2026-03-01T11:59:00Z",
				},
				notes: []reason.Code{reason.AddressResolved},
			},
		},
		"an exported OSD with all as it should be is left alone": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "242.0.1.0")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.answers = map[string]resolution{osd0: told("242.0.1.0")}
			},
			want: outcome{},
		},
		"an OSD follows a new global IP": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "242.0.1.0")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.answers = map[string]resolution{osd0: told("242.0.1.7")}
			},
			want: outcome{
				annotations: map[string]string{"global-ip": "242.0.1.7", "source": "GlobalIngressIP"},
				notes:       []reason.Code{reason.AddressFollowed},
			},
		},
		"an OSD keeps its global IP when no source tells one any more": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "242.0.1.0")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.answers = map[string]resolution{osd0: {refusal: reason.Errorf(reason.NoAnswer, "nothing")}}
			},
			want: outcome{},
		},
		"a wrong answer for an OSD that has a global IP is noted beside it": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "242.0.1.0")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.answers = map[string]resolution{osd0: {refusal: reason.Errorf(reason.InsidePeerCIDR, "243.0.0.1")}}
			},
			want: outcome{
				annotations: map[string]string{
					"global-ip": "242.0.1.0", "source": "GlobalIngressIP", "refused": "inside_peer_cidr: 243.0.0.1",
				},
				notes: []reason.Code{reason.InsidePeerCIDR},
			},
		},
		"a wrong answer for one to be born leaves it without": {
			facts: func(f *clusterFacts) {
				f.prepared = osd0
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.answers = map[string]resolution{osd0: {refusal: reason.Errorf(reason.UsedByAnother, "242.0.0.1")}}
			},
			want: outcome{
				annotations: map[string]string{"refused": "used_by_another_daemon: 242.0.0.1"},
				notes:       []reason.Code{reason.UsedByAnother},
			},
		},
		"but not the want of an answer": {
			facts: func(f *clusterFacts) {
				f.prepared = osd0
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.answers = map[string]resolution{osd0: {refusal: reason.Errorf(reason.NoAnswer, "nothing")}}
			},
			want: outcome{},
		},
		"the same failure in other words is not written again": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, func(e *rook.Export) {
					validExport(e)
					e.Refused, e.RefusedDetail = reason.DNSTimeout, "from port 4711"
				})
				f.answers = map[string]resolution{osd0: {refusal: reason.Errorf(reason.DNSTimeout, "from port 4712")}}
			},
			want: outcome{},
		},
		"the Service is put right when the CephCluster requires msgr2": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "242.0.1.0")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, resolvedTo("242.0.1.0"))
				f.cluster.Msgr2Only = true
			},
			want: outcome{service: true},
		},
		"a Service of others is left alone and reported, and nothing is exported": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.services[osd0].Labels[rook.ManagedByLabel] = "rook-ceph-operator"
				delete(f.services[osd0].Labels, rook.ManagedLabel)
			},
			want: outcome{notes: []reason.Code{reason.ServiceForeign}},
		},
		"an export of others is left alone and reported": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "")
				f.exports[osd0] = known(osd0, func(e *rook.Export) { e.Ours = false })
			},
			want: outcome{notes: []reason.Code{reason.ExportForeign}},
		},
		"a headless Service is reported, for its global IP would not be reachable from here": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "")
				f.services[osd0] = ownService(*f, osd0, "None")
			},
			want: outcome{notes: []reason.Code{reason.ServiceTypeUnsupported}},
		},
		"an OSD on the host network is left alone": {
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "")
				f.deployments[osd0].Spec.Template.Spec.HostNetwork = true
			},
			want: outcome{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			c.facts(&f)
			require.Equal(t, c.want, outcomeOf(makePlan(f.of(osd0))))
		})
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		export func(*rook.Export)
		daemon string
		asked  bool
	}{
		"an OSD whose export is Valid":                                  {validExport, osd0, true},
		"an OSD whose export was not reported on":                       {func(*rook.Export) {}, osd0, false},
		"an OSD whose export is not Valid":                              {func(e *rook.Export) { e.Valid = metav1.ConditionFalse }, osd0, false},
		"an OSD whose export is that of others":                         {func(e *rook.Export) { validExport(e); e.Ours = false }, osd0, false},
		"an OSD whose address an object tells, for that can be watched": {resolvedTo("242.0.1.0"), osd0, true},
		"a mon that is to be born":                                      {func(e *rook.Export) { validExport(e); e.Identity = rook.IdentityClusterset }, monA, true},
		"a living mon, for it may drift":                                {pinnedAt("242.0.0.1"), monA, true},
		"a mon that keeps its ClusterIP":                                {func(e *rook.Export) { validExport(e); e.Identity = rook.IdentityCluster }, monA, true},
		"a mon without an identity yet":                                 {validExport, monA, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			f.services[c.daemon] = monService(c.daemon, "10.96.0.1")
			f.exports[c.daemon] = known(c.daemon, c.export)
			q, asked := f.of(c.daemon).question()
			require.Equal(t, c.asked, asked)
			if c.asked {
				require.Equal(t, "10.96.0.1", q.clusterIPs[0].String())
			}
		})
	}
}

func TestOrphansAreRemovedAfterTheGracePeriodAndNotBefore(t *testing.T) {
	for name, c := range map[string]struct {
		daemon string
		facts  func(*clusterFacts)
		want   outcome
		again  time.Duration
	}{
		"an OSD that is missed for the first time is marked": {
			daemon: osd0,
			facts: func(f *clusterFacts) {
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, nil)
			},
			want:  outcome{annotations: map[string]string{"orphaned-since": "2026-03-01T12:00:00Z"}},
			again: time.Hour,
		},
		"within the grace period nothing happens": {
			daemon: osd0,
			facts: func(f *clusterFacts) {
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, func(e *rook.Export) { e.OrphanedSince = noon.Add(-59 * time.Minute) })
			},
			again: time.Minute,
		},
		"after the grace period the Service goes, then the export": {
			daemon: osd0,
			facts: func(f *clusterFacts) {
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, func(e *rook.Export) { e.OrphanedSince = noon.Add(-time.Hour) })
			},
			want: outcome{removed: []types.UID{osd0 + "-service", osd0 + "-export"}, notes: []reason.Code{reason.OrphanRemoved}},
		},
		"an OSD that came back loses the mark": {
			daemon: osd0,
			facts: func(f *clusterFacts) {
				f.deployments[osd0] = deployment(osd0, "")
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.exports[osd0] = known(osd0, func(e *rook.Export) { e.OrphanedSince = noon.Add(-time.Hour) })
			},
			want: outcome{annotations: map[string]string{}},
		},
		"an export of others is never removed": {
			daemon: osd0,
			facts: func(f *clusterFacts) {
				f.exports[osd0] = known(osd0, func(e *rook.Export) { e.Ours, e.OrphanedSince = false, noon.Add(-24*time.Hour) })
			},
			want: outcome{notes: []reason.Code{reason.ExportForeign}},
		},
		"a mon of which nothing is left goes after the grace period": {
			daemon: monA,
			facts: func(f *clusterFacts) {
				f.endpoints = endpointsOf("b=242.0.0.2:6789")
				f.exports[monA] = known(monA, func(e *rook.Export) { pinnedAt("242.0.0.1")(e); e.OrphanedSince = noon.Add(-time.Hour) })
			},
			want: outcome{removed: []types.UID{monA + "-export"}, notes: []reason.Code{reason.OrphanRemoved}},
		},
		"a mon that stands in Rook's list is no orphan": {
			daemon: monA,
			facts: func(f *clusterFacts) {
				f.endpoints = endpointsOf("a=242.0.0.1:6789")
				f.exports[monA] = known(monA, pinnedAt("242.0.0.1"))
			},
		},
		"a mon whose Service stands is no orphan, for Rook is still at it": {
			daemon: monA,
			facts: func(f *clusterFacts) {
				f.services[monA] = monService(monA, "10.96.0.1")
				f.exports[monA] = known(monA, func(e *rook.Export) { e.Identity = rook.IdentityClusterset })
			},
		},
		"the Service of a gone OSD whose export somebody removed goes after the grace period": {
			daemon: osd0,
			facts: func(f *clusterFacts) {
				f.services[osd0] = ownService(*f, osd0, "10.96.1.0")
				f.services[osd0].Annotations = map[string]string{rook.OrphanedSinceAnnotation: "2026-03-01T11:00:00Z"}
			},
			want: outcome{removed: []types.UID{osd0 + "-service"}, notes: []reason.Code{reason.OrphanRemoved}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := aCluster()
			f.cluster.Phase = "Progressing"
			c.facts(&f)
			p := makePlan(f.of(c.daemon))
			require.Equal(t, c.want, outcomeOf(p))
			require.Equal(t, c.again, p.again)
		})
	}
}

func TestTheServiceOfAGoneOSDBearsTheMarkWhereThereIsNoExport(t *testing.T) {
	f := aCluster()
	f.services[osd0] = ownService(f, osd0, "10.96.1.0")
	p := makePlan(f.of(osd0))
	require.Equal(t, noon, *p.mark)
	require.Equal(t, time.Hour, p.again)

	f.deployments[osd0] = deployment(osd0, "")
	f.services[osd0].Annotations = map[string]string{rook.OrphanedSinceAnnotation: noon.Format(time.RFC3339)}
	require.Nil(t, makePlan(f.of(osd0)).mark, "its export is being given an address")
	f.exports[osd0] = known(osd0, func(e *rook.Export) { validExport(e); e.GlobalIP = addr("242.0.1.0") })
	require.True(t, makePlan(f.of(osd0)).mark.IsZero(), "the mark goes when the OSD is back")
}

// An export can be removed before the cache has shown it, and a watch that begins anew tells neither.
func TestAnExportThatWasCreatedIsLookedForAgain(t *testing.T) {
	c := aCluster()
	c.services[monA] = monService(monA, "10.96.0.1")
	s := makePlan(c.of(monA))
	require.True(t, s.create)
	require.Equal(t, 30*time.Second, s.again)
	c.exports[monA] = known(monA, nil)
	s = makePlan(c.of(monA))
	require.False(t, s.create)
	require.Zero(t, s.again)
}

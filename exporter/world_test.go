package exporter

import (
	"net/netip"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const (
	testNamespace = "rook-ceph"
	testCluster   = "my-cluster"
	testUID       = types.UID("cluster-uid")
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func inTestCIDR(a netip.Addr) bool { return netip.MustParsePrefix("242.0.0.0/16").Contains(a) }

// clusterFacts are those of all daemons of a CephCluster, by name.
type clusterFacts struct {
	cluster     rook.Cluster
	services    map[string]*corev1.Service
	deployments map[string]*appsv1.Deployment
	exports     map[string]view.Export
	endpoints   *corev1.ConfigMap
	inCIDR      func(netip.Addr) bool
	answers     map[string]resolution
	// prepared is the OSD that Rook is about to write.
	prepared string
}

// aCluster returns the facts of a CephCluster that has nothing yet.
func aCluster() clusterFacts {
	return clusterFacts{
		cluster:     rook.Cluster{Namespace: testNamespace, Name: testCluster, UID: testUID, CephVersion: "18.2.7-0", RookVersion: "v1.17.9", Phase: "Ready"},
		services:    map[string]*corev1.Service{},
		deployments: map[string]*appsv1.Deployment{},
		exports:     map[string]view.Export{},
		inCIDR:      inTestCIDR,
	}
}

// of returns the facts of one daemon.
func (c clusterFacts) of(name string) facts {
	d := rookDaemon(name)
	f := facts{
		now: noon, grace: time.Hour, cluster: c.cluster, daemon: d,
		service: c.services[name], deployment: c.deployments[name], export: c.exports[name],
		listed: rook.Listed(c.endpoints)[d.ID], listKnown: c.endpoints != nil, hadDeployment: rook.HasHadDeployment(c.endpoints, d.ID), inCIDR: c.inCIDR, prepared: c.prepared == name,
	}
	if answer, asked := c.answers[name]; asked {
		f.answer = &answer
	}
	return f
}

func rookDaemon(name string) rook.Daemon {
	kind, id, ok := rook.ParseName(name)
	if !ok {
		panic(name)
	}
	return rook.Daemon{Type: kind, ID: id, Namespace: testNamespace, Cluster: testCluster}
}

// monService returns the Service that Rook creates for a mon.
func monService(name, clusterIP string) *corev1.Service {
	_, id, _ := rook.ParseName(name)
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: testNamespace, Name: name, UID: types.UID(name + "-service"), ResourceVersion: "1",
			Labels:          map[string]string{rook.AppLabel: rook.MonApp, rook.ManagedByLabel: "rook-ceph-operator"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: testCluster, UID: testUID}},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: clusterIP, ClusterIPs: []string{clusterIP},
			Selector: map[string]string{
				"app": "rook-ceph-mon", "ceph_daemon_id": id, "mon": id, "mon_cluster": testNamespace, "rook_cluster": testNamespace,
			},
			Ports: []corev1.ServicePort{monPort(6789), monPort(3300)},
		},
	}
}

func monPort(number int32) corev1.ServicePort {
	return corev1.ServicePort{Port: number, TargetPort: intstr.FromInt32(number), Protocol: corev1.ProtocolTCP}
}

// deployment returns what Rook writes of a daemon, as far as it is read here.
func deployment(name, publicAddr string) *appsv1.Deployment {
	d := rookDaemon(name)
	labels := map[string]string{
		rook.AppLabel: "rook-ceph-" + string(d.Type), rook.DaemonTypeLabel: string(d.Type), rook.DaemonIDLabel: d.ID,
		rook.ManagedByLabel: "rook-ceph-operator", rook.RookVersionLabel: "v1.17.9",
	}
	if d.Type == rook.OSD {
		labels[rook.OSDIDLabel] = d.ID
	}
	args := []string{"--id=" + d.ID}
	if publicAddr != "" {
		args = append(args, "--public-addr="+publicAddr)
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: testNamespace, Name: name, UID: types.UID(name + "-deployment"), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: testCluster, UID: testUID, Controller: new(true),
			}},
		},
		Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "init-mon-fs", Command: []string{"ceph-mon"}, Args: args}},
			Containers:     []corev1.Container{{Name: string(d.Type), Command: []string{"ceph-" + string(d.Type)}, Args: args}},
		}}},
	}
}

func endpointsOf(data string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: rook.MonEndpointsName},
		Data:       map[string]string{rook.EndpointsDataKey: data},
	}
}

// usedUpTo is a list once the mon of that number had its Deployment.
func usedUpTo(highest, data string) *corev1.ConfigMap {
	c := endpointsOf(data)
	c.Data[rook.EndpointsMaxMonIDKey] = highest
	return c
}

// known returns an export of ours as it stands in the cache.
func known(name string, change func(*rook.Export)) view.Export {
	e := view.Export{
		Export:          rook.Export{Exists: true, Ours: true, Marked: true},
		UID:             types.UID(name + "-export"),
		ResourceVersion: "7",
	}
	if change != nil {
		change(&e.Export)
	}
	return e
}

func validExport(e *rook.Export) { e.Valid = metav1.ConditionTrue }

func told(ip string) resolution {
	return resolution{answer: resolver.Answer{IP: addr(ip), Source: "GlobalIngressIP"}}
}

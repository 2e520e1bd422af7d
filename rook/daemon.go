package rook

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Daemon is one mon or OSD of a Rook cluster.
type Daemon struct {
	Type      Type
	ID        string
	Namespace string
	// Cluster is the name of the CephCluster that controls the daemon; it is empty for one that lives without.
	Cluster string
}

const (
	namePrefix   = "rook-ceph-"
	canarySuffix = "-canary"
)

// Name returns the name that the Deployment, the Service and the ServiceExport of the daemon share.
func (d Daemon) Name() string {
	return namePrefix + string(d.Type) + "-" + d.ID
}

// String returns the daemon as messages name it, for example: mon "a".
func (d Daemon) String() string {
	return string(d.Type) + ` "` + d.ID + `"`
}

// ParseName returns the type and the ID of the mon or OSD that Rook gives this name.
func ParseName(name string) (Type, string, bool) {
	rest, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return "", "", false
	}
	kind, id, _ := strings.Cut(rest, "-")
	if !Type(kind).isID(id) {
		return "", "", false
	}
	return Type(kind), id, true
}

// IdentifyOurs returns the daemon of which the Deployment is ours to rewrite: one that a CephCluster controls. Any other comes
// with the reason why.
func IdentifyOurs(d *appsv1.Deployment) (Daemon, reason.Code) {
	daemon, code := Identify(d)
	if code == "" && daemon.Cluster == "" {
		return Daemon{}, reason.ForeignOwner
	}
	return daemon, code
}

// Identify returns the daemon that the Deployment runs, whoever owns it, by the name and the labels that Rook gives. A
// Deployment that runs none comes with the reason why.
func Identify(d *appsv1.Deployment) (Daemon, reason.Code) {
	app := d.Labels[AppLabel]
	if app == FloatingMonApp {
		return Daemon{}, reason.FloatingMon
	}
	if app != MonApp && app != OSDApp {
		return Daemon{}, reason.NotRookDaemon
	}
	// Before v1.15.7 Rook does not mark the mons that serve; the canaries carry this label in every release.
	if _, canary := d.Labels[CanaryLabel]; canary || app == MonApp && strings.HasSuffix(d.Name, canarySuffix) {
		return Daemon{}, reason.Canary
	}
	kind, id, ok := ParseName(d.Name)
	if !ok || app != kind.App() || d.Labels[DaemonTypeLabel] != string(kind) || d.Labels[DaemonIDLabel] != id {
		return Daemon{}, reason.NotRookDaemon
	}
	daemon := Daemon{Type: kind, ID: id, Namespace: d.Namespace}
	if owner := controllingCluster(d); owner != nil {
		daemon.Cluster = owner.Name
	}
	return daemon, ""
}

func controllingCluster(d *appsv1.Deployment) *metav1.OwnerReference {
	owner := metav1.GetControllerOfNoCopy(d)
	if owner == nil || !isCephCluster(*owner) {
		return nil
	}
	return owner
}

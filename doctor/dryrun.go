package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const (
	// deploymentHook is how the API server names our webhook where it fails or refuses.
	deploymentHook = "deployments.rook-clusterset.io"
	// wrongAddress is one that nobody has (RFC 5737).
	wrongAddress = "192.0.2.1"
	// probeOSD is an OSD that no cluster has.
	probeOSD = "99999"
)

// askAdmission sends the write of a daemon's Deployment through the API server and the webhook, as Rook does, as a dry run:
// nothing is stored, and nobody is held.
func askAdmission(ctx context.Context, p *Patient) (Finding, error) {
	snapshots, err := p.Snapshots(ctx)
	if err != nil {
		return Finding{}, err
	}
	dry := client.NewDryRunClient(p.Client)
	for _, s := range snapshots {
		if !s.Enabled || s.Cluster == nil || s.Cluster.State(p.View.ExportKindServed()) != reason.Served {
			continue
		}
		if daemon := atGlobalIP(s); daemon.Daemon.ID != "" {
			return rewrite(ctx, dry, p.View, daemon)
		}
		return ofBirth(s.Namespace, dry.Create(ctx, birthOf(s)))
	}
	return nothingThere("there is no CephCluster that is served: nothing that is written is to pass the webhook"), nil
}

// atGlobalIP returns a daemon whose Deployment is to stay as it is, if there is one.
func atGlobalIP(s view.Snapshot) rook.DaemonFacts {
	for _, d := range s.Daemons {
		// What no CephCluster owns, or keeps its ClusterIP, is let through as it is written.
		ours := d.Daemon.Cluster == s.Cluster.Name && d.Export.Identity != rook.IdentityCluster
		if ours && d.Deployed && d.Export.Ready() && d.Address == d.Export.GlobalIP {
			return d
		}
	}
	return rook.DaemonFacts{}
}

// rewrite writes the Deployment with an address that nobody has, and looks whether the right one comes back.
func rewrite(ctx context.Context, dry client.Client, v *view.View, daemon rook.DaemonFacts) (Finding, error) {
	name := daemon.Daemon.Namespace + "/" + daemon.Daemon.Name()
	stored, err := v.Deployment(ctx, daemon.Daemon.Namespace, daemon.Daemon.Name())
	if err != nil || stored == nil {
		return nothingThere("Deployment " + name + " is gone by now"), err
	}
	written := withAddress(stored, wrongAddress)
	err = dry.Update(ctx, written)
	got, _ := rook.Address(written)
	return ofRewrite(name, daemon.Address, got, err)
}

func withAddress(d *appsv1.Deployment, address string) *appsv1.Deployment {
	d = d.DeepCopy()
	d.ResourceVersion = ""
	for i := range d.Spec.Template.Spec.Containers {
		args := d.Spec.Template.Spec.Containers[i].Args
		for j := range args {
			if strings.HasPrefix(args[j], "--public-addr=") {
				args[j] = "--public-addr=" + address
			}
		}
	}
	return d
}

func ofRewrite(name string, want, got netip.Addr, err error) (Finding, error) {
	switch {
	case err != nil && strings.Contains(err.Error(), deploymentHook):
		return fails(seePods, "the dry run of Deployment %s was not answered: %s", name, oneLine(err.Error())), nil
	case err != nil:
		return Finding{}, fmt.Errorf("write Deployment %s as a dry run: %w", name, err)
	case got != want:
		return fails(reinstall, "the dry run of Deployment %s with a wrong address came back unchanged: the API server does not ask the webhook", name), nil
	}
	return well("a dry run of Deployment %s with a wrong address came back with %s", name, want), nil
}

// birthOf is a new OSD, as far as Rook's names and labels make it one.
func birthOf(s view.Snapshot) *appsv1.Deployment {
	osd := rook.Daemon{Type: rook.OSD, ID: probeOSD, Namespace: s.Namespace}
	labels := map[string]string{rook.AppLabel: rook.OSDApp, rook.DaemonTypeLabel: string(rook.OSD), rook.DaemonIDLabel: probeOSD, rook.OSDIDLabel: probeOSD}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: osd.Name(), Labels: labels, OwnerReferences: []metav1.OwnerReference{rook.ControlledBy(*s.Cluster)}},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(0)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: string(rook.OSD), Image: "none"}}},
			},
		},
	}
}

// ofBirth takes the refusal of a daemon without an export for the proof that the webhook was asked and knows the CephCluster.
func ofBirth(namespace string, err error) (Finding, error) {
	switch {
	case err == nil:
		return fails(reinstall, "the dry run of a new OSD in %s was let through without an address: the API server does not ask the webhook", namespace), nil
	case !strings.Contains(err.Error(), deploymentHook):
		return Finding{}, fmt.Errorf("write a new OSD in %s as a dry run: %w", namespace, err)
	case strings.Contains(err.Error(), "denied the request"):
		return well("a dry run of a new OSD in %s was refused by the webhook, which is right: it has no global IP", namespace), nil
	}
	return fails(seePods, "the dry run of a new OSD in %s was not answered: %s", namespace, oneLine(err.Error())), nil
}

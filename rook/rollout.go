package rook

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Rollout is how the one pod of a daemon is, by its Deployment.
type Rollout struct {
	// Replicas is how many pods are wanted: one, or none of a daemon that was stopped.
	Replicas int32
	// Generation and Version are those of the Deployment.
	Generation int64
	Version    string
	// Available says that the pod is of the newest template, and ready.
	Available bool
	// Down says that no pod is ready, of whichever template.
	Down bool
	// AvailableSince is when the Deployment last became available, or ceased to be.
	AvailableSince time.Time
	// HostNetwork says that the daemon has the address of its node, and Skipped that Rook is to leave it alone.
	HostNetwork, Skipped bool
	// Asked is what admission was last asked for, until Rook writes the Deployment.
	Asked Asked
}

// Asked is that admission was asked to give a daemon an address, and when.
type Asked struct {
	For netip.Addr
	At  time.Time
}

// String returns what stands in the annotation AskedAnnotation.
func (a Asked) String() string { return a.For.String() + " " + a.At.UTC().Format(time.RFC3339) }

func readAsked(text string) Asked {
	address, at, _ := strings.Cut(text, " ")
	return Asked{For: addressOrNone(address), At: timeOrNone(at)}
}

// ReadRollout returns how a daemon is.
func ReadRollout(d *appsv1.Deployment) Rollout {
	_, skipped := d.Labels[SkipReconcileLabel]
	r := Rollout{
		Replicas:    1,
		Generation:  d.Generation,
		Version:     d.ResourceVersion,
		HostNetwork: d.Spec.Template.Spec.HostNetwork,
		Skipped:     skipped,
		Asked:       readAsked(d.Annotations[AskedAnnotation]),
	}
	if d.Spec.Replicas != nil {
		r.Replicas = *d.Spec.Replicas
	}
	status := d.Status
	r.Available = r.Replicas > 0 && status.ObservedGeneration >= d.Generation &&
		status.UpdatedReplicas >= r.Replicas && status.Replicas == status.UpdatedReplicas && status.AvailableReplicas >= r.Replicas
	r.Down = status.AvailableReplicas == 0
	if i := slices.IndexFunc(status.Conditions, isAvailable); i >= 0 {
		r.AvailableSince = status.Conditions[i].LastTransitionTime.UTC()
	}
	return r
}

func isAvailable(c appsv1.DeploymentCondition) bool { return c.Type == appsv1.DeploymentAvailable }

// trimRollout keeps what ReadRollout reads.
func trimRollout(trimmed, d *appsv1.Deployment) {
	trimmed.Spec.Replicas = d.Spec.Replicas
	trimmed.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Status.ObservedGeneration,
		Replicas:           d.Status.Replicas,
		UpdatedReplicas:    d.Status.UpdatedReplicas,
		AvailableReplicas:  d.Status.AvailableReplicas,
	}
	if i := slices.IndexFunc(d.Status.Conditions, isAvailable); i >= 0 {
		trimmed.Status.Conditions = []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentAvailable, Status: corev1.ConditionStatus(shared(string(d.Status.Conditions[i].Status))),
			LastTransitionTime: d.Status.Conditions[i].LastTransitionTime,
		}}
	}
	trimmed.Annotations = only(d.Annotations, AskedAnnotation)
}

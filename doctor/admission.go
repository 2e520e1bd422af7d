package doctor

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

func admissionChecks() []Check {
	return []Check{
		{
			Name: "webhook-endpoints", Needs: "cluster", Ask: askEndpoints,
			Reads: []right{{"list", discoveryv1.GroupName, "endpointslices", "", install}},
		},
		{
			Name: "replicas", Needs: "cluster", Ask: askReplicas,
			Reads: []right{{"get", appsv1.GroupName, "deployments", deploymentName, install}},
		},
		{
			Name: "disruption-budget", Needs: "cluster", Ask: askBudget,
			Reads: []right{{"get", policyv1.GroupName, "poddisruptionbudgets", deploymentName, install}},
		},
		{
			Name: "leader", Needs: "cluster", Ask: askLeader,
			Reads: []right{{"get", coordinationv1.GroupName, "leases", leaseName, install}},
		},
		{Name: "admission", Needs: "kinds", Ask: askAdmission, Reads: snapshotRights},
	}
}

const (
	seePods   = "See why: kubectl -n rook-clusterset get pods; kubectl -n rook-clusterset logs -l app.kubernetes.io/name=rook-clusterset | grep readiness"
	reinstall = "Install rook-clusterset again: kubectl apply -f manifests/install.yaml"
)

func askEndpoints(ctx context.Context, p *Patient) (Finding, error) {
	slices := &discoveryv1.EndpointSliceList{}
	err := p.Client.List(ctx, slices, client.InNamespace(installNamespace), client.MatchingLabels{discoveryv1.LabelServiceName: certs.ServiceName})
	if err != nil {
		return Finding{}, fmt.Errorf("list the endpoints of Service %s: %w", certs.ServiceName, err)
	}
	return ofEndpoints(slices.Items), nil
}

func ofEndpoints(all []discoveryv1.EndpointSlice) Finding {
	ready := 0
	for _, slice := range all {
		for _, endpoint := range slice.Endpoints {
			if len(endpoint.Addresses) > 0 && (endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready) {
				ready++
			}
		}
	}
	if ready == 0 {
		return fails(seePods, "Service %s/%s %s", installNamespace, certs.ServiceName, reason.WebhookUnserved.Sentence())
	}
	return well("Service %s/%s has ready endpoints: %d", installNamespace, certs.ServiceName, ready)
}

// wantedReplicas is how many survive the loss of one.
const wantedReplicas = 2

func askReplicas(ctx context.Context, p *Patient) (Finding, error) {
	deployment := &appsv1.Deployment{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: installNamespace, Name: deploymentName}, deployment)
	switch {
	case kinds.Absent(err):
		return fails(reinstall, "there is no Deployment %s/%s", installNamespace, deploymentName), nil
	case err != nil:
		return Finding{}, fmt.Errorf("read Deployment %s: %w", deploymentName, err)
	}
	return ofReplicas(deployment), nil
}

func ofReplicas(d *appsv1.Deployment) Finding {
	wanted := int32(1)
	if d.Spec.Replicas != nil {
		wanted = *d.Spec.Replicas
	}
	switch ready := d.Status.ReadyReplicas; {
	case ready == 0:
		return fails(seePods, "no replica is ready, of %d", wanted)
	case ready < wanted:
		return warns(seePods, "%d of %d replicas are ready", ready, wanted)
	case ready < wantedReplicas:
		return warns("Run two: kubectl -n rook-clusterset scale deployment rook-clusterset --replicas=2", "there is one replica: while it is gone, Rook's writes fail")
	default:
		return well("%d of %d replicas are ready", ready, wanted)
	}
}

func askBudget(ctx context.Context, p *Patient) (Finding, error) {
	budget := &policyv1.PodDisruptionBudget{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: installNamespace, Name: deploymentName}, budget)
	switch {
	case kinds.Absent(err):
		return warns(reinstall, "there is no PodDisruptionBudget %s/%s: the drain of nodes can take all replicas at once", installNamespace, deploymentName), nil
	case err != nil:
		return Finding{}, fmt.Errorf("read PodDisruptionBudget %s: %w", deploymentName, err)
	}
	return well("the drain of nodes leaves a replica"), nil
}

func askLeader(ctx context.Context, p *Patient) (Finding, error) {
	lease := &coordinationv1.Lease{}
	err := p.Client.Get(ctx, client.ObjectKey{Namespace: installNamespace, Name: leaseName}, lease)
	if err != nil && !kinds.Absent(err) {
		return Finding{}, fmt.Errorf("read Lease %s: %w", leaseName, err)
	}
	return ofLease(lease, p.Now), nil
}

// clockSkew is by how much the clock of whoever asks may differ from that of the leader.
const clockSkew = time.Minute

func ofLease(lease *coordinationv1.Lease, now time.Time) Finding {
	spec := lease.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil {
		return fails(seePods, "Lease %s/%s has no holder: nobody exports daemons, or keeps their addresses", installNamespace, leaseName)
	}
	lasts := clockSkew
	if spec.LeaseDurationSeconds != nil {
		lasts += time.Duration(*spec.LeaseDurationSeconds) * time.Second
	}
	if now.Sub(spec.RenewTime.Time) > lasts {
		return fails(seePods, "the leader %s renewed its Lease last at %s: nobody exports daemons, or keeps their addresses",
			*spec.HolderIdentity, spec.RenewTime.UTC().Format(time.RFC3339))
	}
	return well("the leader is %s", *spec.HolderIdentity)
}

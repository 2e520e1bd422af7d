package doctor

import (
	"context"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/addresses"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func conditionChecks() []Check {
	return []Check{{
		Name: "condition", Needs: "kinds", Ask: askCondition,
		Reads: append([]right{{"list", addresses.Kind.Group, addresses.Resource, "", looked}, {"get", "", "configmaps", rook.RememberedName, looked}}, snapshotRights...),
	}}
}

// toldMachines is what stands in the object of a CephCluster, and what would be decided now.
type toldMachines struct {
	cephCluster string
	missing     bool
	stands, now addresses.Status
}

func askCondition(ctx context.Context, p *Patient) (Finding, error) {
	if _, served := p.Installed.Served(addresses.Kind.GroupKind()); !served {
		return ofCondition(false, nil), nil
	}
	snapshots, err := p.Snapshots(ctx)
	if err != nil {
		return Finding{}, err
	}
	var all []toldMachines
	for _, s := range snapshots {
		if s.Cluster == nil || !s.Enabled {
			continue
		}
		object, err := p.objectOf(ctx, s.Namespace, s.Cluster.Name)
		if err != nil {
			return Finding{}, err
		}
		told := toldMachines{cephCluster: s.Namespace + "/" + s.Cluster.Name, missing: object == nil}
		if object != nil {
			if told.stands, told.now, err = p.decided(ctx, object); err != nil {
				return Finding{}, err
			}
		}
		all = append(all, told)
	}
	return ofCondition(true, all), nil
}

// objectOf returns the object of a CephCluster, or nil. It is listed, as the leader does, whose rights reach no further.
func (p *Patient) objectOf(ctx context.Context, namespace, name string) (*unstructured.Unstructured, error) {
	found, err := addresses.List(ctx, p.Client, client.InNamespace(namespace), addresses.Named(name))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// decided returns what stands in an object, and what the leader would write there.
func (p *Patient) decided(ctx context.Context, object *unstructured.Unstructured) (stands, now addresses.Status, err error) {
	facts, err := addresses.Gather(ctx, p.View, object.GetNamespace())
	if err != nil {
		return addresses.Status{}, addresses.Status{}, err
	}
	facts.Name, facts.Generation = object.GetName(), object.GetGeneration()
	stands = addresses.ReadStatus(object)
	return stands, addresses.Decide(facts, stands, p.Now), nil
}

func ofCondition(installed bool, all []toldMachines) Finding {
	if !installed {
		return fails("Apply manifests/install.yaml of this release.", "the kind %s is not installed: machines are told nothing", addresses.Kind.Kind)
	}
	var wrong, complete []string
	for _, t := range all {
		stands, now := readyOf(t.stands), readyOf(t.now)
		switch {
		case t.missing:
			wrong = append(wrong, fmt.Sprintf("%s has no %s", t.cephCluster, addresses.Kind.Kind))
		case stands.Status != now.Status || stands.Reason != now.Reason:
			wrong = append(wrong, fmt.Sprintf("%s says Ready=%s (%s), and it is %s (%s)", t.cephCluster, stands.Status, stands.Reason, now.Status, now.Reason))
		case now.Status == metav1.ConditionTrue:
			complete = append(complete, t.cephCluster)
		}
	}
	switch {
	case len(all) == 0:
		return nothingThere("there is no CephCluster in a namespace that is switched on")
	case len(wrong) > 0:
		return warns("Look again in a moment; else see why no leader writes it: kubectl -n rook-clusterset logs -l app.kubernetes.io/name=rook-clusterset --tail=50",
			"what machines are told of %d of %d CephClusters is not so", len(wrong), len(all)).with(wrong)
	}
	return well("machines are told how %d CephClusters are, %d of them Ready", len(all), len(complete))
}

// readyOf returns the condition Ready, or one that says nothing.
func readyOf(s addresses.Status) metav1.Condition {
	if c := apimeta.FindStatusCondition(s.Conditions, addresses.Ready); c != nil {
		return *c
	}
	return metav1.Condition{Status: metav1.ConditionUnknown, Reason: "NotTold"}
}

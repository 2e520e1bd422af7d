package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

func rookChecks() []Check {
	namespaces := right{"get", "", "namespaces", "", itself}
	return []Check{
		{
			Name: "namespaces", Needs: "kinds", Ask: askNamespaces,
			Reads: []right{namespaces, {"list", kinds.CephCluster.Group, "cephclusters", "", looked}, {"list", kinds.ServiceExport.Group, "serviceexports", "", looked}},
		},
		{
			Name: "operator-namespace", Needs: "kinds", Ask: askOperators,
			Reads: []right{{"get", "", "namespaces", "", everywhere}, {"list", appsv1.GroupName, "deployments", "", everywhere}},
		},
		{Name: "cephclusters", Needs: "kinds", Ask: askClusters, Before: true, Reads: snapshotRights},
	}
}

// snapshotRights are what view.Snapshot reads.
var snapshotRights = []right{
	{"list", kinds.CephCluster.Group, "cephclusters", "", looked},
	{"list", kinds.ServiceExport.Group, "serviceexports", "", looked},
	{"list", appsv1.GroupName, "deployments", "", looked},
	{"list", "", "services", "", looked},
	{"get", "", "configmaps", rook.MonEndpointsName, looked},
}

func label(namespace string) string {
	return fmt.Sprintf("Switch it on, before its CephCluster is created: kubectl label namespace %s %s=true", namespace, rook.EnabledLabel)
}

// namespaceFacts are those of a namespace with a CephCluster or with exports of ours.
type namespaceFacts struct {
	name             string
	enabled, cluster bool
	// left is how many exports of ours live there though it is off.
	left int
}

func askNamespaces(ctx context.Context, p *Patient) (Finding, error) {
	all, err := p.namespacesOfInterest(ctx)
	if err != nil {
		return Finding{}, err
	}
	var facts []namespaceFacts
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name].enabled, err = p.View.Enabled(ctx, name); err != nil {
			return Finding{}, err
		}
		facts = append(facts, *all[name])
	}
	return ofNamespaces(facts), nil
}

// namespacesOfInterest returns the one that is looked at, or else all that have a CephCluster, the label, or exports of ours.
func (p *Patient) namespacesOfInterest(ctx context.Context) (map[string]*namespaceFacts, error) {
	reader := kinds.Reader{Objects: p.Client, Installed: p.Installed}
	clusters, err := reader.List(ctx, kinds.CephCluster, client.InNamespace(p.Namespace))
	if err != nil {
		return nil, err
	}
	all := map[string]*namespaceFacts{}
	for i := range clusters {
		name := clusters[i].GetNamespace()
		all[name] = &namespaceFacts{name: name, cluster: true}
	}
	if p.Namespace == "" {
		return all, addOthers(ctx, p.View, all)
	}
	if all[p.Namespace] == nil {
		all[p.Namespace] = &namespaceFacts{name: p.Namespace}
	}
	return all, nil
}

// addOthers adds those that are switched on without a CephCluster, and those that were switched off with exports in them.
func addOthers(ctx context.Context, v *view.View, all map[string]*namespaceFacts) error {
	enabled, err := v.EnabledNamespaces(ctx)
	if err != nil {
		return err
	}
	left, err := v.LeftBehind(ctx)
	if err != nil {
		return err
	}
	for _, name := range append(enabled, slices.Collect(maps.Keys(left))...) {
		if all[name] == nil {
			all[name] = &namespaceFacts{name: name}
		}
		all[name].left = left[name]
	}
	return nil
}

func ofNamespaces(all []namespaceFacts) Finding {
	var on, off, left []string
	for _, n := range all {
		switch {
		case n.enabled:
			on = append(on, n.name)
		case n.left > 0:
			left = append(left, fmt.Sprintf("namespace %s: %d ServiceExports", n.name, n.left))
		case n.cluster:
			off = append(off, n.name)
		}
	}
	switch {
	case len(left) > 0:
		return fails("Switch it on again, or remove the exports when no peer needs the daemons: kubectl label namespace NAME "+rook.EnabledLabel+"=true",
			"a namespace %s", reason.NamespaceSwitchedOff.Sentence()).with(left)
	case len(on) == 0 && len(off) == 0:
		return fails(label("rook-ceph"), "no namespace has the label %s=true", rook.EnabledLabel)
	case len(on) == 0:
		return fails(label(off[0]), "no namespace with a CephCluster has the label %s=true", rook.EnabledLabel).with(off)
	case len(off) > 0:
		return warns(label(off[0])+" (or leave it, if no peer is to reach it)", "switched on: %s; a CephCluster without the label %s=true is in: %s",
			strings.Join(on, ", "), rook.EnabledLabel, strings.Join(off, ", "))
	}
	return well("switched on: %s", strings.Join(on, ", "))
}

func askOperators(ctx context.Context, p *Patient) (Finding, error) {
	found := &appsv1.DeploymentList{}
	if err := p.Client.List(ctx, found, client.MatchingFields{"metadata.name": rook.OperatorName}); err != nil {
		return Finding{}, fmt.Errorf("look for Rook's operators: %w", err)
	}
	namespaces := map[string]bool{}
	for i := range found.Items {
		on, err := p.View.Enabled(ctx, found.Items[i].Namespace)
		if err != nil {
			return Finding{}, err
		}
		namespaces[found.Items[i].Namespace] = on
	}
	return ofOperators(namespaces), nil
}

func ofOperators(enabled map[string]bool) Finding {
	if len(enabled) == 0 {
		return nothingThere("no Deployment " + rook.OperatorName + " was found: label the namespace in which Rook's operator runs, if it is another one")
	}
	for _, namespace := range slices.Sorted(maps.Keys(enabled)) {
		if !enabled[namespace] {
			return fails("Label it too: kubectl label namespace "+namespace+" "+rook.EnabledLabel+"=true",
				"Rook's operator runs in namespace %s, which has not the label %s=true: what the CSI drivers dial is not corrected", namespace, rook.EnabledLabel)
		}
	}
	return well("Rook's operator runs where the label is: %s", strings.Join(slices.Sorted(maps.Keys(enabled)), ", "))
}

func askClusters(ctx context.Context, p *Patient) (Finding, error) {
	snapshots, err := p.Snapshots(ctx)
	if err != nil {
		return Finding{}, err
	}
	var clusters []rook.Cluster
	for _, s := range snapshots {
		if s.Cluster != nil {
			cluster := *s.Cluster
			// What the flags say of IPv6 may not be known here, but is seen where a daemon has such a global IP.
			cluster.IPv6GlobalIPs = cluster.IPv6GlobalIPs || slices.ContainsFunc(s.Daemons, func(d rook.DaemonFacts) bool { return d.Export.GlobalIP.Is6() })
			clusters = append(clusters, cluster)
		}
	}
	return ofClusters(clusters), nil
}

func ofClusters(clusters []rook.Cluster) Finding {
	var alone, served []string
	for _, c := range clusters {
		name := c.Namespace + "/" + c.Name
		if aside := c.StandAside(); aside != "" {
			alone = append(alone, fmt.Sprintf("CephCluster %s is left alone: each daemon %s", name, aside.Sentence()))
			continue
		}
		served = append(served, fmt.Sprintf("%s (Rook %s, Ceph %s)", name, orUnknown(c.RookVersion), orUnknown(c.CephVersion)))
	}
	switch {
	case len(alone) > 0:
		return fails("See what each field of the CephCluster means: docs/cephcluster-fields.md", "%s", alone[0]).with(alone[1:])
	case len(served) == 0:
		return nothingThere("there is no CephCluster in a namespace that is looked at")
	}
	return well("served: %s", strings.Join(served, ", "))
}

func orUnknown(version string) string {
	if version == "" {
		return "not known yet"
	}
	return version
}

package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// storedMemory returns what the ConfigMap says.
func (o *Operator) storedMemory(ctx context.Context) (*memory, error) {
	cm := &corev1.ConfigMap{}
	err := o.write.get(ctx, o.options.Namespace, EndpointsConfigMap, cm)
	if apierrors.IsNotFound(err) {
		cm, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to get mon endpoints: %w", err)
	}
	stored, err := readMemory(cm)
	if err != nil {
		return nil, fmt.Errorf("failed to load mon endpoints: %w", err)
	}
	return stored, nil
}

// askVersions is what a reconcile does before it waits for whoever works on the mons: it reads the ConfigMap, writes
// ceph.conf from it and asks a cluster that has mons for its versions. Nobody may answer.
func (o *Operator) askVersions(ctx context.Context) error {
	stored, err := o.storedMemory(ctx)
	if err != nil || len(stored.mons) == 0 {
		return err
	}
	o.memory.setConf(stored.endpoints())
	if _, err := o.quorumStatus(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		o.journal.add(Continued, "", "", "failed to get ceph daemons versions: %v", err)
	}
	return nil
}

// loadClusterInfo takes the addresses of the mons from the ConfigMap into memory.
func (o *Operator) loadClusterInfo(ctx context.Context) error {
	stored, err := o.storedMemory(ctx)
	if err != nil {
		return err
	}
	o.memory.replace(stored)
	o.journal.add(Loaded, "ConfigMap", o.cluster.namespace+"/"+EndpointsConfigMap, "%s", flatEndpoints(o.memory.snapshot()))
	return nil
}

// initClusterInfo loads what is known of the cluster, or makes the keys of a new one, and saves the addresses at once.
func (o *Operator) initClusterInfo(ctx context.Context) error {
	if err := o.loadClusterInfo(ctx); err != nil {
		return err
	}
	if err := o.ensureMonSecret(ctx); err != nil {
		return err
	}
	if err := o.saveMonConfig(ctx); err != nil {
		return fmt.Errorf("failed to save mons: %w", err)
	}
	adminKey := o.access().AdminKey
	if err := o.saveKeyring(ctx, monsKeyring, monsKeyringText(o.monKey, adminKey)); err != nil {
		return err
	}
	// Rook stores the key, and then notes on it of which generation it is.
	for range 2 {
		if err := o.saveKeyring(ctx, adminKeyring, adminKeyringText(adminKey)); err != nil {
			return err
		}
	}
	return nil
}

// startMons makes the mons of a new cluster, one after the other, or sees to it that those of an old one run.
func (o *Operator) startMons(ctx context.Context, target int) error {
	existing, mons := o.monConfig(target)
	if err := o.assignMons(ctx, mons); err != nil {
		return fmt.Errorf("failed to assign pods to mons: %w", err)
	}
	retryConfig := false
	if existing > 0 {
		if err := o.setDefaultConfigs(ctx); err != nil {
			retryConfig = true
			o.journal.add(Continued, "", "", "failed to set Ceph config options before starting mons; will retry: %v", err)
		}
	}
	if existing >= len(mons) {
		if err := o.ensureMonsRunning(ctx, mons, target, false); err != nil {
			return err
		}
		if retryConfig {
			return o.setDefaultConfigs(ctx)
		}
		return nil
	}
	for i := existing; i < target; i++ {
		if err := o.ensureMonsRunning(ctx, mons, target, true); err != nil {
			return err
		}
		if existing == 0 || retryConfig && i == existing {
			if err := o.setDefaultConfigs(ctx); err != nil {
				return fmt.Errorf("failed to set Ceph config options after creating the first mon: %w", err)
			}
		}
	}
	return nil
}

// knownMons returns the mons in memory.
func (o *Operator) knownMons() []mon {
	var mons []mon
	known := o.memory.snapshot()
	for _, id := range slices.Sorted(maps.Keys(known)) {
		m := mon{id: id, endpoint: known[id].endpoint}
		if node, ok := o.memory.place(id); ok && node != nil {
			m.zone = node.Zone
		}
		mons = append(mons, m)
	}
	return mons
}

// monConfig returns the mons in memory, then as many new ones as are missing.
func (o *Operator) monConfig(target int) (existing int, mons []mon) {
	mons = o.knownMons()
	existing = len(mons)
	highest := o.memory.highest()
	for i := existing; i < target; i++ {
		highest++
		mons = append(mons, o.newMon(highest, mons))
	}
	o.memory.setHighest(highest)
	return existing, mons
}

// newMon returns a mon that has no address yet, in a zone that is not taken if the CephCluster has zones.
func (o *Operator) newMon(index int, others []mon) mon {
	m := mon{id: monName(index), endpoint: netip.AddrPortFrom(netip.Addr{}, uint16(o.cluster.newMonPort()))}
	taken := map[string]int{}
	for _, other := range others {
		taken[other.zone]++
	}
	for _, zone := range o.cluster.zones {
		room := 1
		if len(o.cluster.zones) == 3 && o.cluster.monCount == 5 && !zone.arbiter {
			room = 2
		}
		if taken[zone.name] < room {
			m.zone = zone.name
			break
		}
	}
	return m
}

// ensureMonsRunning brings one more mon up than are known, or all that are known if they are enough.
func (o *Operator) ensureMonsRunning(ctx context.Context, mons []mon, target int, requireAll bool) error {
	expected := len(o.memory.snapshot())
	if expected < target {
		expected++
	}
	if err := o.initMonIPs(ctx, mons[:expected]); err != nil {
		return fmt.Errorf("failed to init mon services: %w", err)
	}
	if err := o.saveMonConfig(ctx); err != nil {
		return fmt.Errorf("failed to save mons: %w", err)
	}
	if err := o.startDeployments(ctx, mons[:expected], requireAll); err != nil {
		return fmt.Errorf("failed to start mon pods: %w", err)
	}
	return nil
}

// initMonIPs makes the Services, and gives an address to each mon that has none.
func (o *Operator) initMonIPs(ctx context.Context, mons []mon) error {
	for i := range mons {
		if err := o.initMonIP(ctx, &mons[i]); err != nil {
			return err
		}
		info := o.memory.snapshot()[mons[i].id]
		info.endpoint = mons[i].endpoint
		o.memory.set(mons[i].id, info)
	}
	return nil
}

func (o *Operator) initMonIP(ctx context.Context, m *mon) error {
	if o.cluster.hostNetwork {
		node, ok := o.memory.place(m.id)
		if !ok || node == nil {
			return errors.New("mon doesn't exist in assignment map")
		}
		address, err := netip.ParseAddr(node.Address)
		if err != nil {
			return fmt.Errorf("mon %q is on a node without an address: %w", m.id, err)
		}
		m.endpoint = netip.AddrPortFrom(address, m.endpoint.Port())
		return nil
	}
	clusterIP, err := o.ensureMonService(ctx, *m)
	if err != nil {
		return fmt.Errorf("failed to create mon service: %w", err)
	}
	if m.endpoint.Addr().IsValid() {
		return nil
	}
	if o.cluster.native {
		if clusterIP, err = o.export(ctx, monResource(m.id)); err != nil {
			return err
		}
	}
	m.endpoint = netip.AddrPortFrom(clusterIP, m.endpoint.Port())
	return nil
}

// startDeployments makes or updates the Deployments. An error of one is only logged: what counts is the quorum
// afterwards.
func (o *Operator) startDeployments(ctx context.Context, mons []mon, requireAll bool) error {
	list := &appsv1.DeploymentList{}
	if err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.namespace), client.MatchingLabels{"app": monApp}); err != nil {
		o.journal.add(Continued, "", "", "failed to list mon deployments. attempting to continue. %v", err)
	}
	ready := 0
	for i := range list.Items {
		if list.Items[i].Status.AvailableReplicas > 0 {
			ready++
		}
	}
	checkOnce := len(list.Items) < len(mons) || ready == 0
	for i, m := range mons {
		if err := o.startMon(ctx, m); err != nil {
			if ctx.Err() != nil {
				return err
			}
			o.journal.add(Continued, "Deployment", o.cluster.namespace+"/"+monResource(m.id),
				"attempting to continue after failing to start mon %q. %v", m.id, err)
		}
		if !checkOnce || i == len(mons)-1 {
			if err := o.waitForQuorum(ctx, mons, false); err != nil {
				return fmt.Errorf("failed to check mon quorum %s: %w", m.id, err)
			}
		}
	}
	return o.waitForQuorum(ctx, mons, requireAll)
}

// startMon makes the Deployment of a mon, or updates it.
func (o *Operator) startMon(ctx context.Context, m mon) error {
	d := o.monDeployment(m, false)
	// Rook notes what it applies before it adds storage and node, so the note of a new mon lacks them.
	if err := setLastApplied(d); err != nil {
		return fmt.Errorf("failed to annotate mon deployment %s: %w", d.Name, err)
	}
	existing := &appsv1.Deployment{}
	err := o.write.get(ctx, d.Namespace, d.Name, existing)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("failed to get mon deployment %s: %w", d.Name, err)
	}
	o.addMonStorage(d, m.id)
	if err == nil {
		d.Spec.Template.Spec.NodeSelector = existing.Spec.Template.Spec.NodeSelector
		return o.updateMon(ctx, d, m)
	}
	if node, ok := o.memory.place(m.id); ok && node != nil {
		d.Spec.Template.Spec.NodeSelector = map[string]string{corev1.LabelHostname: node.Hostname}
	}
	if err := o.ensureMonPVC(ctx, m); err != nil {
		return err
	}
	if err := o.write.create(ctx, d); err != nil {
		return fmt.Errorf("failed to create mon deployment %s: %w", d.Name, err)
	}
	if err := o.commitMaxMonID(ctx, monIndex(m.id), true); err != nil {
		return err
	}
	return o.persistExpectedMons(ctx)
}

func (o *Operator) updateMon(ctx context.Context, d *appsv1.Deployment, m mon) error {
	before, err := o.applyUpdate(ctx, d, func() error { return o.okToStopMon(ctx, m.id) })
	if err != nil || before == nil {
		return err
	}
	return o.waitForUpdate(ctx, []*appsv1.Deployment{before})
}

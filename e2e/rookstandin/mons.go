package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// storedMemory returns what the ConfigMap says.
func (o *Operator) storedMemory(ctx context.Context) (*memory, error) {
	cm := &corev1.ConfigMap{}
	err := o.write.get(ctx, o.options.Namespace, EndpointsConfigMap, cm)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	stored, err := readMemory(cm)
	if err != nil {
		return nil, fmt.Errorf("failed to load mon endpoints: %w", err)
	}
	return stored, nil
}

// detectVersion is what a reconcile does before it waits for whoever works on the mons: after the time of a job it reads the
// ConfigMap, writes ceph.conf from it and asks a cluster that has mons for its versions. Nobody may answer.
func (o *Operator) detectVersion(ctx context.Context) error {
	if err := o.sleep(ctx, o.options.Timing.DetectVersion); err != nil {
		return err
	}
	stored, err := o.storedMemory(ctx)
	if err != nil || len(stored.mons) == 0 {
		return err
	}
	o.memory.change(func() { o.memory.conf.Dial = stored.mons.Dialled() })
	if _, err := o.quorumStatus(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		o.goOn("failed to get ceph daemons versions", "", err)
	}
	return nil
}

// loadClusterInfo takes the addresses of the mons from the ConfigMap into memory, and leaves ceph.conf as it is.
func (o *Operator) loadClusterInfo(ctx context.Context) error {
	stored, err := o.storedMemory(ctx)
	if err != nil {
		return err
	}
	m := o.memory
	m.change(func() { m.mons, m.maxMonID, m.mapping = stored.mons, stored.maxMonID, stored.mapping })
	o.journal.add(Loaded, "ConfigMap", o.cluster.Namespace+"/"+EndpointsConfigMap, "%s", o.flat(o.memory.snapshot()))
	return nil
}

// startMons makes the mons of a new cluster, one after the other, or sees to it that those of an old one run.
func (o *Operator) startMons(ctx context.Context, target int) error {
	existing, mons := o.monConfig(target)
	if err := o.assignMons(ctx, mons); err != nil {
		return fmt.Errorf("failed to assign pods to mons: %w", err)
	}
	var early error
	if existing > 0 {
		early = o.setDefaultConfigs(ctx)
		o.goOn("failed to set Ceph config options before starting mons; will retry", "", early)
	}
	if existing >= len(mons) {
		if err := o.ensureMonsRunning(ctx, mons, target, false); err != nil {
			return err
		}
		if early != nil {
			return o.setDefaultConfigs(ctx)
		}
		return nil
	}
	for i := existing; i < target; i++ {
		if err := o.ensureMonsRunning(ctx, mons, target, true); err != nil {
			return err
		}
		if existing == 0 || early != nil && i == existing {
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
	for _, id := range known.Sorted() {
		mons = append(mons, mon{id: id, endpoint: known[id].Endpoint})
	}
	return mons
}

// monConfig returns the mons in memory, then as many new ones as are missing.
func (o *Operator) monConfig(target int) (existing int, mons []mon) {
	mons = o.knownMons()
	existing = len(mons)
	for range target - existing {
		o.memory.maxMonID++
		mons = append(mons, o.newMon(o.memory.maxMonID))
	}
	return existing, mons
}

// newMon returns a mon that has no address yet.
func (o *Operator) newMon(index int) mon {
	port := uint16(shapes.Msgr1Port)
	if o.cluster.Spec.RequireMsgr2() {
		port = shapes.Msgr2Port
	}
	return mon{id: shapes.MonName(index), endpoint: netip.AddrPortFrom(netip.Addr{}, port)}
}

// ensureMonsRunning brings one more mon up than are known, or all that are known if they are enough.
func (o *Operator) ensureMonsRunning(ctx context.Context, mons []mon, target int, requireAll bool) error {
	expected := len(o.memory.snapshot())
	if expected < target {
		expected++
	}
	return inOrder(ctx,
		step{"failed to init mon services", func(ctx context.Context) error { return o.initMonIPs(ctx, mons[:expected]) }},
		step{"failed to save mons", o.saveMonConfig},
		step{"failed to start mon pods", func(ctx context.Context) error { return o.startDeployments(ctx, mons[:expected], requireAll) }},
	)
}

// initMonIPs makes the Services, gives an address to each mon that has none, and remembers it.
func (o *Operator) initMonIPs(ctx context.Context, mons []mon) error {
	for i := range mons {
		m := &mons[i]
		if err := o.initMonIP(ctx, m); err != nil {
			return err
		}
		o.memory.set(m.id, shapes.Mon{Endpoint: m.endpoint, OutOfQuorum: o.memory.snapshot()[m.id].OutOfQuorum})
	}
	return nil
}

func (o *Operator) initMonIP(ctx context.Context, m *mon) error {
	if o.cluster.Spec.HostNetwork() {
		node, ok := o.memory.mapping[m.id]
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
	if o.cluster.Spec.Native() {
		if clusterIP, err = o.export(ctx, shapes.MonResource(m.id)); err != nil {
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
	err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace), client.MatchingLabels{"app": shapes.MonApp})
	o.goOn("failed to list mon deployments", "", err)
	ready := slices.ContainsFunc(list.Items, func(d appsv1.Deployment) bool { return d.Status.AvailableReplicas > 0 })
	checkOnce := len(list.Items) < len(mons) || !ready
	for i, m := range mons {
		if err := o.startMon(ctx, m); err != nil {
			if ctx.Err() != nil {
				return err
			}
			o.goOn("attempting to continue after failing to start the mon", shapes.MonResource(m.id), err)
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
	d := o.monDeployment(m)
	existing := &appsv1.Deployment{}
	err := o.write.get(ctx, d.Namespace, d.Name, existing)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err == nil {
		d.Spec.Template.Spec.NodeSelector = existing.Spec.Template.Spec.NodeSelector
		return o.updateAndWait(ctx, d, func() error { return o.okToStopMon(ctx, m.id) })
	}
	if err := o.write.create(ctx, d); err != nil {
		return err
	}
	if err := o.commitMaxMonID(ctx, shapes.MonIndex(m.id), true); err != nil {
		return err
	}
	return o.persistExpectedMons(ctx)
}

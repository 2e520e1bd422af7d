package proof_test

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
)

// rookTimeout bounds the wait for a CephCluster to be Ready.
const rookTimeout = 8 * time.Minute

// What a plan says that replaces mons soon.
const (
	monInterval    = 3 * time.Second
	statusInterval = 3 * time.Second
)

// site is a Ceph cluster that the stand-in of Rook's operator runs in a Kubernetes cluster.
type site struct {
	*cluster
	name, namespace string
	operator        *rookstandin.Operator
	recorder        *recorder.Recorder
	// shell is a pod in the namespace of the site with access to the site.
	shell shell
}

// plan is what a site is to be.
type plan struct {
	name, namespace string
	// enabled is whether rook-clusterset has to do with it.
	enabled bool
	// replacesSoon is whether Rook asks for Ceph's health, and for the mons, every few seconds, and replaces a mon after 5 s.
	replacesSoon bool
}

// health is how often a CephCluster has Rook look at it.
func (p plan) health(spec map[string]any) {
	if p.replacesSoon {
		spec["healthCheck"].(map[string]any)["daemonHealth"] = map[string]any{
			"mon":    map[string]any{"interval": monInterval.String(), "timeout": "5s"},
			"status": map[string]any{"interval": statusInterval.String()},
		}
	}
}

func (p plan) timing() rookstandin.Timing {
	timing := rookstandin.RealTiming()
	if p.replacesSoon {
		timing.HealthInterval, timing.StatusInterval = monInterval, statusInterval
	}
	return timing
}

// bringUp starts Rook's operator, creates the CephCluster and returns once it is Ready.
func bringUp(ctx context.Context, c *cluster, r *report, p plan) (*site, error) {
	s := &site{cluster: c, name: p.name, namespace: p.namespace}
	if err := s.prepare(ctx, p); err != nil {
		return nil, err
	}
	var err error
	if s.recorder, err = recorder.Start(ctx, c.node.Client, p.namespace); err != nil {
		return nil, err
	}
	spec := []func(map[string]any){
		realceph.OneNode(node.CephImage, filepath.Join(c.dir, "rook", p.namespace)),
		p.health,
	}
	if err := c.node.Client.Create(ctx, rookstandin.NewCephCluster(p.namespace, p.name, spec...)); err != nil {
		return nil, fmt.Errorf("create the CephCluster of %s: %w", p.name, err)
	}
	s.operator, err = rookstandin.Start(ctx, rookstandin.Options{
		Config: c.node.Config, Namespace: p.namespace, OperatorNamespace: p.namespace,
		CephVersion: realceph.Version, OSDs: realceph.OSDsOnFiles(),
		Nodes:    []rookstandin.Node{{Name: c.node.Name, Address: c.node.NodeIP.String()}},
		Commands: realceph.Commands{Run: realceph.Chroot(c.node.Command, c.cephRoot)}, Timing: p.timing(),
		OnEntry: func(e rookstandin.Entry) { narrate(r, p.name, e) },
	})
	if err != nil {
		return s, err
	}
	if err := until(ctx, rookTimeout, func() error {
		if s.operator.Reconciled() == 0 {
			return fmt.Errorf("the CephCluster of %s is not Ready", p.name)
		}
		return nil
	}); err != nil {
		return s, err
	}
	a, err := readAccess(ctx, c.node.Client, p.namespace)
	if err != nil {
		return s, err
	}
	s.shell = s.shell.to(a)
	return s, realceph.MuteDebian(ctx, s.shell)
}

// prepare makes the namespace, with what Rook's own manifests install and a toolbox in it.
func (s *site) prepare(ctx context.Context, p plan) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}}
	if p.enabled {
		namespace.Labels = map[string]string{"rook-clusterset.io/enabled": "true"}
	}
	if err := s.node.Client.Create(ctx, namespace); err != nil {
		return fmt.Errorf("create Namespace %s: %w", p.namespace, err)
	}
	if err := rookstandin.Install(ctx, s.node.Config, p.namespace); err != nil {
		return err
	}
	if err := s.node.Client.Create(ctx, realceph.ConfigOverride(p.namespace)); err != nil {
		return fmt.Errorf("configure the Ceph cluster of %s: %w", p.name, err)
	}
	var err error
	s.shell, err = startToolbox(ctx, s.node, p.namespace)
	return err
}

// settled waits until the operator remembers each mon by the address that the mon has in the monmap.
func (s *site) settled(ctx context.Context, monmap func() (map[string]netip.Addr, error)) error {
	return until(ctx, rookTimeout, func() error {
		truth, err := monmap()
		if err != nil {
			return err
		}
		memory := s.operator.Memory()
		for id, address := range truth {
			if memory[id].Addr() != address {
				return fmt.Errorf("Rook remembers mon %s of %s at %s, and it is at %s", id, s.name, memory[id], address)
			}
		}
		return nil
	})
}

// journal returns what Rook's operator did, and the state of its pods.
func (s *site) journal() string {
	var text strings.Builder
	for _, e := range s.operator.Journal().Entries() {
		fmt.Fprintln(&text, e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	pods, _ := s.node.Kubectl(ctx, nil, "-n", s.namespace, "get", "pods,services,serviceexports,events", "-o", "wide")
	return text.String() + pods
}

// pod returns the one pod of a daemon that is not on its way out.
func (s *site) podOf(ctx context.Context, labels map[string]string) (*corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := s.node.Client.List(ctx, list, client.InNamespace(s.namespace), client.MatchingLabels(labels)); err != nil {
		return nil, fmt.Errorf("list the pods %v of %s: %w", labels, s.name, err)
	}
	for i := range list.Items {
		if list.Items[i].DeletionTimestamp == nil {
			return &list.Items[i], nil
		}
	}
	return nil, fmt.Errorf("there is no pod %v in %s", labels, s.name)
}

func narrate(r *report, site string, e rookstandin.Entry) {
	switch e.Event {
	case rookstandin.Refused, rookstandin.QuorumReached, rookstandin.ReconcileFailed, rookstandin.ReconcileSucceeded,
		rookstandin.Triggered, rookstandin.FailoverStarted, rookstandin.FailoverSucceeded, rookstandin.FailoverReverted,
		rookstandin.MonRemoved, rookstandin.QuorumGivenUp:
		r.tell("%s, Rook: %s %s", site, e.Event, oneLine(e.Kind+" "+e.Message))
	}
}

// until tries until there is no error, and returns the last one when the time is over.
func until(ctx context.Context, patience time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return realceph.Await(ctx, try)
}

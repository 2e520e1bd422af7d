// Package world puts the whole system together: a real control plane, the shipped manifests, replicas of
// rook-clusterset, and the stand-ins of Rook and of an MCS implementation.
package world

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// World is a cluster with rook-clusterset installed.
type World struct {
	Plane    *controlplane.Plane
	MCS      *mcsstandin.Standin
	Replicas []*controlplane.Replica

	end context.CancelFunc
}

// Start starts everything but Rook, the replicas with the arguments. The caller must Stop what it got.
func Start(ctx context.Context, mcs mcsstandin.Options, args ...string) (*World, error) {
	plane, err := controlplane.Start(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	w := &World{Plane: plane, end: end}
	if err := w.start(ctx, mcs, args); err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	return w, nil
}

func (w *World) start(ctx context.Context, mcs mcsstandin.Options, args []string) error {
	if err := mcsstandin.Install(w.Plane.Config, mcsstandin.V1Beta1); err != nil {
		return err
	}
	if err := rookstandin.InstallKinds(w.Plane.Config); err != nil {
		return err
	}
	mcs.Config = w.Plane.Config
	var err error
	if w.MCS, err = mcsstandin.Start(ctx, mcs); err != nil {
		return err
	}
	if _, err := w.Plane.Kubectl(ctx, manifests.Install, "apply", "-f", "-"); err != nil {
		return err
	}
	for i := range 2 {
		if err := w.AddReplica(ctx, fmt.Sprintf("replica-%d", i), args...); err != nil {
			return err
		}
	}
	return nil
}

// AddReplica starts one more replica and lets it serve.
func (w *World) AddReplica(ctx context.Context, name string, args ...string) error {
	replica, err := w.Plane.StartReplica(ctx, name, args...)
	if err != nil {
		return err
	}
	w.Replicas = append(w.Replicas, replica)
	w.Plane.Serve(w.Replicas...)
	return nil
}

// Stop ends everything; the API server last, which waits for those that watch it.
func (w *World) Stop() error {
	w.end()
	return w.Plane.Stop()
}

// Site is one Rook namespace of a World.
type Site struct {
	World     *World
	Namespace string
	Recorder  *recorder.Recorder
	Operator  *rookstandin.Operator
	Ceph      *ceph.Cluster
}

// NewSite makes a namespace for Rook, switched on or not, with everything but the operator. Rook's operator lives in it.
func (w *World) NewSite(ctx context.Context, namespace string, enabled bool) (*Site, error) {
	c := w.Plane.Client
	ns := &corev1.Namespace{}
	ns.Name = namespace
	if enabled {
		ns.Labels = map[string]string{"rook-clusterset.io/enabled": "true"}
	}
	if err := c.Create(ctx, ns); err != nil {
		return nil, fmt.Errorf("create Namespace %s: %w", namespace, err)
	}
	if err := rookstandin.Install(ctx, w.Plane.Config, namespace); err != nil {
		return nil, err
	}
	if err := ceph.PlayKubelet(ctx, c, namespace, rookstandin.DefaultNodes); err != nil {
		return nil, fmt.Errorf("play the kubelet of %s: %w", namespace, err)
	}
	s := &Site{World: w, Namespace: namespace}
	var err error
	if s.Recorder, err = recorder.Start(ctx, c, namespace); err != nil {
		return nil, err
	}
	if s.Ceph, err = ceph.Start(ctx, c, namespace); err != nil {
		return nil, fmt.Errorf("start Ceph in %s: %w", namespace, err)
	}
	return s, nil
}

// CreateCephCluster creates the CephCluster that Rook is to bring up.
func (s *Site) CreateCephCluster(ctx context.Context, edits ...func(spec map[string]any)) error {
	if err := s.World.Plane.Client.Create(ctx, rookstandin.NewCephCluster(s.Namespace, "my-cluster", edits...)); err != nil {
		return fmt.Errorf("create CephCluster %s/my-cluster: %w", s.Namespace, err)
	}
	return nil
}

// StartOperator starts Rook's operator.
func (s *Site) StartOperator(ctx context.Context, options rookstandin.Options) error {
	options.Config = s.World.Plane.Config
	options.Namespace, options.OperatorNamespace = s.Namespace, s.Namespace
	options.Ceph = s.Ceph
	operator, err := rookstandin.Start(ctx, options)
	if err != nil {
		return err
	}
	s.Operator = operator
	return nil
}

// Export returns the ServiceExport of a daemon.
func (s *Site) Export(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	export := Object("multicluster.x-k8s.io/v1beta1", "ServiceExport", s.Namespace, name)
	if err := s.World.Plane.Client.Get(ctx, client.ObjectKeyFromObject(export), export); err != nil {
		return nil, fmt.Errorf("read ServiceExport %s/%s: %w", s.Namespace, name, err)
	}
	return export, nil
}

// Object returns one of a kind for which there is no type here, as it is asked for or created.
func Object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

package addresses

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const (
	// pause passes between two looks.
	pause = 5 * time.Second
	// lookTimeout bounds one.
	lookTimeout = 10 * time.Second
)

// mostLooked bounds how many objects of a namespace are looked at besides that of its CephCluster: whoever may write there can make any
// number, each as large as the API server takes it.
const mostLooked = 4

// loop keeps the objects, on the leader. It reads them from the API server, namespace by namespace: a watch would have every replica
// keep what nobody decides by, and a list of all would bring what strangers make in namespaces that are none of ours.
type loop struct {
	view *view.View
	live client.Reader
	// writer writes what is decided.
	writer client.Client
	log    logr.Logger
	now    func() time.Time
	term   *recall.Term
	// absent says that the kind is not installed, which is told once.
	absent bool
}

// Setup adds the loop, which runs on the leader. Its rights stand in manifests/base/rbac.yaml, and how they are fenced in
// manifests/base/fence-addresses.yaml.
func Setup(mgr ctrl.Manager, v *view.View, term *recall.Term) error {
	return mgr.Add(&loop{
		view: v, live: mgr.GetAPIReader(), writer: mgr.GetClient(), log: mgr.GetLogger().WithName("addresses"), now: time.Now, term: term,
	})
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*loop) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable.
func (l *loop) Start(ctx context.Context) error {
	for {
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			l.log.Error(err, "The conditions of the addresses are not kept")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// look sees to the objects of every namespace that is switched on or has a CephCluster.
func (l *loop) look(ctx context.Context) error {
	ctx, end, leads := l.term.Bind(ctx)
	defer end()
	if !leads {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	enabled, err := l.view.EnabledNamespaces(ctx)
	if err != nil {
		return err
	}
	clusters, err := l.view.ClusterNamespaces(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for namespace := range sets.New(enabled...).Insert(clusters...) {
		err := l.keep(ctx, namespace)
		if errors.Is(err, errAbsent) {
			l.tellAbsent()
			return nil
		}
		failed = append(failed, err)
	}
	l.absent = false
	return errors.Join(failed...)
}

func (l *loop) tellAbsent() {
	if !l.absent {
		l.log.Info("Machines are told nothing: apply manifests/install.yaml", "missing", Resource+"."+Kind.Group)
	}
	l.absent = true
}

// keep sees to the objects of one namespace.
func (l *loop) keep(ctx context.Context, namespace string) error {
	facts, err := Gather(ctx, l.view, namespace)
	if err != nil {
		return err
	}
	there, err := List(ctx, l.live, client.InNamespace(namespace), client.Limit(mostLooked))
	if err != nil {
		return err
	}
	if facts.Cluster != nil && !slices.ContainsFunc(there, func(o unstructured.Unstructured) bool { return o.GetName() == facts.Cluster.Name }) {
		own, err := l.own(ctx, facts, len(there) < mostLooked)
		if err != nil {
			return err
		}
		there = append(there, own...)
	}
	for i := range there {
		if err := l.write(ctx, facts, &there[i]); err != nil {
			return err
		}
	}
	return nil
}

// own returns the object of the CephCluster, which is made where there is none and the namespace is switched on.
func (l *loop) own(ctx context.Context, facts Facts, missing bool) ([]unstructured.Unstructured, error) {
	if !missing {
		found, err := List(ctx, l.live, client.InNamespace(facts.Namespace), Named(facts.Cluster.Name))
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	if !facts.Enabled {
		return nil, nil
	}
	created, err := l.create(ctx, *facts.Cluster)
	if err != nil {
		return nil, err
	}
	return []unstructured.Unstructured{*created}, nil
}

// errAbsent says that the kind is not installed.
var errAbsent = errors.New("the kind is not installed")

// List returns objects as the API server has them.
func List(ctx context.Context, reader client.Reader, opts ...client.ListOption) ([]unstructured.Unstructured, error) {
	found := &unstructured.UnstructuredList{}
	found.SetGroupVersionKind(Kind.GroupVersion().WithKind(Kind.Kind + "List"))
	err := reader.List(ctx, found, opts...)
	switch {
	case kinds.Absent(err):
		return nil, errAbsent
	case err != nil:
		return nil, fmt.Errorf("list the %s: %w", Resource, err)
	}
	return found.Items, nil
}

// Named limits a list to the object of a name: the right to list is enough for it.
func Named(name string) client.ListOption { return client.MatchingFields{"metadata.name": name} }

// Gather reads what the objects of a namespace are about.
func Gather(ctx context.Context, v *view.View, namespace string) (Facts, error) {
	snapshot, err := v.Snapshot(ctx, namespace)
	if err != nil {
		return Facts{}, fmt.Errorf("read namespace %s: %w", namespace, err)
	}
	remembered, err := v.Remembered(ctx, namespace)
	if err != nil {
		return Facts{}, err
	}
	return Facts{Snapshot: snapshot, ExportKindServed: v.ExportKindServed(), Remembered: remembered}, nil
}

// create makes the object of a CephCluster, which goes with it. One that an admin made is left as it is but for its status.
func (l *loop) create(ctx context.Context, cluster rook.Cluster) (*unstructured.Unstructured, error) {
	object := kinds.Object(Kind)
	object.SetNamespace(cluster.Namespace)
	object.SetName(cluster.Name)
	object.SetLabels(rook.Marks())
	object.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: rook.CephGroup + "/" + rook.CephAPIVersion, Kind: rook.CephClusterKind, Name: cluster.Name, UID: cluster.UID,
	}})
	if err := l.writer.Create(ctx, object, client.FieldOwner(rook.Manager)); err != nil {
		return nil, fmt.Errorf("create %s %s/%s: %w", Kind.Kind, cluster.Namespace, cluster.Name, err)
	}
	return object, nil
}

// write tells what is decided of an object, where that is not what stands there.
func (l *loop) write(ctx context.Context, facts Facts, object *unstructured.Unstructured) error {
	facts.Name, facts.Generation = object.GetName(), object.GetGeneration()
	before := ReadStatus(object)
	after := Decide(facts, before, l.now())
	if reflect.DeepEqual(before, after) {
		return nil
	}
	patch, err := patchOf(object, after)
	if err != nil {
		return err
	}
	name := facts.Namespace + "/" + facts.Name
	err = l.writer.Status().Patch(ctx, object, patch, client.FieldOwner(rook.Manager))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		// The next look sees what it is now.
		return nil
	case err != nil:
		return fmt.Errorf("write the status of %s %s: %w", Kind.Kind, name, err)
	}
	l.tell(name, before, after)
	return nil
}

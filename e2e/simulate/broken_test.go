package main

import (
	"context"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/exporter"
	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

// brokenSchedules are as many stories as may be told until what was taken away is missed.
const brokenSchedules = 1500

// TestBrokenOnPurposeAFaultIsFound takes away what the product is careful about, one by one: each time a story has to end badly.
func TestBrokenOnPurposeAFaultIsFound(t *testing.T) {
	if os.Getenv("ROOK_CLUSTERSET_BROKEN") == "" {
		t.Skip("make simulate-broken takes minutes")
	}
	for name, broken := range map[string]guards{
		"exports hang on the CephCluster":                              {writerOf: func(w client.Writer) client.Writer { return owning{w} }},
		"nobody lives without an owner, nor by a used-up letter":       {readerOf: func(r client.Reader) client.Reader { return unlettered{blind{Reader: r, to: ownerless}} }},
		"what a living daemon advertises is not in use":                {readerOf: func(r client.Reader) client.Reader { return blind{Reader: r, to: everyDeployment, byIndex: true} }},
		"what a daemon of another namespace advertises is not in use":  {readerOf: func(r client.Reader) client.Reader { return blind{Reader: r, to: elsewhere, byIndex: true} }},
		"at admission nobody asks again who has an address":            {viewOf: func(v webhook.View) webhook.View { return unclaimed{v} }},
		"a daemon is born by what a cache has":                         {viewOf: func(v webhook.View) webhook.View { return cachedDaemon{v} }},
		"a list is judged by what a cache has of its mons":             {liveOf: func(l, cached client.Reader) client.Reader { return byCache{l, cached} }},
		"mon_host may be behind the list":                              {viewOf: func(v webhook.View) webhook.View { return caughtUp{v} }},
		"corrections come from what a cache has of the list":           {liveOf: func(l, cached client.Reader) client.Reader { return listByCache{l, cached} }},
		"what Rook remembers is not noted":                             {viewOf: func(v webhook.View) webhook.View { return forgetful{v} }},
		"the address that Rook asks for a lost Service is not dropped": {unasked: webhook.MonServicePath},
		"mon_host is not corrected":                                    {unasked: webhook.CephConfigPath},
		"the slices of the mons are not corrected":                     {unasked: webhook.ActiveMonsPath},
		"an address is taken before the network carries it":            {askerOf: func(r *resolver.Resolver) exporter.Asker { return hasty{r} }},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := playAll(t.Context(), 1, brokenSchedules, runtime.NumCPU(), broken, 1)
			require.NoError(t, err)
			require.NotEmpty(t, s.bad, "in %d stories", s.played)
			t.Logf("seed %d, of %d: %s", s.bad[0].seed, s.played, s.bad[0].violation)
		})
	}
}

// owning has what is created for a daemon owned by the CephCluster.
type owning struct{ client.Writer }

func (o owning) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	if kindOf(object) == kinds.ServiceExport {
		w := o.Writer.(ourWriter).world
		for _, s := range w.sites {
			if cluster := s.cluster(); cluster != nil && s.namespace == object.GetNamespace() {
				object.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: clusterName, UID: cluster.GetUID()}})
			}
		}
	}
	return o.Writer.Create(ctx, object, opts...)
}

func (o owning) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if kindOf(object) == kinds.ServiceExport {
		return nil
	}
	return o.Writer.Patch(ctx, object, patch, opts...)
}

// blind does not see some Deployments: always, or only where it looks for who has an address.
type blind struct {
	client.Reader
	to      func(*appsv1.Deployment) bool
	byIndex bool
}

func ownerless(d *appsv1.Deployment) bool { return len(d.OwnerReferences) == 0 }

func everyDeployment(*appsv1.Deployment) bool { return true }

func elsewhere(d *appsv1.Deployment) bool { return d.Namespace != "rook-ceph" }

func (b blind) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if err := b.Reader.Get(ctx, key, into, opts...); err != nil {
		return err
	}
	if d, ok := into.(*appsv1.Deployment); ok && !b.byIndex && b.to(d) {
		return notFound(deploymentKind, key.Name)
	}
	return nil
}

func (b blind) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	err := b.Reader.List(ctx, into, opts...)
	list, ok := into.(*appsv1.DeploymentList)
	options := (&client.ListOptions{}).ApplyOptions(opts)
	if !ok || b.byIndex && options.Namespace != "" {
		return err
	}
	var seen []appsv1.Deployment
	for i := range list.Items {
		if !b.to(&list.Items[i]) {
			seen = append(seen, list.Items[i])
		}
	}
	list.Items = seen
	return err
}

// unlettered takes every letter for one that no mon has had.
type unlettered struct{ client.Reader }

func (u unlettered) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if err := u.Reader.Get(ctx, key, into, opts...); err != nil {
		return err
	}
	if list, ok := into.(*corev1.ConfigMap); ok && list.Name == rook.MonEndpointsName {
		unused := list.DeepCopy()
		unused.Data[rook.EndpointsMaxMonIDKey] = "-1"
		*list = *unused
	}
	return nil
}

type unclaimed struct{ webhook.View }

func (unclaimed) Claims(context.Context, netip.Addr) ([]rook.Claim, error) { return nil, nil }

func (u unclaimed) Mons(ctx context.Context, namespace string) (map[string]rook.DaemonFacts, error) {
	mons, err := u.View.Mons(ctx, namespace)
	for id, facts := range mons {
		facts.HeldBy = ""
		mons[id] = facts
	}
	return mons, err
}

type cachedDaemon struct{ webhook.View }

func (c cachedDaemon) LatestDaemon(ctx context.Context, daemon rook.Daemon) (rook.DaemonFacts, error) {
	export, err := c.View.Export(ctx, daemon.Namespace, daemon.Name())
	return rook.DaemonFacts{Daemon: daemon, Export: export}, err
}

// byCache reads the objects of daemons from a cache where the API server itself was to be asked.
type byCache struct {
	client.Reader
	cached client.Reader
}

func (b byCache) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	switch into := into.(type) {
	case *appsv1.Deployment, *corev1.Service, *unstructured.Unstructured:
		return b.cached.Get(ctx, key, into, opts...)
	case *metav1.PartialObjectMetadata:
		if kindOf(into) == deploymentKind {
			return b.cached.Get(ctx, key, into, opts...)
		}
	case *corev1.ConfigMap:
		return b.cached.Get(ctx, key, into, opts...)
	}
	return b.Reader.Get(ctx, key, into, opts...)
}

type listByCache struct {
	client.Reader
	cached client.Reader
}

func (l listByCache) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if _, list := into.(*corev1.ConfigMap); list {
		return l.cached.Get(ctx, key, into, opts...)
	}
	return l.Reader.Get(ctx, key, into, opts...)
}

// caughtUp takes mon_host for as new as the list.
type caughtUp struct{ webhook.View }

func (c caughtUp) Remembered(ctx context.Context, namespace string) (rook.Remembered, error) {
	remembered, err := c.View.Remembered(ctx, namespace)
	remembered.MonHostLacks = nil
	return remembered, err
}

// forgetful does not know what Rook last wrote.
type forgetful struct{ webhook.View }

func (forgetful) Remembered(context.Context, string) (rook.Remembered, error) {
	return rook.Remembered{}, nil
}

// hasty takes for life what may change in a moment.
type hasty struct{ *resolver.Resolver }

func (h hasty) Resolve(ctx context.Context, req resolver.Request, m resolver.Membership) (resolver.Answer, error) {
	req.ForLife = false
	return h.Resolver.Resolve(ctx, req, m)
}

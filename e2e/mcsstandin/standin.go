package mcsstandin

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// Peer is another member of the clusterset.
type Peer struct {
	ClusterID  string
	GlobalCIDR netip.Prefix
}

// Options configure a stand-in. Zero values stand for the defaults that are named, and else for what Submariner does.
type Options struct {
	// Config reaches the API server of the cluster.
	Config *rest.Config
	// ClusterID is "east" by default.
	ClusterID string
	// GlobalCIDR is 242.0.0.0/16 by default.
	GlobalCIDR netip.Prefix
	// Peers are one cluster "west" at 242.1.0.0/16 by default.
	Peers []Peer
	// NoGlobalnet exports each Service with its ClusterIP.
	NoGlobalnet bool
	// AllocationDelay passes before a GlobalIngressIP has its address.
	AllocationDelay time.Duration
	// ExportDelay passes from then until the broker has answered: until then there is no DNS record.
	ExportDelay time.Duration
	// WritesPerSecond bounds the writes: Globalnet makes 5 in a second. None by default.
	WritesPerSecond float32
	// EmptyReasons makes conditions that are True carry no reason, as lighthouse 0.19 writes them. The API server
	// accepts that only with the CRDs of V1Alpha1Only; with others no export is ever Valid.
	EmptyReasons bool
	// FreshAddresses never gives an address twice, so that a test sees every change of one. Globalnet gives one that was
	// freed to whoever asks next.
	FreshAddresses bool
	// SecondAddressWindow is how soon after its allocation a write to a Service gives it a second address, of which
	// Lighthouse is not told: 270 ms in a real cluster, and once in some 200 exports. Never by default.
	SecondAddressWindow time.Duration
	// LighthouseRemembers makes Lighthouse tell the address that a Service had, until RestartLighthouse, as the real one
	// does (lighthouse#1740).
	LighthouseRemembers bool
	// ClustersetIPs gives every export an address of 243.0.0.0/20 that its clusters share; else only one whose annotation
	// asks for it has that.
	ClustersetIPs bool
	// Broker makes this the cluster that has the broker, with its copies.
	Broker bool
	// DNSAddress is where DNS answers, over UDP and TCP: a port of loopback by default. Inside is called to listen there, in
	// the network namespace of a node for one.
	DNSAddress string
	Inside     func(listen func() error) error
}

// Standin is a running implementation of the MCS API.
type Standin struct {
	options Options
	client  client.Client
	scheme  *runtime.Scheme
	pool    *pool
	vips    *pool
	peers   []*pool
	egress  []netip.Addr
	gateway netip.Addr
	dns     *dnsServer
	wakes   chan event.GenericEvent
	done    chan struct{}

	mu      sync.Mutex
	faults  map[types.NamespacedName]Fault
	records map[types.NamespacedName]*record
	remote  map[types.NamespacedName][]remoteExport
	members []*Standin
	// When what was restarted is there again.
	globalnetBack, lighthouseBack time.Time
}

// remoteExport is a Service of the same name that a peer exported.
type remoteExport struct {
	clusterID string
	address   netip.Addr
	began     time.Time
}

// newStandin returns a stand-in that is not started, with the defaults in place.
func newStandin(o Options) *Standin {
	o.ClusterID = cmp.Or(o.ClusterID, "east")
	o.GlobalCIDR = cmp.Or(o.GlobalCIDR, netip.MustParsePrefix("242.0.0.0/16"))
	if o.Peers == nil {
		o.Peers = []Peer{{ClusterID: "west", GlobalCIDR: netip.MustParsePrefix("242.1.0.0/16")}}
	}
	s := &Standin{
		options: o,
		scheme:  newScheme(),
		vips:    newPool(netip.MustParsePrefix("243.0.0.0/20"), o.FreshAddresses),
		wakes:   make(chan event.GenericEvent, 1024),
		done:    make(chan struct{}),
		faults:  map[types.NamespacedName]Fault{},
		records: map[types.NamespacedName]*record{},
		remote:  map[types.NamespacedName][]remoteExport{},
	}
	s.pool, s.egress, s.gateway = newRange(o.GlobalCIDR, o.FreshAddresses)
	for _, peer := range o.Peers {
		pool, _, _ := newRange(peer.GlobalCIDR, o.FreshAddresses)
		s.peers = append(s.peers, pool)
	}
	return s
}

// newRange returns the pool of a cluster, with what its egress and its gateway took before there was any export.
func newRange(prefix netip.Prefix, fresh bool) (pool *pool, egress []netip.Addr, gateway netip.Addr) {
	pool = newPool(prefix, fresh)
	// A range that is too small for them is one that is exhausted.
	egress, _ = pool.DrawBlock(egressAddresses)
	gateway, _ = pool.Draw()
	return pool, egress, gateway
}

// Start runs the stand-in for all namespaces until the context ends. The kinds must be installed before. When it
// returns, the caches are synced, the members of the clusterset are announced and DNS answers.
func Start(ctx context.Context, o Options) (*Standin, error) {
	s := newStandin(o)
	cfg := rest.CopyConfig(o.Config)
	cfg.QPS = -1
	throttle(cfg, o.WritesPerSecond)
	// The reads of a reconcile go to the API server itself: what was written a moment ago is then always seen, and
	// no address is allocated twice.
	live, err := client.New(cfg, client.Options{Scheme: s.scheme})
	if err != nil {
		return nil, fmt.Errorf("make the client of the MCS stand-in: %w", err)
	}
	s.client = live

	if err := s.announce(ctx); err != nil {
		return nil, err
	}
	if err := s.adoptAllocations(ctx); err != nil {
		return nil, err
	}
	mgr, err := s.newManager(cfg)
	if err != nil {
		return nil, err
	}
	// The informers are asked for before the manager starts, so that the wait for the caches below waits for them.
	for _, o := range []client.Object{&mcsv1alpha1.ServiceExport{}, &corev1.Service{}, &discoveryv1.EndpointSlice{}} {
		if _, err := mgr.GetCache().GetInformer(ctx, o); err != nil {
			return nil, fmt.Errorf("watch %T: %w", o, err)
		}
	}
	if s.dns, err = startDNS(ctx, s); err != nil {
		return nil, err
	}
	failed := make(chan error, 1)
	go func() {
		defer close(s.done)
		failed <- mgr.Start(ctx)
	}()
	select {
	case <-mgr.Elected():
	case err := <-failed:
		return nil, fmt.Errorf("start the manager of the MCS stand-in: %w", err)
	}
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return nil, fmt.Errorf("sync the caches of the MCS stand-in: %w", context.Cause(ctx))
	}
	return s, nil
}

// Wait returns when everything that Start started has stopped.
func (s *Standin) Wait() {
	<-s.done
	s.dns.running.Wait()
}

// DNSAddr returns the host and port on which DNS answers, over UDP and TCP.
func (s *Standin) DNSAddr() string { return s.dns.addr }

// GlobalIP returns the global IP that the GlobalIngressIP of the Service tells now.
func (s *Standin) GlobalIP(namespace, name string) (netip.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[types.NamespacedName{Namespace: namespace, Name: name}]
	if r == nil || !r.stored.IsValid() {
		return netip.Addr{}, false
	}
	return r.stored, true
}

// ExportAtPeer makes a peer export a Service of this name with an address out of its range, and returns the address.
func (s *Standin) ExportAtPeer(namespace, name, clusterID string) (netip.Addr, error) {
	for i, peer := range s.options.Peers {
		if peer.ClusterID != clusterID {
			continue
		}
		address, err := s.peers[i].Draw()
		if err != nil {
			return netip.Addr{}, fmt.Errorf("export %s/%s at %s: %w", namespace, name, clusterID, err)
		}
		key := types.NamespacedName{Namespace: namespace, Name: name}
		s.locked(func() { s.remote[key] = append(s.remote[key], remoteExport{clusterID, address, time.Now()}) })
		s.wake(key)
		return address, nil
	}
	return netip.Addr{}, fmt.Errorf("export %s/%s: no peer %q", namespace, name, clusterID)
}

func (s *Standin) wake(key types.NamespacedName) {
	s.wakes <- event.GenericEvent{Object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}}
}

// locked does what must see and leave the state as a whole.
func (s *Standin) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func newScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(mcsv1alpha1.Install(scheme))
	return scheme
}

func (s *Standin) newManager(cfg *rest.Config) (ctrl.Manager, error) {
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:                 s.scheme,
		Logger:                 logr.Discard(),
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Controller:             config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager of the MCS stand-in: %w", err)
	}
	err = ctrl.NewControllerManagedBy(mgr).
		Named("globalnet").
		For(&mcsv1alpha1.ServiceExport{}, builder.WithPredicates(saidAnew)).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(s.ofExport(mgr.GetClient(), exportOfService))).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(s.ofExport(mgr.GetClient(), exportOfSlice))).
		WatchesRawSource(source.Channel(s.wakes, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: reconcilesAtOnce}).
		Complete(s)
	if err != nil {
		return nil, fmt.Errorf("make the controller of the MCS stand-in: %w", err)
	}
	return mgr, nil
}

// reconcilesAtOnce is so many that what waits for addresses waits for the API server, and not for its turn here.
const reconcilesAtOnce = 16

// saidAnew passes over a status, which is the stand-in's own word.
var saidAnew = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})

// ofExport names the export of an object, if there is one or was one of which something is left: a watch that broke as the
// kinds were changed tells nothing of what was born and died meanwhile. A cache that does not have it yet tells of it in a
// moment.
func (s *Standin) ofExport(cached client.Reader, name func(o client.Object) string) handler.MapFunc {
	return func(ctx context.Context, o client.Object) []reconcile.Request {
		key := types.NamespacedName{Namespace: o.GetNamespace(), Name: name(o)}
		var known bool
		s.locked(func() { known = s.records[key] != nil })
		if key.Name == "" || !known && apierrors.IsNotFound(cached.Get(ctx, key, &mcsv1alpha1.ServiceExport{})) {
			return nil
		}
		return []reconcile.Request{{NamespacedName: key}}
	}
}

func exportOfService(o client.Object) string {
	return cmp.Or(o.GetLabels()[ExportedServiceLabel], o.GetName())
}

func exportOfSlice(o client.Object) string { return o.GetLabels()[discoveryv1.LabelServiceName] }

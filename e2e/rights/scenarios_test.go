package rights_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/addresses"
	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// scenario is something that a user sees, and how it is tried. It returns what the user sees instead.
type scenario struct {
	what string
	run  func(*house) error
}

var (
	replicaStarts   = scenario{"a replica that starts is ready", (*house).replicaStarts}
	explained       = scenario{"a replica without a certificate says why", (*house).explained}
	leads           = scenario{"a replica leads, and events tell of it", (*house).leads}
	osdIsBorn       = scenario{"a new OSD has its address", (*house).osdIsBorn}
	osdIsBornAnew   = scenario{"a new OSD has its address from the one source that is left", (*house).osdIsBornAnew}
	osdIsBornByDNS  = scenario{"a new OSD has its address from DNS", (*house).osdIsBornByDNS}
	comesUp         = scenario{"a new cluster comes up, and Rook has its mons right", (*house).comesUp}
	orphanGoes      = scenario{"what is left of an OSD goes", (*house).orphanGoes}
	moves           = scenario{"a cluster that ran without us moves", (*house).moves}
	eventTells      = scenario{"the events of a CephCluster tell of an export, each time", (*house).eventTells}
	machinesAreTold = scenario{"machines are told of the addresses of a cluster", (*house).machinesAreTold}
	statusSays      = scenario{"status shows a cluster that is well", (*house).statusSays}
	unserved        = scenario{"status says that nobody answers admission", (*house).unserved}
	metricsAre      = scenario{"metrics are read", (*house).metricsAre}
)

func (h *house) replicaStarts() error {
	r := h.launch()
	defer h.kill(r)
	return h.until("a replica that starts is ready", func() bool { return r.Ready(h.t.Context()) == nil })
}

func (h *house) explained() error {
	c := h.world.Plane.Client
	certificate := world.Object("cert-manager.io/v1", "Certificate", controlplane.Namespace, "rook-clusterset-serving")
	key := client.ObjectKeyFromObject(certificate)
	require.NoError(h.t, c.Get(h.t.Context(), key, certificate))
	require.NoError(h.t, c.Delete(h.t.Context(), certificate.DeepCopy()))
	r := h.launch("--cert-dir=" + h.t.TempDir())
	defer func() {
		h.kill(r)
		certificate.SetResourceVersion("")
		certificate.SetUID("")
		require.NoError(h.t, c.Create(h.t.Context(), certificate))
	}()
	said := ""
	err := h.until("it says something of its certificate", func() bool {
		_ = r.Ready(h.t.Context())
		_, said, _ = strings.Cut(r.Log(), "check=certs")
		return strings.Contains(said, "load the serving certificate")
	})
	if err == nil && !strings.Contains(said, "there is no Certificate "+key.String()) {
		err = errors.New(said)
	}
	return err
}

func (h *house) osdIsBornAnew() error {
	require.NoError(h.t, h.takeOver())
	return h.osdIsBorn()
}

func (h *house) osdIsBornByDNS() error {
	require.NoError(h.t, h.takeOver("--dns-server="+h.world.MCS.DNSAddr()))
	var err error
	// DNS cannot be watched: that it knows a new name is learnt by asking it again, and Rook asks again too.
	for end := time.Now().Add(asksDNS); time.Now().Before(end); {
		if err = h.osdIsBorn(); err == nil {
			return nil
		}
		h.osds--
	}
	return err
}

func (h *house) leads() error {
	if err := h.takeOver(); err != nil {
		return err
	}
	told := func(times int32) func() bool {
		return func() bool {
			events := &corev1.EventList{}
			require.NoError(h.t, h.world.Plane.Client.List(h.t.Context(), events, client.InNamespace(controlplane.Namespace)))
			return slices.ContainsFunc(events.Items, func(e corev1.Event) bool {
				return e.Reason == "LeaderElection" && strings.Contains(e.Message, h.leader()+" became leader") && e.Count >= times
			})
		}
	}
	if err := h.until("an event tells of it", told(1)); err != nil {
		return err
	}
	h.loseLease()
	return h.until("an event tells of it for the second time", told(2))
}

func (h *house) osdIsBorn() error {
	h.osds++
	d, err := h.ceph.OSD("node-0", h.osds)
	require.NoError(h.t, err)
	require.NoError(h.t, h.ceph.PrepareOSD(h.t.Context(), "node-0", h.osds))
	if err := h.ceph.Rook.Create(h.t.Context(), d); err != nil {
		return fmt.Errorf("refused: %w; %s", err, h.denied())
	}
	if given, known := h.world.MCS.GlobalIP(h.ceph.Namespace, d.Name); !known || given.String() != measure.Advertises(d) {
		return fmt.Errorf("it has %q, not %s", measure.Advertises(d), given)
	}
	return nil
}

func (h *house) orphanGoes() error {
	if err := h.osdIsBorn(); err != nil {
		return err
	}
	c, name := h.world.Plane.Client, measure.OSDName(h.osds)
	d, told := &appsv1.Deployment{}, &corev1.ConfigMap{}
	d.Namespace, d.Name = h.ceph.Namespace, name
	told.Namespace, told.Name = h.ceph.Namespace, fmt.Sprintf("rook-ceph-osd-node-0-%d-status", h.osds)
	require.NoError(h.t, c.Delete(h.t.Context(), told))
	require.NoError(h.t, c.Delete(h.t.Context(), d))
	export := h.export()
	gone := func(o client.Object) bool {
		return apierrors.IsNotFound(c.Get(h.t.Context(), client.ObjectKeyFromObject(d), o))
	}
	return h.until("its export and its Service go", func() bool { return gone(export) && gone(&corev1.Service{}) })
}

func (h *house) comesUp() error {
	h.sites++
	namespace := fmt.Sprintf("rook-%d", h.sites)
	ctx, end := context.WithCancel(h.t.Context())
	site, err := h.world.NewSite(ctx, namespace, true)
	require.NoError(h.t, err)
	require.NoError(h.t, site.CreateCephCluster(ctx))
	require.NoError(h.t, site.StartOperator(ctx, rookstandin.Options{}))
	defer site.Operator.Wait()
	defer end()
	err = h.until("it comes up", func() bool { return site.Operator.Reconciled() > 0 })
	if err == nil {
		err = h.until("Rook's memory is right", func() bool {
			remembered := &corev1.ConfigMap{}
			key := client.ObjectKey{Namespace: namespace, Name: "rook-clusterset-remembered"}
			return h.world.Plane.Client.Get(ctx, key, remembered) == nil && remembered.Data["peer-token-right-since"] != ""
		})
	}
	if err == nil {
		h.up = namespace
		return nil
	}
	for _, e := range site.Operator.Journal().Of(rookstandin.Refused) {
		err = fmt.Errorf("%w\n%s", err, e)
	}
	return err
}

// moves goes on where it was given up.
func (h *house) moves() error {
	if h.moving == nil {
		h.moving = h.runsWithoutUs()
	}
	return h.until("mon and OSD are at their global IPs", func() bool {
		osds, mons := h.moving.Ceph.OSDMap(), h.moving.Operator.Memory()
		addresses := slices.Collect(maps.Values(osds))
		for _, mon := range mons {
			addresses = append(addresses, mon.Addr())
		}
		return len(osds) > 0 && len(mons) > 0 && !slices.ContainsFunc(addresses, func(a netip.Addr) bool {
			return !netip.MustParsePrefix("242.0.0.0/16").Contains(a)
		})
	})
}

// runsWithoutUs brings up a cluster, and switches its namespace on.
func (h *house) runsWithoutUs() *world.Site {
	const namespace = "rook-without-us"
	ctx := h.lifetime
	site, err := h.world.NewSite(ctx, namespace, false)
	require.NoError(h.t, err)
	require.NoError(h.t, site.CreateCephCluster(ctx, func(spec map[string]any) {
		spec["healthCheck"] = map[string]any{"daemonHealth": map[string]any{"mon": map[string]any{"timeout": "1s"}}}
	}))
	options := rookstandin.Options{OSDs: []rookstandin.OSD{{ID: "0"}}}
	options.Timing.StatusInterval = 300 * time.Millisecond
	require.NoError(h.t, site.StartOperator(ctx, options))
	require.NoError(h.t, h.until("it comes up", func() bool { return site.Operator.Reconciled() > 0 }))
	_, err = h.world.Plane.Kubectl(ctx, nil, "label", "namespace", namespace, "rook-clusterset.io/enabled=true")
	require.NoError(h.t, err)
	return site
}

// eventTells has the export of an OSD made twice.
func (h *house) eventTells() error {
	if err := h.osdIsBorn(); err != nil {
		return err
	}
	export := h.export()
	tells := func(which func(eventsv1.Event) bool) func() bool {
		return func() bool {
			events := &eventsv1.EventList{}
			require.NoError(h.t, h.world.Plane.Client.List(h.t.Context(), events, client.InNamespace(h.ceph.Namespace)))
			return slices.ContainsFunc(events.Items, func(e eventsv1.Event) bool {
				return e.Related != nil && e.Related.Name == export.GetName() && which(e)
			})
		}
	}
	if err := h.until("an event tells of it", tells(func(eventsv1.Event) bool { return true })); err != nil {
		return err
	}
	require.NoError(h.t, h.world.Plane.Client.Delete(h.t.Context(), export))
	return h.until("an event tells of it for the second time", tells(func(e eventsv1.Event) bool { return e.Series != nil }))
}

// export is that of the OSD that was born last.
func (h *house) export() *unstructured.Unstructured {
	return world.Object("multicluster.x-k8s.io/v1beta1", "ServiceExport", h.ceph.Namespace, measure.OSDName(h.osds))
}

// status returns what the command says of the cluster that is up, and how it ends.
func (h *house) status() (said string, code int) {
	status, err := h.world.RunAsPod(h.t.Context(), "status", "-n", h.up)
	require.NoError(h.t, err)
	return status.Out + status.Err, status.Code
}

// machinesAreTold takes away what they were told of the cluster that is up.
func (h *house) machinesAreTold() error {
	told := world.Object("rook-clusterset.io/v1alpha1", "CephClusterAddresses", h.up, "my-cluster")
	c := h.world.Plane.Client
	require.NoError(h.t, client.IgnoreNotFound(c.Delete(h.t.Context(), told.DeepCopy())))
	return h.until("machines are told", func() bool {
		if c.Get(h.t.Context(), client.ObjectKeyFromObject(told), told) != nil {
			return false
		}
		ready := meta.FindStatusCondition(kinds.Conditions(told), addresses.Ready)
		return ready != nil && ready.Status != metav1.ConditionUnknown
	})
}

func (h *house) statusSays() error {
	said, code := h.status()
	if code != 0 || !strings.Contains(said, "may be copied to a peer") {
		return errors.New(said)
	}
	return nil
}

func (h *house) unserved() error {
	h.world.Plane.Serve()
	defer h.world.Plane.Serve(h.manager)
	if said, _ := h.status(); !strings.Contains(said, "rook-clusterset-webhook") {
		return errors.New(said)
	}
	return nil
}

func (h *house) metricsAre() error {
	_, err := h.manager.Metrics(h.t.Context())
	return err
}

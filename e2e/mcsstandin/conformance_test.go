package mcsstandin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// story is what was done before a set was recorded, as the set itself tells.
type story struct {
	t        *testing.T
	recorded set
	client   client.Client
	options  Options
	standin  *Standin
}

func newStory(t *testing.T, cfg *rest.Config, c client.Client, recorded set) *story {
	t.Helper()
	s := &story{t: t, recorded: recorded, client: c, options: Options{Config: cfg, EmptyReasons: true, LighthouseRemembers: true, Peers: []Peer{}}}
	for _, o := range recorded {
		if o.GetKind() == "Submariner" {
			s.options.ClusterID = text(o, "spec", "clusterID")
			s.options.NoGlobalnet = text(o, "spec", "globalCIDR") == ""
		}
		s.options.Broker = s.options.Broker || o.GetNamespace() == BrokerNamespace
	}
	for _, o := range recorded {
		if o.GetKind() != "Endpoint" {
			continue
		}
		subnets, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "subnets")
		if id := text(o, "spec", "cluster_id"); id != s.options.ClusterID {
			s.options.Peers = append(s.options.Peers, Peer{ClusterID: id, GlobalCIDR: netip.MustParsePrefix(subnets[0])})
		} else if len(subnets) == 1 {
			s.options.GlobalCIDR = netip.MustParsePrefix(subnets[0])
		}
	}
	return s
}

func text(o *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(o.Object, path...)
	return value
}

// play does what was done, with the stand-in.
func (s *story) play(ctx context.Context) {
	if s.options.NoGlobalnet && s.options.GlobalCIDR.IsValid() {
		// Globalnet was there before, and what it gave the gateway has stayed.
		first := s.options
		first.NoGlobalnet = false
		once, end := context.WithCancel(ctx)
		before, err := Start(once, first)
		require.NoError(s.t, err)
		end()
		before.Wait()
	}
	var err error
	s.standin, err = Start(ctx, s.options)
	require.NoError(s.t, err)
	for _, o := range s.recorded {
		if o.GetKind() == "GlobalIngressIP" && reasonOf(o, "Allocated") == "IPPoolAllocationFailed" {
			s.standin.SetFault(o.GetNamespace(), o.GetName(), Fault{NoAllocation: true})
		}
	}
	for _, kind := range []string{"Service", "EndpointSlice", "ServiceExport"} {
		for _, o := range s.recorded {
			if o.GetKind() == kind && o.GetLabels()[ExportedServiceLabel] == "" && o.GetLabels()[sliceManagerLabel] != SliceManager {
				s.create(ctx, o.DeepCopy())
			}
		}
	}
	require.Eventually(s.t, func() bool {
		return !slices.ContainsFunc(s.stored(), func(o *unstructured.Unstructured) bool {
			return o.GetKind() == "ServiceExport" && reasonOf(o, "Valid") == "absent"
		})
	}, 20*time.Second, 20*time.Millisecond, "the exports have said something")
	s.disturb(ctx)
}

func (s *story) create(ctx context.Context, o *unstructured.Unstructured) {
	unstructured.RemoveNestedField(o.Object, "status")
	if o.GetKind() == "EndpointSlice" {
		// Kubernetes deletes what is labelled as its own.
		o.SetLabels(map[string]string{discoveryv1.LabelServiceName: o.GetLabels()[discoveryv1.LabelServiceName]})
	}
	if o.GetKind() == "Service" {
		if text(o, "spec", "clusterIP") != corev1.ClusterIPNone {
			unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
		}
		require.NoError(s.t, unstructured.SetNestedField(o.Object, "ClusterIP", "spec", "type"))
	}
	namespace := object(corev1.SchemeGroupVersion.WithKind("Namespace"), "", o.GetNamespace())
	require.NoError(s.t, client.IgnoreAlreadyExists(s.client.Create(ctx, namespace)))
	if o.GetKind() == "ServiceExport" {
		for _, aggregated := range s.recorded {
			if aggregated.GetKind() == "ServiceImport" && client.ObjectKeyFromObject(aggregated) == client.ObjectKeyFromObject(o) {
				o.SetAnnotations(map[string]string{ClustersetIPAnnotation: aggregated.GetAnnotations()[ClustersetIPAnnotation]})
				s.exportAtPeers(aggregated)
			}
		}
	}
	require.NoError(s.t, s.client.Create(ctx, o))
}

// exportAtPeers makes the peers that exported a Service of the same name do so.
func (s *story) exportAtPeers(aggregated *unstructured.Unstructured) {
	clusters, _, _ := unstructured.NestedSlice(aggregated.Object, "status", "clusters")
	for _, c := range clusters {
		if id, _ := c.(map[string]any)["cluster"].(string); id != s.options.ClusterID {
			_, err := s.standin.ExportAtPeer(aggregated.GetNamespace(), aggregated.GetName(), id)
			require.NoError(s.t, err)
		}
	}
}

// disturb does what happened to exports that were well.
func (s *story) disturb(ctx context.Context) {
	for _, o := range s.recorded {
		switch o.GetKind() {
		case "Service":
			if kind := text(o, "spec", "type"); kind != "ClusterIP" && o.GetLabels()[ExportedServiceLabel] == "" {
				change := []byte(fmt.Sprintf(`{"spec":{"type":%q}}`, kind))
				require.NoError(s.t, s.client.Patch(ctx, o.DeepCopy(), client.RawPatch("application/merge-patch+json", change)))
			}
		case "ServiceImport":
			ips, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "ips")
			if o.GetNamespace() == OperatorNamespace && slices.Contains(ips, "ANOTHER-GLOBAL-IP") {
				s.standin.Reallocate(o.GetLabels()[sourceNamespaceLabel], o.GetLabels()[serviceNameLabel])
			}
		case "GlobalIngressIP":
			if reasonOf(o, "Allocated") == "ReserveAllocatedIPsFailed" {
				s.standin.RestartGlobalnet(time.Hour)
			}
		case "ServiceExport":
			if reasonOf(o, "Valid") == noAddressYet.Reason {
				s.standin.RestartLighthouse(time.Hour)
			}
		}
	}
}

// reasonOf returns the reason of a condition.
func reasonOf(o *unstructured.Unstructured, kind string) string {
	if c := meta.FindStatusCondition(conditionsOf(o), kind); c != nil {
		return cmp.Or(c.Reason, "none")
	}
	return "absent"
}

// stored returns what is there now of the kinds that were recorded.
func (s *story) stored() set {
	var now set
	for _, o := range s.recorded {
		kind := o.GroupVersionKind()
		if slices.ContainsFunc(now, func(o *unstructured.Unstructured) bool { return o.GroupVersionKind() == kind }) {
			continue
		}
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		require.NoError(s.t, s.client.List(s.t.Context(), list))
		for i := range list.Items {
			now = append(now, &list.Items[i])
		}
	}
	return now
}

// differences returns the lines that only Submariner wrote, and those that only the stand-in did.
func (s *story) differences() (missing, added []string) {
	recorded, ours := lines(s.recorded), lines(s.stored().reduced())
	return sets.List(recorded.Difference(ours)), sets.List(ours.Difference(recorded))
}

// lines has one line for each field of each object.
func lines(objects set) sets.Set[string] {
	all := sets.New[string]()
	var flatten func(string, any)
	flatten = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				flatten(path+"."+name, inner)
			}
		case []any:
			all.Insert(fmt.Sprintf("%s: %d", path, len(v)))
			for i, inner := range v {
				flatten(fmt.Sprintf("%s[%d]", path, i), inner)
			}
		default:
			text, _ := json.Marshal(v)
			all.Insert(path + ": " + string(text))
		}
	}
	for _, o := range objects {
		// What a set was made from needs no comparing.
		if !strings.Contains(o.GetName(), podsOf) {
			flatten(title(o), o.Object)
		}
	}
	return all
}

// clear takes back everything, by way of the stand-in where that has to.
func (s *story) clear(ctx context.Context) {
	for _, o := range s.stored() {
		if o.GetKind() == "ServiceExport" {
			require.NoError(s.t, s.client.Delete(ctx, o))
		}
	}
	require.Eventually(s.t, func() bool {
		imports := &mcsv1alpha1.ServiceImportList{}
		require.NoError(s.t, s.client.List(ctx, imports))
		return len(imports.Items) == 0 && !slices.ContainsFunc(s.stored(), func(o *unstructured.Unstructured) bool {
			return o.GetKind() == "GlobalIngressIP" || o.GetLabels()[sliceManagerLabel] == SliceManager
		})
	}, 20*time.Second, 20*time.Millisecond, "the stand-in takes back what it wrote for the exports")
	for _, o := range s.stored() {
		if o.GetNamespace() != corev1.NamespaceDefault {
			require.NoError(s.t, client.IgnoreNotFound(s.client.Delete(ctx, o)), title(o))
		}
	}
}

// theStandInWritesWhatSubmarinerWrote plays the story of each set that was recorded. No difference is allowed, beyond what the
// reduction of the sets leaves out.
func theStandInWritesWhatSubmarinerWrote(t *testing.T, cfg *rest.Config, c client.Client) {
	for name, recorded := range readSets(t) {
		t.Run(name, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			s := newStory(t, cfg, c, recorded)
			defer func() {
				s.clear(t.Context())
				end()
				s.standin.Wait()
			}()
			s.play(ctx)
			require.EventuallyWithT(t, func(t *assert.CollectT) {
				missing, added := s.differences()
				assert.Empty(t, missing, "only Submariner wrote that")
				assert.Empty(t, added, "only the stand-in wrote that")
			}, 15*time.Second, 50*time.Millisecond)
		})
	}
}

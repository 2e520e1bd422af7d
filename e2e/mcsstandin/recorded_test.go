package mcsstandin

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var objectsFrom = flag.String("objects", "", "a directory of recorded objects: a directory for each set, and in it lists in JSON")

// podsOf begins the name of what says whether a pod behind a Service is ready.
const podsOf = "pods-of-"

// set is what a cluster had at one moment: what Submariner wrote, and of the rest what it wrote it for.
type set []*unstructured.Unstructured

// readSets returns the sets that are committed, or with -objects those of the directory.
func readSets(t *testing.T) map[string]set {
	t.Helper()
	sets := map[string]set{}
	if *objectsFrom != "" {
		files, err := filepath.Glob(filepath.Join(*objectsFrom, "*", "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			list := &unstructured.UnstructuredList{}
			require.NoError(t, list.UnmarshalJSON(text))
			name := filepath.Base(filepath.Dir(file))
			for i := range list.Items {
				sets[name] = append(sets[name], &list.Items[i])
			}
		}
		for name := range sets {
			sets[name] = sets[name].reduced()
		}
		return sets
	}
	files, err := filepath.Glob("testdata/objects/*/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		for line := range bytes.Lines(text) {
			o := &unstructured.Unstructured{}
			require.NoError(t, o.UnmarshalJSON(line))
			sets[name] = append(sets[name], o)
		}
	}
	return sets
}

// TestObjectsAreReduced writes testdata/objects anew, from the objects of a directory.
func TestObjectsAreReduced(t *testing.T) {
	if *objectsFrom == "" {
		t.Skip("no objects are given with -objects")
	}
	directory := filepath.Join("testdata/objects", filepath.Base(*objectsFrom))
	require.NoError(t, os.MkdirAll(directory, 0o755))
	for name, objects := range readSets(t) {
		var text bytes.Buffer
		for _, o := range objects {
			require.NoError(t, json.NewEncoder(&text).Encode(o.Object))
		}
		require.NoError(t, os.WriteFile(filepath.Join(directory, name+".jsonl"), text.Bytes(), 0o644))
	}
}

// reduced leaves out what the API server adds, and what is of one cluster alone it tells by what it is.
func (all set) reduced() set {
	var kept set
	book := newBook(all)
	for _, o := range all {
		o = o.DeepCopy()
		for _, name := range []string{
			"uid", "resourceVersion", "creationTimestamp", "deletionGracePeriodSeconds", "generation", "generateName", "managedFields",
			"selfLink", "ownerReferences",
		} {
			unstructured.RemoveNestedField(o.Object, "metadata", name)
		}
		if !reduceByKind(o) {
			continue
		}
		annotations := o.GetAnnotations()
		delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
		if o.SetAnnotations(annotations); len(annotations) == 0 {
			unstructured.RemoveNestedField(o.Object, "metadata", "annotations")
		}
		o.Object, _ = book.told(o, "", o.Object).(map[string]any)
		kept = append(kept, o)
	}
	slices.SortFunc(kept, func(a, b *unstructured.Unstructured) int { return strings.Compare(title(a), title(b)) })
	return slices.CompactFunc(kept, func(a, b *unstructured.Unstructured) bool { return title(a) == title(b) })
}

func title(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

// reduceByKind says whether the object tells of Submariner, and takes from it what does not.
func reduceByKind(o *unstructured.Unstructured) bool {
	labels := o.GetLabels()
	switch o.GetKind() {
	case "ServiceExport":
		o.SetAnnotations(nil)
		o.SetLabels(nil)
	case "Service":
		// Its addresses are the API server's choice.
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
		return o.GetNamespace() != corev1.NamespaceDefault
	case "EndpointSlice":
		if labels[sliceManagerLabel] == SliceManager {
			suffix := "-" + labels[sourceClusterLabel]
			o.SetName(labels[serviceNameLabel] + suffix)
			return true
		}
		// Of those of Kubernetes counts whether a pod is ready.
		service := labels[discoveryv1.LabelServiceName]
		if labels[sliceManagerLabel] != "endpointslice-controller.k8s.io" || labels[ExportedServiceLabel] != "" {
			return false
		}
		ready := false
		endpoints, _, _ := unstructured.NestedSlice(o.Object, "endpoints")
		for _, e := range endpoints {
			is, _, _ := unstructured.NestedBool(e.(map[string]any), "conditions", "ready")
			ready = ready || is
		}
		namespace := o.GetNamespace()
		o.Object = map[string]any{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": []any{
			map[string]any{"addresses": []any{"192.0.2.1"}, "conditions": map[string]any{"ready": ready}},
		}}
		o.SetNamespace(namespace)
		o.SetName(podsOf + service)
		o.SetLabels(map[string]string{discoveryv1.LabelServiceName: service, sliceManagerLabel: "endpointslice-controller.k8s.io"})
	}
	return true
}

// book knows what the addresses and names of one cluster stand for.
type book struct {
	own    netip.Prefix
	shared netip.Prefix
	peers  []netip.Prefix
	host   string
	nodes  []string
	global map[string]string
	began  map[string]string
}

func newBook(all set) *book {
	b := &book{global: map[string]string{}, began: map[string]string{}}
	id := ""
	for _, o := range all {
		switch o.GetKind() {
		case "Submariner":
			id = text(o, "spec", "clusterID")
			b.shared, _ = netip.ParsePrefix(text(o, "spec", "clustersetIPCIDR"))
		case "Gateway":
			b.host = o.GetName()
		case "GlobalIngressIP":
			b.global[o.GetNamespace()+"/"+o.GetName()] = text(o, "status", "allocatedIP")
		case "ServiceExport":
			b.began[o.GetNamespace()+"/"+o.GetName()] = strconv.FormatInt(o.GetCreationTimestamp().UnixNano(), 10)
		}
	}
	for _, o := range all {
		if o.GetKind() != "Endpoint" {
			continue
		}
		b.nodes = append(b.nodes, text(o, "spec", "private_ip"))
		subnets, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "subnets")
		for _, subnet := range subnets {
			if prefix := netip.MustParsePrefix(subnet); text(o, "spec", "cluster_id") == id {
				b.own = prefix
			} else {
				b.peers = append(b.peers, prefix)
			}
		}
	}
	return b
}

// told returns the value with what it stands for in place of what is of one cluster alone.
func (b *book) told(o *unstructured.Unstructured, path string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		told := map[string]any{}
		for name, inner := range v {
			if name == "lastTransitionTime" || (name == "status" && path == "" && o.GetKind() == "Service") {
				continue
			}
			told[name] = b.told(o, path+"."+name, inner)
		}
		return told
	case []any:
		told := []any{}
		for _, inner := range v {
			told = append(told, b.told(o, path, inner))
		}
		if path == ".status.clusters" {
			slices.SortFunc(told, func(x, y any) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		}
		return told
	case string:
		return b.toldText(o, path, v)
	default:
		return v
	}
}

var cablePattern = regexp.MustCompile(`(submariner-cable-.+?)-\d+-\d+-\d+-\d+$`)

func (b *book) toldText(o *unstructured.Unstructured, path, text string) string {
	service := o.GetNamespace() + "/" + o.GetName()
	if name := o.GetLabels()[serviceNameLabel]; name != "" {
		service = o.GetLabels()[sourceNamespaceLabel] + "/" + name
	}
	if name := o.GetLabels()[ExportedServiceLabel]; name != "" {
		service = o.GetNamespace() + "/" + name
	}
	switch {
	case path == ".apiVersion" && strings.HasPrefix(text, "multicluster.x-k8s.io/"):
		// It is the version in which the object was asked for.
		return "multicluster.x-k8s.io/v1alpha1"
	case strings.HasPrefix(path, ".metadata.annotations.timestamp.submariner.io/"):
		if name := o.GetAnnotations()[serviceNameLabel]; name != "" {
			service = o.GetAnnotations()[sourceNamespaceLabel] + "/" + name
		}
		if text == b.began[service] {
			return "WHEN-THE-EXPORT-WAS-MADE"
		}
		return "ANOTHER-TIME"
	case path == ".spec.clusterIP" && text != corev1.ClusterIPNone:
		return "CLUSTER-IP"
	case path == ".spec.brokerK8sApiServer":
		return "BROKER"
	case strings.HasSuffix(path, ".hostname"), path == ".metadata.name" && o.GetKind() == "Gateway":
		if text == b.host {
			return "HOST"
		}
		return "HOST-OF-A-PEER"
	case slices.Contains(b.nodes, text):
		return "ADDRESS-OF-THE-HOST"
	case cablePattern.MatchString(text):
		return cablePattern.ReplaceAllString(text, "$1-ADDRESS-OF-THE-HOST")
	}
	address, err := netip.ParseAddr(text)
	if err != nil || o.GetKind() == "ClusterGlobalEgressIP" {
		return text
	}
	switch {
	case b.shared.Contains(address):
		return "CLUSTERSET-IP"
	case o.GetKind() == "Gateway" && b.own.Contains(address):
		return "GLOBAL-IP-OF-THE-GATEWAY"
	case b.global[service] == text:
		return "GLOBAL-IP"
	case b.own.Contains(address):
		return "ANOTHER-GLOBAL-IP"
	case slices.ContainsFunc(b.peers, func(p netip.Prefix) bool { return p.Contains(address) }):
		return "GLOBAL-IP-OF-A-PEER"
	case strings.HasPrefix(path, ".spec.ips"), o.GetKind() == "EndpointSlice" && o.GetLabels()[sliceManagerLabel] == SliceManager:
		return "CLUSTER-IP"
	default:
		return text
	}
}

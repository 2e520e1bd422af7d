package view

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// fieldsOf names every field that the object has, without the numbers of list entries.
func fieldsOf(t *testing.T, object any) []string {
	t.Helper()
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	var content any
	require.NoError(t, json.Unmarshal(raw, &content))
	found := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, child := range v {
				walk(path+"."+strings.TrimPrefix(key, "rook-clusterset.io/"), child)
			}
		case []any:
			for _, child := range v {
				walk(path+"[]", child)
			}
		case nil:
		default:
			found[strings.TrimPrefix(path, ".")] = true
		}
	}
	walk("", content)
	return slices.Sorted(maps.Keys(found))
}

// ofOthers are objects of others' kinds, with more in them than is read.
var ofOthers = map[string]string{
	"CephCluster": `
apiVersion: ceph.rook.io/v1
kind: CephCluster
metadata: {name: c, namespace: ns, uid: u, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z", labels: {a: b, ceph.rook.io/do-not-reconcile: "true"}, annotations: {a: b}}
spec: {dataDirHostPath: /var/lib/rook, mon: {count: 3, allowMultiplePerNode: false}, healthCheck: {daemonHealth: {mon: {timeout: 20m}, osd: {interval: 60s}}}, network: {provider: host, ipFamily: IPv4, connections: {requireMsgr2: true}}, external: {enable: false}}
status: {phase: Ready, version: {version: 18.2.7-0, image: i}, ceph: {health: HEALTH_WARN, lastChecked: "2026-01-01T00:00:00Z", details: {MON_DOWN: {severity: HEALTH_WARN}}, versions: {mon: {v: 3}, osd: {v: 3}}, capacity: {bytesTotal: 1}}}`,
	"ServiceExport": `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceExport
metadata:
  name: rook-ceph-mon-a
  namespace: ns
  uid: u
  resourceVersion: "1"
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app.kubernetes.io/managed-by: rook-clusterset, a: b}
  annotations:
    a: b
    rook-clusterset.io/global-ip: 242.0.0.1
    rook-clusterset.io/source: DNS
    rook-clusterset.io/identity: clusterset
    rook-clusterset.io/pinned: "true"
    rook-clusterset.io/drift: 242.0.0.2
    rook-clusterset.io/refused: "no_answer: nothing"
    rook-clusterset.io/orphaned-since: "2026-01-01T00:00:00Z"
  ownerReferences: [{apiVersion: ceph.rook.io/v1, kind: CephCluster, name: c, uid: u}]
status:
  conditions:
  - {type: Valid, status: "False", reason: NoService, message: m, lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 1}
  - {type: Other, status: "False", reason: Pending, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}
  - {type: Ready, status: "False", reason: Pending, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}
  - {type: Conflict, status: "True", reason: PortConflict, message: m, lastTransitionTime: "2026-01-01T00:00:00Z"}`,
	"ServiceImport": `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: {name: i, namespace: ns, uid: u, resourceVersion: "1", labels: {multicluster.kubernetes.io/service-name: s}, annotations: {a: b}}
spec: {ips: [242.0.0.1], ports: [{port: 6789}], type: ClusterSetIP}
status: {clusters: [{cluster: c}], conditions: [{type: Ready}]}`,
	"GlobalIngressIP": `
apiVersion: submariner.io/v1
kind: GlobalIngressIP
metadata: {name: i, namespace: ns, uid: u, resourceVersion: "1", annotations: {a: b}, finalizers: [f]}
spec: {target: ClusterIPService, serviceRef: {name: s}}
status: {allocatedIP: 242.0.0.1, conditions: [{type: Allocated, status: "False"}]}`,
	"Submariner": `
apiVersion: submariner.io/v1alpha1
kind: Submariner
metadata: {name: i, namespace: ns, uid: u, resourceVersion: "1"}
spec: {clusterID: c, globalCIDR: 242.0.0.0/16, broker: k8s}
status: {clusterID: c, globalCIDR: 242.0.0.0/16, gateways: [{haStatus: active}]}`,
	"Cluster": `
apiVersion: submariner.io/v1
kind: Cluster
metadata: {name: i, namespace: ns, uid: u, resourceVersion: "1"}
spec: {cluster_id: c, global_cidr: [242.0.0.0/16], service_cidr: [10.96.0.0/16]}`,
	"ClusterProperty": `
apiVersion: about.k8s.io/v1beta1
kind: ClusterProperty
metadata: {name: i, uid: u, resourceVersion: "1"}
spec: {value: c}`,
}

func TestTheCachesKeepOfTheKindsOfOthersWhatIsReadAndNothingElse(t *testing.T) {
	identity := []string{"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.resourceVersion", "metadata.uid"}
	wanted := append(Kinds(), resolver.Kinds()...)
	transform := Options(wanted, "rook-clusterset").DefaultTransform
	seen := map[string]bool{}
	for kind, more := range map[string][]string{
		"CephCluster": {
			"metadata.creationTimestamp", "metadata.labels.ceph.rook.io/do-not-reconcile", "spec.external.enable",
			"spec.healthCheck.daemonHealth.mon.timeout", "spec.mon.count", "spec.network.connections.requireMsgr2",
			"spec.network.ipFamily", "spec.network.provider", "status.ceph.details.MON_DOWN.severity", "status.ceph.health",
			"status.ceph.lastChecked", "status.ceph.versions.mon.v", "status.phase", "status.version.version",
		},
		"ServiceExport": {
			"metadata.annotations.drift", "metadata.annotations.global-ip", "metadata.annotations.identity",
			"metadata.annotations.orphaned-since", "metadata.annotations.pinned", "metadata.annotations.refused",
			"metadata.annotations.source", "metadata.creationTimestamp", "metadata.labels.app.kubernetes.io/managed-by", "metadata.ownerReferences[].apiVersion",
			"metadata.ownerReferences[].kind", "metadata.ownerReferences[].name", "metadata.ownerReferences[].uid",
			"status.conditions[].message", "status.conditions[].reason", "status.conditions[].status", "status.conditions[].type",
		},
		"ServiceImport":   {"spec.ips[]", "status.clusters[].cluster"},
		"GlobalIngressIP": {"spec.serviceRef.name", "status.allocatedIP", "status.conditions[].status", "status.conditions[].type"},
		"Submariner":      {"spec.clusterID", "spec.globalCIDR", "status.clusterID", "status.globalCIDR"},
		"Cluster":         {"spec.cluster_id", "spec.global_cidr[]"},
		"ClusterProperty": {"spec.value"},
	} {
		full := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(ofOthers[kind]), &full.Object))
		kept, err := transform(full)
		require.NoError(t, err)
		want := append(slices.Clone(identity), more...)
		if kind == "ClusterProperty" {
			want = slices.DeleteFunc(want, func(f string) bool { return f == "metadata.namespace" })
		}
		slices.Sort(want)
		require.Equal(t, want, fieldsOf(t, kept), kind)
		seen[kind] = true
	}
	for _, kind := range wanted {
		require.True(t, seen[kind.Kind], "no test names what is kept of %s", kind.Kind)
	}
}

func TestAnExportOfWhichTheRestIsDroppedTellsTheSame(t *testing.T) {
	full := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(ofOthers["ServiceExport"]), &full.Object))
	read := readExport(full)
	require.Equal(t, read, readExport(keepExport(full)))
	require.Equal(t, "Ready False (Pending: m), Conflict True (PortConflict: m)", read.Beside)
	require.Len(t, keepExport(full).Object["status"].(map[string]any)["conditions"], 3, "what speaks for the export is not kept")
	require.Equal(t, "NoService", read.ValidReason)
	require.NotZero(t, read.OrphanedSince)
}

func TestTheCachesKeepOfEverythingElseWhatIsRead(t *testing.T) {
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "n", Annotations: map[string]string{"big": "yes"}}}
	crd.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{
		{Name: "v1", Served: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}}},
	}
	crd.Status.Conditions = []apiextensionsv1.CustomResourceDefinitionCondition{
		{Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionTrue, Message: "long"}, {Type: apiextensionsv1.NamesAccepted},
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "n", Annotations: map[string]string{"big": "yes"}, Labels: map[string]string{"team": "storage", rook.EnabledLabel: "true"},
	}}
	require.Equal(t, []string{"metadata.labels.enabled", "metadata.name"}, fieldsOf(t, trimNamespace(namespace)))
	namespace.Annotations[rook.MigrateSwitch], namespace.Labels[rook.CleanupSwitch] = "pause", "true"
	require.Equal(t, []string{"metadata.labels.enabled", "metadata.labels.migrate", "metadata.name"}, fieldsOf(t, trimNamespace(namespace)))
	require.Equal(t, readSwitches(namespace), readSwitches(trimNamespace(namespace)))
	kept := trimDefinition(crd)
	require.Nil(t, kept.Spec.Versions[0].Schema)
	require.Empty(t, kept.Annotations)
	require.Len(t, kept.Status.Conditions, 1)
	require.Empty(t, kept.Status.Conditions[0].Message)

	options := Options(nil, "rook-clusterset")
	require.True(t, options.ReaderFailOnMissingInformer, "a kind without an informer is no watch that nobody asked for")
	require.True(t, PreparedOptions().ReaderFailOnMissingInformer)
	for object, by := range options.ByObject {
		require.NotNil(t, by.Transform, "%T", object)
	}
}

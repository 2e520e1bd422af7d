package webhook

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func cephConfig(monHost string) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: rook.ConfigSecretName, Namespace: rookNamespace},
		Data:       map[string][]byte{rook.MonHostKey: []byte(monHost), "mon_initial_members": []byte("a,b")},
	}
}

func activeMons(name string, addresses ...string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		TypeMeta:    metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta:  metav1.ObjectMeta{Name: name, Namespace: rookNamespace},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: addresses}},
	}
}

func csiConfig(monitors string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: rook.CSIConfigName, Namespace: operatorNamespace},
		Data:       map[string]string{rook.EndpointsCSIKey: `[{"clusterID":"rook-ceph","monitors":[` + monitors + `],"new":{"z":1,"a":2}}]`},
	}
}

func cephConnection(monitors ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "csi.ceph.io/v1", "kind": "CephConnection",
		"metadata": map[string]any{"name": rookNamespace, "namespace": operatorNamespace},
		"spec":     map[string]any{"monitors": monitors, "rbdMirrorDaemonCount": int64(1)},
	}}
}

func monService(id, clusterIP string) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph-mon-" + id, Namespace: rookNamespace},
		Spec:       corev1.ServiceSpec{ClusterIP: clusterIP, ClusterIPs: []string{clusterIP}, Selector: map[string]string{"mon": id}},
	}
}

func TestWhatRepeatsTheAddressesOfMonsIsCorrected(t *testing.T) {
	for name, tc := range map[string]struct {
		path   string
		object client.Object
		reason reason.Code
		patch  string
	}{
		"the mon_host of the Secret, and no other key": {
			path:   CephConfigPath,
			object: cephConfig("[v2:10.96.0.1:3300,v1:10.96.0.1:6789],[v2:10.96.0.2:3300,v1:10.96.0.2:6789]"),
			reason: reason.MonHostCorrected,
			patch: `[{"op":"replace","path":"/data/mon_host",
				"value":"W3YyOjI0Mi4xLjI1NS4xOjMzMDAsdjE6MjQyLjEuMjU1LjE6Njc4OV0sW3YyOjEwLjk2LjAuMjozMzAwLHYxOjEwLjk2LjAuMjo2Nzg5XQ=="}]`,
		},
		"a Secret that is right": {
			path: CephConfigPath, object: cephConfig("[v2:242.1.255.1:3300]"), reason: reason.AlreadyRight,
		},
		"a Secret without mon_host": {
			path: CephConfigPath, object: &corev1.Secret{TypeMeta: cephConfig("").TypeMeta, ObjectMeta: cephConfig("").ObjectMeta}, reason: reason.AlreadyRight,
		},
		"another Secret": {
			path: CephConfigPath,
			object: func() client.Object {
				s := cephConfig("[v2:10.96.0.1:3300]")
				s.Name = "rook-ceph-mon"
				return s
			}(),
			reason: reason.AlreadyRight,
		},
		"an EndpointSlice": {
			path:   ActiveMonsPath,
			object: activeMons(rook.ActiveMonsIPv4Name, "10.96.0.1", "10.96.0.2"),
			reason: reason.SliceCorrected,
			patch:  `[{"op":"replace","path":"/endpoints/0/addresses/0","value":"242.1.255.1"}]`,
		},
		"another EndpointSlice": {
			path: ActiveMonsPath, object: activeMons("rook-ceph-mgr-x", "10.96.0.1"), reason: reason.AlreadyRight,
		},
		"the ConfigMap of the CSI drivers": {
			path:   CSIConfigPath,
			object: csiConfig(`"10.96.0.1:3300","10.96.0.2:3300"`),
			reason: reason.CSIConfigCorrected,
			patch: `[{"op":"replace","path":"/data/csi-cluster-config-json",
				"value":"[{\"clusterID\":\"rook-ceph\",\"monitors\":[\"242.1.255.1:3300\",\"10.96.0.2:3300\"],\"new\":{\"z\":1,\"a\":2}}]"}]`,
		},
		"one that is no JSON": {
			path: CSIConfigPath, object: csiConfig(`"`), reason: reason.MalformedEndpoints,
		},
		"a CephConnection": {
			path:   CephConnectionPath,
			object: cephConnection("10.96.0.1:3300", "10.96.0.2:3300"),
			reason: reason.ConnectionCorrected,
			patch:  `[{"op":"replace","path":"/spec/monitors/0","value":"242.1.255.1:3300"}]`,
		},
		"a CephConnection of another shape": {
			path: CephConnectionPath,
			object: &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "csi.ceph.io/v9", "kind": "CephConnection",
				"metadata": map[string]any{"name": rookNamespace, "namespace": operatorNamespace}, "spec": "other",
			}},
			reason: reason.AlreadyRight,
		},
		"a mon Service that asks for its global IP": {
			path:   MonServicePath,
			object: monService("a", "242.1.255.1"),
			reason: reason.ClusterIPDropped,
			patch:  `[{"op":"remove","path":"/spec/clusterIP"},{"op":"remove","path":"/spec/clusterIPs"}]`,
		},
		"a mon Service that asks for its ClusterIP": {
			path: MonServicePath, object: monService("b", "10.96.0.2"), reason: reason.AlreadyRight,
		},
		"the Service of an unborn mon that asks for the global IP which was lost with its Service": {
			path: MonServicePath, object: monService("d", "242.1.255.4"), reason: reason.ClusterIPDropped,
			patch: `[{"op":"remove","path":"/spec/clusterIP"},{"op":"remove","path":"/spec/clusterIPs"}]`,
		},
		"the Service of a listed mon that was never born and lost its export too": {
			path: MonServicePath, object: monService("e", "198.18.0.5"), reason: reason.ClusterIPDropped,
			patch: `[{"op":"remove","path":"/spec/clusterIP"},{"op":"remove","path":"/spec/clusterIPs"}]`,
		},
		"the Service of a mon of which nothing is known that asks for an address in the global CIDR": {
			path: MonServicePath, object: monService("z", "242.1.7.7"), reason: reason.ClusterIPDropped,
			patch: `[{"op":"remove","path":"/spec/clusterIP"},{"op":"remove","path":"/spec/clusterIPs"}]`,
		},
		"the Service of a mon that has lived at its ClusterIP, which Rook restores": {
			path: MonServicePath, object: monService("c", "10.96.0.3"), reason: reason.AlreadyRight,
		},
		"a mon Service that asks for what another mon is listed at": {
			path: MonServicePath, object: monService("c", "198.18.0.5"), reason: reason.AlreadyRight,
		},
		"a mon Service that asks for nothing": {
			path: MonServicePath, object: monService("c", ""), reason: reason.AlreadyRight,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.mons["a"] = born("242.1.255.1", "10.96.0.1")
			w.mons["b"] = rook.DaemonFacts{
				Deployed: true, Address: netip.MustParseAddr("10.96.0.2"), ClusterIPs: []netip.Addr{netip.MustParseAddr("10.96.0.2")},
				Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityCluster},
			}
			w.mons["d"] = rook.DaemonFacts{Export: waiting()}
			w.endpoints = monEndpointsOf("a=242.1.255.1:6789,b=10.96.0.2:6789,d=242.1.255.4:6789,e=198.18.0.5:6789,c=10.96.0.3:6789")
			w.endpoints.Data[rook.EndpointsMaxMonIDKey] = "3"
			w.globalCIDR = netip.MustParsePrefix("242.1.0.0/16")
			s := newStage(t, w, Options{})
			req := creation(t, tc.object)
			response := s.handle(t.Context(), tc.path, req)
			require.True(t, response.Allowed)
			require.Equal(t, tc.reason, reasonOf(response))
			require.Equal(t, tc.reason == reason.MalformedEndpoints, len(response.Warnings) > 0)
			if tc.patch == "" {
				require.Empty(t, response.Patch)
				return
			}
			requireSamePatch(t, tc.patch, response.Patch)

			again := req
			again.Object.Raw = patchedRaw(t, req, response)
			require.Empty(t, s.handle(t.Context(), tc.path, again).Patch)
		})
	}
}

func TestWhatRookLastWroteIsReplacedToo(t *testing.T) {
	// The Service of mon a was re-created with another ClusterIP since Rook read it.
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.77")
	endpoints := monEndpointsOf("a=242.1.255.1:6789")
	w.remembered = rook.Remembered{Mons: []rook.Endpoint{{ID: "a", Addr: netip.MustParseAddrPort("10.96.0.1:6789")}}}
	w.liveEndpoints = endpoints
	s := newStage(t, w, Options{})
	for path, object := range map[string]client.Object{
		CephConfigPath:     cephConfig("[v2:10.96.0.1:3300]"),
		CephConnectionPath: cephConnection("10.96.0.1:3300"),
	} {
		require.NotEmpty(t, s.handle(t.Context(), path, creation(t, object)).Patch, path)
	}

	w.remembered = rook.Remembered{}
	response := s.handle(t.Context(), CephConfigPath, creation(t, cephConfig("[v2:10.96.0.1:3300]")))
	require.Empty(t, response.Patch, "Rook remembers nothing wrongly")
}

func TestWhereItIsNotKnownWhatRookRemembersTheRestIsCorrected(t *testing.T) {
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.1")
	w.liveEndpoints, w.unrememberable = monEndpointsOf("a=242.1.255.1:6789"), errors.New("the API server does not answer")
	s := newStage(t, w, Options{})
	response := s.handle(t.Context(), CephConfigPath, creation(t, cephConfig("[v2:10.96.0.1:3300]")))
	require.NotEmpty(t, response.Patch)
}

func TestWhatTheOperatorsNamespaceHasOfAClusterIsCorrectedByTheMonsOfThatCluster(t *testing.T) {
	// The mon of another cluster, in another namespace, has a ClusterIP that is the global IP or the lost ClusterIP of one here.
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.77")
	w.monsElsewhere = map[string]rook.DaemonFacts{"a": born("242.1.255.2", "10.96.0.1")}
	endpoints := monEndpointsOf("a=242.1.255.1:6789")
	w.remembered = rook.Remembered{Mons: []rook.Endpoint{{ID: "a", Addr: netip.MustParseAddrPort("10.96.0.1:6789")}}}
	w.liveEndpoints = endpoints
	s := newStage(t, w, Options{})
	for written, want := range map[string]string{"10.96.0.1:3300": "242.1.255.1:3300", "10.96.0.77:3300": "242.1.255.1:3300"} {
		req := creation(t, cephConnection(written))
		require.Contains(t, string(patchedRaw(t, req, s.handle(t.Context(), CephConnectionPath, req))), want)
		req = creation(t, csiConfig(`"`+written+`"`))
		require.Contains(t, string(patchedRaw(t, req, s.handle(t.Context(), CSIConfigPath, req))), want)
	}
	named := func(name string) *unstructured.Unstructured {
		u := cephConnection("10.96.0.1:3300")
		u.SetName(name)
		return u
	}
	req := creation(t, named(operatorNamespace))
	require.Contains(t, string(patchedRaw(t, req, s.handle(t.Context(), CephConnectionPath, req))), "242.1.255.2:3300")
	other := csiConfig(`"10.96.0.1:3300"`)
	other.Data[rook.EndpointsCSIKey] = strings.Replace(other.Data[rook.EndpointsCSIKey], rookNamespace, operatorNamespace, 1)
	req = creation(t, other)
	require.Contains(t, string(patchedRaw(t, req, s.handle(t.Context(), CSIConfigPath, req))), "242.1.255.2:3300")
	other.Data[rook.EndpointsCSIKey] = strings.Replace(other.Data[rook.EndpointsCSIKey], operatorNamespace, "not-switched-on", 1)
	require.Empty(t, s.handle(t.Context(), CSIConfigPath, creation(t, other)).Patch)
	require.Empty(t, s.handle(t.Context(), CephConnectionPath, creation(t, named("not-switched-on"))).Patch)
}

func TestWhoClaimsTheAddressOfAnotherClusterForAMonRewritesNothingOfThatCluster(t *testing.T) {
	const ofOther = "242.1.255.2"
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.77")
	w.monsElsewhere = map[string]rook.DaemonFacts{"a": born(ofOther, "10.96.0.1")}
	w.liveEndpoints = monEndpointsOf("a=242.1.255.1:6789")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	csi := csiConfig(`"` + ofOther + `:3300"`)
	csi.Data[rook.EndpointsCSIKey] = strings.Replace(csi.Data[rook.EndpointsCSIKey], rookNamespace, operatorNamespace, 1)
	connection := cephConnection(ofOther + ":3300")
	connection.SetName(operatorNamespace)
	for _, wrong := range [][]rook.Endpoint{nil, {{ID: "a", Addr: netip.MustParseAddrPort(ofOther + ":6789")}}} {
		w.remembered = rook.Remembered{Mons: wrong}
		for _, req := range []admission.Request{
			creation(t, monEndpointsOf("a="+ofOther+":6789")), update(t, monEndpointsOf("a="+ofOther+":6789"), monEndpointsOf("a="+ofOther+":6789")),
		} {
			s.handle(t.Context(), MonEndpointsPath, req)
			require.Equal(t, wrong, w.remembered.Mons, "what Rook cannot have read it does not remember")
			require.Empty(t, s.handle(t.Context(), CSIConfigPath, creation(t, csi)).Patch)
			require.Empty(t, s.handle(t.Context(), CephConnectionPath, creation(t, connection)).Patch)
		}
	}
}

const slowness = 300 * time.Millisecond

// slow is a world whose API server does not answer in time.
type slow struct{ *world }

func (s slow) LatestMonEndpoints(ctx context.Context, namespace string) (*corev1.ConfigMap, bool, error) {
	time.Sleep(slowness)
	endpoints, _, err := s.world.LatestMonEndpoints(ctx, namespace)
	return endpoints, false, err
}

func TestASlowAPIServerIsWaitedForOnceHoweverManyTheClusters(t *testing.T) {
	w := newWorld()
	w.mons["a"], w.monsElsewhere = born("242.1.255.1", "10.96.0.1"), map[string]rook.DaemonFacts{"a": born("242.1.255.2", "10.96.0.2")}
	started := time.Now()
	replacements, err := replacer{view: slow{w}}.ofAll(t.Context())
	require.NoError(t, err)
	require.Len(t, replacements, 2, "the caches do as well")
	require.Less(t, time.Since(started), slowness*3/2)
}

func TestACorrectionKeepsFieldsOfTheFuture(t *testing.T) {
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.1")
	s := newStage(t, w, Options{})
	for path, object := range map[string]client.Object{
		ActiveMonsPath: activeMons(rook.ActiveMonsIPv4Name, "10.96.0.1"),
		CephConfigPath: cephConfig("[v2:10.96.0.1:3300]"),
		MonServicePath: monService("a", "242.1.255.1"),
		CSIConfigPath:  csiConfig(`"10.96.0.1:3300"`),
	} {
		var u unstructured.Unstructured
		require.NoError(t, u.UnmarshalJSON(rawOf(t, object).Raw))
		u.Object["fieldOfTheFuture"] = map[string]any{"kept": true}
		if endpoints, ok := u.Object["endpoints"].([]any); ok {
			endpoints[0].(map[string]any)["fieldOfTheFuture"] = "kept"
		}
		req := creation(t, &u)
		response := s.handle(t.Context(), path, req)
		require.NotEmpty(t, response.Patch, path)
		var patched unstructured.Unstructured
		require.NoError(t, patched.UnmarshalJSON(patchedRaw(t, req, response)))
		require.Equal(t, u.Object["fieldOfTheFuture"], patched.Object["fieldOfTheFuture"], path)
		if endpoints, ok := patched.Object["endpoints"].([]any); ok {
			require.Equal(t, "kept", endpoints[0].(map[string]any)["fieldOfTheFuture"])
		}
	}
}

func TestAnUpdateOfAMonServiceIsLeftAlone(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-mon-a"] = ready("242.1.255.1")
	s := newStage(t, w, Options{})
	response := s.handle(t.Context(), MonServicePath, requestOf(t, admissionv1.Update, monService("a", "242.1.255.1"), monService("a", "10.96.0.1")))
	require.Empty(t, response.Patch)
	require.NotEmpty(t, s.handle(t.Context(), MonServicePath, creation(t, monService("a", "242.1.255.1"))).Patch)
}

func TestAClusterThatIsLeftAloneKeepsItsAddressesEverywhere(t *testing.T) {
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.1")
	w.cluster.NativeMultiCluster = true
	s := newStage(t, w, Options{})
	for path, req := range map[string]admission.Request{
		CephConfigPath:     creation(t, cephConfig("[v2:10.96.0.1:3300]")),
		ActiveMonsPath:     creation(t, activeMons(rook.ActiveMonsIPv4Name, "10.96.0.1")),
		CSIConfigPath:      creation(t, csiConfig(`"10.96.0.1:3300"`)),
		CephConnectionPath: creation(t, cephConnection("10.96.0.1:3300")),
	} {
		response := s.handle(t.Context(), path, req)
		require.True(t, response.Allowed)
		require.Empty(t, response.Patch, path)
	}
}

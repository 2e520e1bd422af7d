package resolver_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// status replaces what comes after "status:" in the YAML.
func status(text, with string) string {
	head, _, _ := strings.Cut(text, "\nstatus:")
	return head + "\nstatus: " + with + "\n"
}

func TestObjectsTellTheGlobalIP(t *testing.T) {
	edit := strings.NewReplacer
	beta := edit("v1alpha1\nkind: ServiceImport", "v1beta1\nkind: ServiceImport")
	otherCluster := edit("cluster: cluster-a", "cluster: cluster-b")
	shared := edit("[{cluster: cluster-a}]", "[{cluster: cluster-a}, {cluster: cluster-b}]")
	betaKinds := everything()
	betaKinds[kind("ServiceImport")] = "v1beta1"
	tests := []struct {
		name        string
		objects     []string
		kinds       served
		options     resolver.Options
		want        string
		source      string
		code        reason.Code
		particulars []string
	}{
		// GlobalIngressIP
		{
			name:    "an allocated GlobalIngressIP answers",
			objects: []string{submarinerA, ingressIP}, want: "242.0.255.253", source: "GlobalIngressIP",
		},
		{
			name:    "a GlobalIngressIP answers without any membership being known",
			objects: []string{ingressIP}, want: "242.0.255.253", source: "GlobalIngressIP",
		},
		{
			name:    "an address without conditions is believed",
			objects: []string{status(ingressIP, `{allocatedIP: 242.0.0.7}`)}, want: "242.0.0.7", source: "GlobalIngressIP",
		},
		{
			name:    "an address with conditions that cannot be read is believed",
			objects: []string{status(ingressIP, `{allocatedIP: 242.0.0.7, conditions: "?"}`)}, want: "242.0.0.7", source: "GlobalIngressIP",
		},
		{
			name: "the latest of several Allocated conditions counts, here the good one",
			objects: []string{status(ingressIP, `{allocatedIP: 242.0.0.7, conditions: [
				{type: Allocated, status: "True", reason: Success, lastTransitionTime: "2026-01-02T00:00:00Z"},
				{type: Allocated, status: "False", reason: IPPoolAllocationFailed, lastTransitionTime: "2026-01-01T00:00:00Z"}]}`)},
			want: "242.0.0.7", source: "GlobalIngressIP",
		},
		{
			name: "the last of two Allocated conditions of one second counts, here the bad one",
			objects: []string{status(ingressIP, `{allocatedIP: 242.0.0.7, conditions: [
				{type: Allocated, status: "True", reason: Success, lastTransitionTime: "2026-01-01T00:00:00Z"},
				{type: Allocated, status: "False", reason: ProgramIPTableRulesFailed, message: no chain, lastTransitionTime: "2026-01-01T00:00:00Z"}]}`)},
			code: reason.GlobalIPNotAllocated, particulars: []string{"GlobalIngressIP rook-ceph/rook-ceph-mon-a", "ProgramIPTableRulesFailed: no chain"},
		},
		{
			name:    "a GlobalIngressIP without an address is waited for",
			objects: []string{status(ingressIP, `{}`)},
			code:    reason.GlobalIPNotAllocated, particulars: []string{"rook-ceph/rook-ceph-mon-a has no allocatedIP yet"},
		},
		{
			name:    "no other object is believed while Globalnet itself has allocated nothing",
			objects: []string{submarinerA, status(ingressIP, `{}`), clusterImport},
			code:    reason.GlobalIPNotAllocated,
		},
		{
			name: "a GlobalIngressIP that is being deleted is not believed",
			objects: []string{edit("namespace: rook-ceph}",
				`namespace: rook-ceph, finalizers: [x/y], deletionTimestamp: "2026-01-01T00:00:00Z"}`).Replace(ingressIP)},
			code: reason.GlobalIPNotAllocated, particulars: []string{"is being deleted"},
		},
		{
			name:    "a GlobalIngressIP of another Service says nothing of this one",
			objects: []string{submarinerA, edit("{name: rook-ceph-mon-a}}", "{name: web}}").Replace(ingressIP)},
			code:    reason.NoAnswer, particulars: []string{"is of Service web"},
		},
		{
			name:    "a GlobalIngressIP in another namespace says nothing of this one",
			objects: []string{submarinerA, edit("namespace: rook-ceph}", "namespace: other}").Replace(ingressIP)},
			code:    reason.NoAnswer, particulars: []string{"there is no GlobalIngressIP rook-ceph/rook-ceph-mon-a"},
		},
		{
			name:    "an allocatedIP that is none is malformed",
			objects: []string{status(ingressIP, `{allocatedIP: 242.0.0.256}`)},
			code:    reason.MalformedAddress, particulars: []string{"GlobalIngressIP rook-ceph/rook-ceph-mon-a", "242.0.0.256"},
		},

		// Submariner's ServiceImport
		{
			name:    "Submariner's ServiceImport of this cluster answers",
			objects: []string{submarinerA, clusterImport}, want: "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name:    "Submariner's ServiceImport is found where Submariner is, by the ID that Submariner knows this cluster by",
			objects: []string{edit("submariner-operator", "elsewhere").Replace(submarinerA), edit("cluster-a", "east").Replace(propertyA), edit("submariner-operator", "elsewhere").Replace(clusterImport)},
			want:    "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name:    "a setting that differs from Submariner's own ID does not change how Submariner names its ServiceImport",
			options: resolver.Options{ClusterID: "east"}, objects: []string{submarinerA, clusterImport},
			want: "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name: "Submariner's ServiceImport answers in v1beta1", kinds: betaKinds,
			objects: []string{submarinerA, beta.Replace(clusterImport)}, want: "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name:    "Submariner's ServiceImport answers without labels",
			objects: []string{submarinerA, edit("labels:", "annotations:").Replace(clusterImport)},
			want:    "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name:    "of a dual-stack ServiceImport the IPv4 address is the global one",
			objects: []string{submarinerA, edit("[242.0.255.253]", `["fd00:96::7", 242.0.255.253]`).Replace(clusterImport)},
			want:    "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name:    "one address twice is one address",
			objects: []string{submarinerA, edit("[242.0.255.253]", `[242.0.255.253, "::ffff:242.0.255.253"]`).Replace(clusterImport)},
			want:    "242.0.255.253", source: "SubmarinerServiceImport",
		},
		{
			name:    "two addresses leave no way to tell",
			objects: []string{submarinerA, edit("[242.0.255.253]", "[242.0.255.253, 242.0.255.252]").Replace(clusterImport)},
			code:    reason.SeveralAddresses, particulars: []string{"submariner-operator/rook-ceph-mon-a-rook-ceph-cluster-a", "242.0.255.253, 242.0.255.252"},
		},
		{
			name: "a ServiceImport whose name only happens to be the same says nothing",
			objects: []string{submarinerA, edit(
				"service-name: rook-ceph-mon-a", "service-name: rook-ceph-mon-a-rook",
				"sourceNamespace: rook-ceph", "sourceNamespace: ceph").Replace(clusterImport)},
			code: reason.NoAnswer, particulars: []string{"is another's: multicluster.kubernetes.io/service-name is rook-ceph-mon-a-rook"},
		},
		{
			name:    "a ServiceImport of another namespace of the same name says nothing",
			objects: []string{submarinerA, edit("sourceNamespace: rook-ceph", "sourceNamespace: other").Replace(clusterImport)},
			code:    reason.NoAnswer, particulars: []string{"sourceNamespace is other"},
		},
		{
			name:    "a ServiceImport of a peer says nothing",
			objects: []string{submarinerA, edit("source-cluster: cluster-a", "source-cluster: cluster-b").Replace(clusterImport)},
			code:    reason.NoAnswer, particulars: []string{"source-cluster is cluster-b"},
		},
		{
			name:    "a ServiceImport without an IP says nothing",
			objects: []string{submarinerA, edit("[242.0.255.253]", "[]").Replace(clusterImport)},
			code:    reason.NoAnswer, particulars: []string{"rook-ceph-mon-a-rook-ceph-cluster-a has no IP"},
		},
		{
			name:    "an IP that is none is malformed",
			objects: []string{submarinerA, edit("[242.0.255.253]", "[pending]").Replace(clusterImport)},
			code:    reason.MalformedAddress, particulars: []string{`"pending"`},
		},
		{
			name:    "Submariner's ServiceImport is not looked for without a cluster ID",
			objects: []string{clusterImport},
			code:    reason.ClusterIDUnknown, particulars: []string{"--cluster-id", "named after the cluster ID"},
		},

		// the ServiceImport beside the Service
		{
			name:    "a ServiceImport that only this cluster exports answers",
			objects: []string{propertyA, serviceImport}, want: "242.0.255.253", source: "ServiceImport",
		},
		{
			name:    "an IPv6 address answers where it is the only one",
			options: resolver.Options{GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("2001:db8::/64")}},
			objects: []string{propertyA, edit("[242.0.255.253]", `["2001:db8::7"]`).Replace(serviceImport)},
			want:    "2001:db8::7", source: "ServiceImport",
		},
		{
			name:    "of a dual-stack ServiceImport the IPv6 address is the global one where only such are global",
			options: resolver.Options{GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("2001:db8::/64")}},
			objects: []string{propertyA, edit("[242.0.255.253]", `[10.96.7.9, "2001:db8::7"]`).Replace(serviceImport)},
			want:    "2001:db8::7", source: "ServiceImport",
		},
		{
			name:    "of a dual-stack ServiceImport the IPv4 address is it where addresses of both families are global",
			options: resolver.Options{GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("242.0.0.0/16")}},
			objects: []string{propertyA, edit("[242.0.255.253]", `["2001:db8::7", 242.0.255.253]`).Replace(serviceImport)},
			want:    "242.0.255.253", source: "ServiceImport",
		},
		{
			name:    "a cluster that stands twice is one exporter",
			objects: []string{propertyA, edit("[{cluster: cluster-a}]", "[{cluster: cluster-a}, {cluster: cluster-a}]").Replace(serviceImport)},
			want:    "242.0.255.253", source: "ServiceImport",
		},
		{
			name:    "a ServiceImport of several exporters does not say whose address it is",
			objects: []string{propertyA, shared.Replace(serviceImport)},
			code:    reason.SeveralExporters, particulars: []string{"cluster-a, cluster-b"},
		},
		{
			name:    "a ServiceImport of several exporters without an IP says nothing",
			objects: []string{propertyA, edit("[242.0.255.253]", "[]").Replace(shared.Replace(serviceImport))},
			code:    reason.NoAnswer,
		},
		{
			name:    "a ServiceImport that only a peer exports says nothing",
			objects: []string{propertyA, otherCluster.Replace(serviceImport)},
			code:    reason.NoAnswer, particulars: []string{"exported by cluster cluster-b, and this one is cluster-a"},
		},
		{
			name:    "a ServiceImport without exporters says nothing",
			objects: []string{propertyA, status(serviceImport, "{}")},
			code:    reason.NoAnswer, particulars: []string{"names no exporting cluster"},
		},
		{
			name:    "a ServiceImport says nothing to a cluster that does not know its ID",
			objects: []string{serviceImport},
			code:    reason.ClusterIDUnknown, particulars: []string{"exported by cluster cluster-a, and it is not known whether that is this one"},
		},
		{
			name:    "Submariner's address of the whole clusterset says nothing of this cluster",
			objects: []string{submarinerA, edit("242.0.255.253", "243.0.0.1").Replace(serviceImport)},
			code:    reason.NoAnswer, particulars: []string{"shares between clusters"},
		},

		// together
		{
			name:    "sources that agree name the best of them",
			objects: []string{submarinerA, ingressIP, clusterImport}, want: "242.0.255.253", source: "GlobalIngressIP",
		},
		{
			name:    "sources that write one address in two ways agree",
			objects: []string{submarinerA, ingressIP, edit("[242.0.255.253]", `["::ffff:242.0.255.253"]`).Replace(clusterImport)},
			want:    "242.0.255.253", source: "GlobalIngressIP",
		},
		{
			name:    "a stale ServiceImport makes the sources disagree",
			objects: []string{submarinerA, ingressIP, edit("242.0.255.253", "242.0.255.1").Replace(clusterImport)},
			code:    reason.SourcesDisagree,
			particulars: []string{
				"GlobalIngressIP says 242.0.255.253", "SubmarinerServiceImport says 242.0.255.1",
			},
		},
		{
			name:    "the first and the last source are compared too",
			objects: []string{propertyA, ingressIP, edit("242.0.255.253", "242.0.255.1").Replace(serviceImport)},
			code:    reason.SourcesDisagree, particulars: []string{"GlobalIngressIP says", ", ServiceImport says"},
		},
		{
			name:    "two addresses in one source are not outvoted by one in another",
			objects: []string{submarinerA, ingressIP, edit("[242.0.255.253]", "[242.0.255.253, 242.0.255.252]").Replace(clusterImport)},
			code:    reason.SeveralAddresses,
		},
		{
			name:    "several exporters of the ServiceImport do not speak against another source",
			objects: []string{propertyA, ingressIP, shared.Replace(serviceImport)}, want: "242.0.255.253", source: "GlobalIngressIP",
		},
		{
			name:    "Submariner's shared address does not speak against another source",
			objects: []string{submarinerA, ingressIP, edit("242.0.255.253", "243.0.0.1").Replace(serviceImport)},
			want:    "242.0.255.253", source: "GlobalIngressIP",
		},
		{
			name:    "an answer that the guards refuse names its source",
			objects: []string{submarinerA, clusterA, clusterB, status(ingressIP, `{allocatedIP: 242.1.0.7}`)},
			code:    reason.InsidePeerCIDR, particulars: []string{"GlobalIngressIP says 242.1.0.7", "cluster-b"},
		},
		{
			name:    "the Service's own ClusterIP is refused",
			objects: []string{status(ingressIP, `{allocatedIP: 10.96.7.1}`)}, code: reason.IsClusterIP,
		},
		{
			name: "the Service's own ClusterIP passes on request", options: resolver.Options{AllowClusterIP: true},
			objects: []string{submarinerA, status(ingressIP, `{allocatedIP: 10.96.7.1}`)}, want: "10.96.7.1", source: "GlobalIngressIP",
		},
		{
			name:    "a range that was set goes before Submariner's",
			options: resolver.Options{GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")}},
			objects: []string{submarinerA, ingressIP},
			code:    reason.OutsideGlobalCIDR, particulars: []string{"198.18.0.0/15"},
		},
		{
			name:  "a cluster with nothing installed has no source",
			kinds: served{}, options: resolver.Options{ClusterID: "cluster-a"}, code: reason.NoSource, particulars: []string{"--dns-server"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := world{kinds: tt.kinds, options: tt.options}
			if w.options.GlobalCIDRs == nil && tt.source == "ServiceImport" {
				w.options.GlobalCIDRs = ranges("242.0.0.0/16")
			}
			w.objects = objects(t, tt.objects...)
			got, err := resolve(t.Context(), w.resolver(t))
			if tt.code != "" {
				requireRefusal(t, err, tt.code, tt.particulars...)
				require.False(t, got.IP.IsValid())
				return
			}
			require.NoError(t, err)
			require.Equal(t, resolver.Answer{IP: netip.MustParseAddr(tt.want), Source: tt.source}, got)
		})
	}
}

func TestARefusalNamesTheSourceThatItIsDueTo(t *testing.T) {
	stale := strings.NewReplacer("242.0.255.253", "242.0.255.1").Replace(clusterImport)
	for name, test := range map[string]struct {
		objects []string
		options resolver.Options
		source  string
	}{
		"what the guards refuse":             {[]string{submarinerA, ingressIP}, resolver.Options{GlobalCIDRs: ranges("198.18.0.0/15")}, "GlobalIngressIP"},
		"a source that is wrong in itself":   {[]string{submarinerA, status(ingressIP, `{allocatedIP: nonsense}`)}, resolver.Options{}, "GlobalIngressIP"},
		"DNS, where no object has an answer": {[]string{submarinerA}, resolver.Options{DNSServer: "127.0.0.1:1"}, "DNS"},
		"nobody, where sources disagree":     {[]string{submarinerA, ingressIP, stale}, resolver.Options{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := resolve(t.Context(), world{options: test.options, objects: objects(t, test.objects...)}.resolver(t))
			require.Error(t, err)
			require.Equal(t, resolver.Answer{Source: test.source}, got)
		})
	}
}

func TestAKindThatAppearsLaterIsUsedFromThenOn(t *testing.T) {
	kinds := served{}
	r := world{kinds: kinds, objects: objects(t, submarinerA, ingressIP)}.resolver(t)

	_, err := resolve(t.Context(), r)
	requireRefusal(t, err, reason.ClusterIDUnknown)

	kinds[kind("GlobalIngressIP")] = "v1"
	got, err := resolve(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddr("242.0.255.253"), got.IP)
	m, err := r.Membership(t.Context())
	require.NoError(t, err)
	require.Empty(t, m.ClusterID)

	kinds[kind("Submariner")] = "v1alpha1"
	m, err = r.Membership(t.Context())
	require.NoError(t, err)
	require.Equal(t, "cluster-a", m.ClusterID)
}

func TestReadingAKindThatVanishes(t *testing.T) {
	gone := map[string]error{
		"its informer was stopped":           &cache.ErrResourceNotCached{},
		"its informer was stopped, wrapped":  fmt.Errorf("get: %w", &cache.ErrResourceNotCached{}),
		"its CustomResourceDefinition went":  &meta.NoKindMatchError{GroupKind: kind("GlobalIngressIP")},
		"its resource went":                  &meta.NoResourceMatchError{},
		"the API server knows no such thing": apierrors.NewNotFound(schema.GroupResource{}, "rook-ceph-mon-a"),
	}
	for name, fault := range gone {
		t.Run("is no error: "+name, func(t *testing.T) {
			w := world{
				objects: objects(t, submarinerA, clusterB, propertyA, ingressIP, clusterImport),
				fault:   map[string]error{"GlobalIngressIP": fault, "SubmarinerList": fault, "ClusterList": fault},
			}
			got, err := resolve(t.Context(), w.resolver(t))
			require.NoError(t, err)
			require.Equal(t, "SubmarinerServiceImport", got.Source)

			w.fault = map[string]error{"ClusterProperty": fault}
			m, err := w.resolver(t).Membership(t.Context())
			require.NoError(t, err)
			require.Equal(t, "cluster-a", m.ClusterID)
		})
	}
}

func TestASourceThatCannotBeReadIsNotPassedOver(t *testing.T) {
	for _, kind := range []string{"GlobalIngressIP", "ServiceImport", "SubmarinerList", "ClusterList", "ClusterProperty"} {
		t.Run(kind, func(t *testing.T) {
			w := world{
				objects: objects(t, submarinerA, clusterB, propertyA, ingressIP, clusterImport),
				fault:   map[string]error{kind: errFlaky},
			}
			if kind == "ClusterProperty" {
				// It is not read where Submariner itself tells the ID.
				w.objects = objects(t, propertyA, ingressIP)
			}
			_, err := resolve(t.Context(), w.resolver(t))
			requireRefusal(t, err, reason.SourceUnreadable, strings.TrimSuffix(kind, "List"), "etcd has no leader")
		})
	}
}

package rook_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

var monA = rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph", Cluster: "rook-ceph"}

// readyExport is that of a mon to be born with the address.
func readyExport(ip string) rook.Export {
	return rook.Export{
		Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: netip.MustParseAddr(ip), Valid: metav1.ConditionTrue,
	}
}

// waitingExport is that of a mon to be born whose MCS implementation is not done.
func waitingExport() rook.Export {
	return rook.Export{
		Exists: true, Ours: true, Identity: rook.IdentityClusterset,
		Valid: metav1.ConditionFalse, ValidReason: "AwaitingExport", ValidMessage: "awaiting aggregation on the broker",
	}
}

func TestAnExportIsReadFromWhatItWrote(t *testing.T) {
	for name, want := range map[string]rook.Export{
		"a bare one": {Exists: true, Ours: true},
		"a full one": {
			Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: netip.MustParseAddr("242.0.0.1"), Source: "GlobalIngressIP", Pinned: true,
			Drift: netip.MustParseAddr("242.0.0.9"), Refused: reason.OutsideGlobalCIDR, RefusedDetail: "1.2.3.4: not in 242.0.0.0/16",
			OrphanedSince: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		"one refused without particulars": {Exists: true, Ours: true, Refused: reason.NoAnswer},
		"one of a mon that keeps its ClusterIP": {
			Exists: true, Ours: true, Identity: rook.IdentityCluster, GlobalIP: netip.MustParseAddr("fd42::1"), Source: "DNS",
		},
	} {
		t.Run(name, func(t *testing.T) {
			meta := &metav1.ObjectMeta{Labels: map[string]string{rook.ManagedByLabel: rook.Manager}, Annotations: want.Annotations()}
			require.Equal(t, want, rook.ReadExport(meta, nil))
			require.NotContains(t, want.Annotations(), "")
			for key, value := range want.Annotations() {
				require.NotEmpty(t, value, key)
			}
		})
	}
}

// A DNS server can answer thousands of addresses, each of which the refusal names.
func TestWhyAnAddressWasRefusedIsKnownHoweverMuchThereIsToSay(t *testing.T) {
	refused := rook.Export{Exists: true, Refused: reason.SeveralAddresses, RefusedDetail: strings.Repeat("242.0.0.1, ", 4000)}
	kept := rook.OfExports(refused.Annotations())
	read := rook.ReadExport(&metav1.ObjectMeta{Annotations: kept}, nil)
	require.Equal(t, reason.SeveralAddresses, read.Refused)
	require.Contains(t, read.RefusedDetail, "242.0.0.1, 242.0.0.1")
	require.Equal(t, kept, read.Annotations(), "it is not written again")
}

func TestAnExportThatIsNotThereIsEmpty(t *testing.T) {
	require.Equal(t, rook.Export{}, rook.ReadExport(nil, nil))
}

func TestAnnotationsThatMakeNoSenseCountAsAbsent(t *testing.T) {
	meta := &metav1.ObjectMeta{Annotations: map[string]string{
		rook.GlobalIPAnnotation: "242.0.0", rook.DriftAnnotation: "", rook.OrphanedSinceAnnotation: "yesterday", rook.PinnedAnnotation: "yes",
		rook.RefusedAnnotation: "made_up_4711: by hand",
	}}
	require.Equal(t, rook.Export{Exists: true}, rook.ReadExport(meta, nil))
}

func TestTheConditionValidIsKeptInItsOwnWords(t *testing.T) {
	e := rook.ReadExport(&metav1.ObjectMeta{}, &metav1.Condition{Status: metav1.ConditionFalse, Reason: "AwaitingExport", Message: "m"})
	require.Equal(t, metav1.ConditionFalse, e.Valid)
	require.Equal(t, "AwaitingExport", e.ValidReason)
	require.Equal(t, "m", e.ValidMessage)
	require.Empty(t, rook.ReadExport(&metav1.ObjectMeta{}, nil).Valid, "nobody has reported it")
}

func TestConditionsBesideValidAreToldWhereTheySpeakAgainstTheExport(t *testing.T) {
	of := func(kind, status, why, message string) *metav1.Condition {
		return &metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: why, Message: message}
	}
	for name, c := range map[string]struct {
		valid  *metav1.Condition
		beside []*metav1.Condition
		want   string
		why    string
	}{
		"none is reported":                     {of("Valid", "False", "NoService", "m"), []*metav1.Condition{nil, nil}, "", "ServiceExport ns/rook-ceph-mon-a: NoService: m"},
		"it is ready and there is no conflict": {of("Valid", "False", "NoService", "m"), []*metav1.Condition{of("Ready", "True", "Ready", ""), of("Conflict", "False", "NoConflicts", "")}, "", "ServiceExport ns/rook-ceph-mon-a: NoService: m"},
		"it is not ready":                      {of("Valid", "False", "NoService", "m"), []*metav1.Condition{of("Ready", "False", "Pending", "p")}, "Ready False (Pending: p)", "ServiceExport ns/rook-ceph-mon-a: NoService: m; Ready False (Pending: p)"},
		"there is a conflict, and it is Valid": {of("Valid", "True", "", ""), []*metav1.Condition{nil, of("Conflict", "True", "PortConflict", "")}, "Conflict True (PortConflict)", "ServiceExport ns/rook-ceph-mon-a is Valid; Conflict True (PortConflict)"},
		"both, and Valid is not reported":      {nil, []*metav1.Condition{of("Ready", "Unknown", "", ""), of("Conflict", "True", "", "c")}, "Ready Unknown (no reason given), Conflict True (c)", "ServiceExport ns/rook-ceph-mon-a: its condition Valid is not reported yet; Ready Unknown (no reason given), Conflict True (c)"},
	} {
		t.Run(name, func(t *testing.T) {
			meta := &metav1.ObjectMeta{Labels: map[string]string{rook.ManagedByLabel: rook.Manager}}
			e := rook.ReadExport(meta, c.valid, c.beside...)
			require.Equal(t, c.want, e.Beside)
			require.Equal(t, c.why, e.Why(rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "ns"}).Detail)
		})
	}
}

func TestADaemonIsReadyOnlyWithAnAddressOfAValidExportOfOurs(t *testing.T) {
	const export = "ServiceExport rook-ceph/rook-ceph-mon-a"
	for name, c := range map[string]struct {
		change func(e *rook.Export)
		why    *reason.Error
	}{
		"ready":  {change: func(*rook.Export) {}},
		"pinned": {change: func(e *rook.Export) { e.Pinned, e.Valid = true, metav1.ConditionFalse }},
		"pinned at what the list alone says, and not valid": {
			change: func(e *rook.Export) {
				e.Pinned, e.Source, e.Valid = true, rook.SourceList, metav1.ConditionFalse
			},
			why: reason.Errorf(reason.ExportNotValid, "%s: no reason given", export),
		},
		"pinned at what the list alone says": {change: func(e *rook.Export) { e.Pinned, e.Source = true, rook.SourceList }},
		"absent":                             {change: func(e *rook.Export) { *e = rook.Export{} }, why: reason.Errorf(reason.ExportMissing, export)},
		"foreign": {
			change: func(e *rook.Export) { e.Ours = false }, why: reason.Errorf(reason.ExportForeign, export),
		},
		"not valid": {
			change: func(e *rook.Export) { *e = waitingExport() },
			why:    reason.Errorf(reason.ExportNotValid, "%s: AwaitingExport: awaiting aggregation on the broker", export),
		},
		"not valid any more": {
			change: func(e *rook.Export) { e.Valid, e.ValidReason = metav1.ConditionFalse, "NoService" },
			why:    reason.Errorf(reason.ExportNotValid, "%s: NoService", export),
		},
		"not valid for no reason": {
			change: func(e *rook.Export) { e.Valid = metav1.ConditionUnknown }, why: reason.Errorf(reason.ExportNotValid, "%s: no reason given", export),
		},
		"not valid with a message alone": {
			change: func(e *rook.Export) { e.Valid, e.ValidMessage = metav1.ConditionFalse, "soon" }, why: reason.Errorf(reason.ExportNotValid, "%s: soon", export),
		},
		"not reported": {
			change: func(e *rook.Export) { e.Valid = "" },
			why:    reason.Errorf(reason.ExportNotValid, "%s: its condition Valid is not reported yet", export),
		},
		"refused": {
			change: func(e *rook.Export) {
				e.GlobalIP, e.Refused, e.RefusedDetail = netip.Addr{}, reason.OutsideGlobalCIDR, "1.2.3.4"
			},
			why: reason.Errorf(reason.OutsideGlobalCIDR, "1.2.3.4"),
		},
		"refused while it was Valid": {
			change: func(e *rook.Export) {
				*e = waitingExport()
				e.Refused = reason.NoAnswer
			},
			why: reason.Errorf(reason.ExportNotValid, "%s: AwaitingExport: awaiting aggregation on the broker", export),
		},
		"refused before it was reported": {
			change: func(e *rook.Export) { *e = rook.Export{Exists: true, Ours: true, Refused: reason.NoSource} },
			why:    &reason.Error{Code: reason.NoSource},
		},
		"valid without an address": {
			change: func(e *rook.Export) { e.GlobalIP = netip.Addr{} }, why: reason.Errorf(reason.AddressUnknown, "%s is Valid", export),
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := readyExport("242.0.0.1")
			c.change(&e)
			require.Equal(t, c.why == nil, e.Ready())
			require.Equal(t, c.why, e.Why(monA))
		})
	}
}

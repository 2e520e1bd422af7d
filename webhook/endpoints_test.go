package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func monEndpointsOf(data string) *corev1.ConfigMap {
	csi := `[{"clusterID":"rook-ceph","monitors":["10.96.0.1:6789"],"namespace":""}]`
	if data == "" {
		csi = `[{"clusterID":"rook-ceph","monitors":[],"namespace":""}]`
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: rook.MonEndpointsName, Namespace: rookNamespace},
		Data:       map[string]string{rook.EndpointsDataKey: data, rook.EndpointsMaxMonIDKey: "0", rook.EndpointsCSIKey: csi},
	}
}

// born is a mon that lives at its global IP, unborn one that has no Deployment yet.
func born(globalIP, clusterIP string) rook.DaemonFacts {
	m := unborn(ready(globalIP), clusterIP)
	m.Deployed, m.Address = true, netip.MustParseAddr(globalIP)
	return m
}

func unborn(export rook.Export, clusterIP string) rook.DaemonFacts {
	return rook.DaemonFacts{
		Export: export, ClusterIPs: []netip.Addr{netip.MustParseAddr(clusterIP)}, Port: 6789, ServiceOwner: "cluster-uid",
	}
}

func TestRulesOfAdmissionForMonEndpoints(t *testing.T) {
	for name, tc := range map[string]struct {
		mons     map[string]rook.DaemonFacts
		world    func(*world)
		data     string
		stored   *corev1.ConfigMap
		reason   reason.Code
		refused  string
		wanted   string
		csi      string
		keptNote string
		inStore  string
		warned   bool
	}{
		"the first mon is stored with its global IP and the write refused": {
			mons:    map[string]rook.DaemonFacts{"a": unborn(ready("242.1.255.1"), "10.96.0.1")},
			data:    "a=10.96.0.1:6789",
			stored:  monEndpointsOf(""),
			reason:  reason.FirstMonStored,
			refused: "this write is refused once so that Rook reloads it",
			inStore: "a=242.1.255.1:6789",
		},
		"a later mon is corrected": {
			mons: map[string]rook.DaemonFacts{
				"a": born("242.1.255.1", "10.96.0.1"), "b": unborn(ready("242.1.255.2"), "10.96.0.2"),
			},
			data:     "a=242.1.255.1:6789,b=10.96.0.2:6789",
			stored:   monEndpointsOf("a=242.1.255.1:6789"),
			reason:   reason.EndpointsCorrected,
			wanted:   "a=242.1.255.1:6789,b=242.1.255.2:6789",
			csi:      "242.1.255.1:6789",
			keptNote: "b=10.96.0.2:6789",
		},
		"a new mon whose address is not known after the hold is refused": {
			mons: map[string]rook.DaemonFacts{
				"a": born("242.1.255.1", "10.96.0.1"), "b": unborn(waiting(), "10.96.0.2"),
			},
			data:    "a=242.1.255.1:6789,b=10.96.0.2:6789",
			stored:  monEndpointsOf("a=242.1.255.1:6789"),
			reason:  reason.EndpointUnknown,
			refused: `mon "b" is not ready for its clusterset address: ServiceExport rook-ceph/rook-ceph-mon-b is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`,
		},
		"a list without mons passes": {
			data:   "",
			reason: reason.AlreadyRight,
			csi:    "[]",
		},
		"a list that is right passes": {
			mons:   map[string]rook.DaemonFacts{"a": born("242.1.255.1", "10.96.0.9")},
			data:   "a=242.1.255.1:6789",
			stored: monEndpointsOf("a=242.1.255.1:6789"),
			reason: reason.AlreadyRight,
			wanted: "a=242.1.255.1:6789",
			csi:    "10.96.0.1:6789",
		},
		"a mon older than rook-clusterset is neither waited for nor corrected": {
			mons: map[string]rook.DaemonFacts{
				"a": {Deployed: true, Address: netip.MustParseAddr("10.96.0.1"), Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityCluster}},
			},
			data:   "a=10.96.0.1:6789",
			stored: monEndpointsOf(""),
			reason: reason.AlreadyRight,
			wanted: "a=10.96.0.1:6789",
			csi:    "10.96.0.1:6789",
		},
		"a cluster on the host network is left alone": {
			mons:   map[string]rook.DaemonFacts{"a": unborn(waiting(), "10.96.0.1")},
			world:  func(w *world) { w.cluster.HostNetwork = true },
			data:   "a=10.96.0.1:6789",
			stored: monEndpointsOf(""),
			reason: reason.ClusterHostNetwork,
			wanted: "a=10.96.0.1:6789",
			csi:    "10.96.0.1:6789",
		},
		"a list that nobody understands passes with a warning": {
			data:   "not a list",
			stored: monEndpointsOf(""),
			reason: reason.MalformedEndpoints,
			wanted: "not a list",
			csi:    "10.96.0.1:6789",
			warned: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"creation", "update"} {
				w := newWorld()
				w.mons, w.endpoints = tc.mons, tc.stored
				if tc.world != nil {
					tc.world(w)
				}
				s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
				req := creation(t, monEndpointsOf(tc.data))
				if way == "update" && tc.stored != nil {
					req = update(t, monEndpointsOf(tc.data), tc.stored)
				}
				response := s.handle(t.Context(), MonEndpointsPath, req)

				require.Equal(t, tc.reason, reasonOf(response), way)
				require.Equal(t, tc.warned, len(response.Warnings) > 0)
				if tc.inStore == "" {
					require.Empty(t, w.stored)
				} else {
					require.Len(t, w.stored, 1)
					require.Equal(t, tc.inStore, w.stored[0].Data[rook.EndpointsDataKey])
				}
				if tc.refused != "" {
					require.False(t, response.Allowed)
					require.Contains(t, response.Result.Message, tc.refused)
					continue
				}
				patched := patchedObject[corev1.ConfigMap](t, req, response)
				require.Equal(t, tc.wanted, patched.Data[rook.EndpointsDataKey])
				require.Contains(t, patched.Data[rook.EndpointsCSIKey], tc.csi)
				require.Equal(t, tc.keptNote, rook.FormatEndpoints(w.remembered.Mons))
				require.Empty(t, patched.Annotations, "what others write back is no place for our notes")

				again := req
				again.Object.Raw = patchedRaw(t, req, response)
				require.Empty(t, s.handle(t.Context(), MonEndpointsPath, again).Patch)
			}
		})
	}
}

func TestAMonThatTheCacheDoesNotShowDeployedYetIsNotTakenForOneThatLivedAtWhatRookWrites(t *testing.T) {
	// Before v1.20.5 a failover lists the new mon only after its Deployment, milliseconds later, out of Rook's memory.
	w := newWorld()
	w.mons = map[string]rook.DaemonFacts{"b": born("242.1.255.2", "10.96.0.2")}
	w.latest = map[string]rook.DaemonFacts{"d": born("242.1.255.4", "10.96.0.4")}
	w.endpoints = monEndpointsOf("b=242.1.255.2:6789")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	written := monEndpointsOf("b=242.1.255.2:6789,d=10.96.0.4:6789")
	written.Data[rook.EndpointsMaxMonIDKey] = "3"
	req := update(t, written, w.endpoints)
	response := s.handle(t.Context(), MonEndpointsPath, req)
	require.Equal(t, "b=242.1.255.2:6789,d=242.1.255.4:6789", patchedObject[corev1.ConfigMap](t, req, response).Data[rook.EndpointsDataKey])
}

func TestARestoredListOfMonsThatHaveLivedIsStoredAsItWasWritten(t *testing.T) {
	restored := readCase(t, "restored-mon-endpoints.yaml")
	w := newWorld()
	w.cluster = nil
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), MonEndpointsPath, creation(t, restored))
	require.True(t, response.Allowed, "%v", response.Result)
	require.Empty(t, response.Patch)
	require.Empty(t, w.stored)
}

// readCase returns a ConfigMap of a public report.
func readCase(t *testing.T, name string) *corev1.ConfigMap {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	c := &corev1.ConfigMap{}
	require.NoError(t, yaml.Unmarshal(raw, c))
	return c
}

func TestWhoEditsTheMonEndpointsIsToldWhatBecameOfItAndRookIsNot(t *testing.T) {
	w := newWorld()
	w.mons["e"] = born("242.0.0.5", "10.96.0.5")
	stored := monEndpointsOf("e=242.0.0.5:6789")
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	edit := readCase(t, "mon-endpoints-hand-edit.yaml")
	edit.ResourceVersion = "7"
	req := update(t, edit, stored)

	response := s.handle(t.Context(), MonEndpointsPath, req)
	require.Equal(t, reason.EndpointsCorrected, reasonOf(response))
	require.Empty(t, response.Warnings)
	w.remembered = rook.Remembered{}

	response = s.handle(t.Context(), MonEndpointsPath, byHand(req))
	require.Equal(t, reason.HandEditCorrected, reasonOf(response))
	require.Equal(t, []string{
		`rook-clusterset: ConfigMap rook-ceph/rook-ceph-mon-endpoints was not written by Rook, and is put back to where the mons are: mon "e" is kept at 242.0.0.5 instead of 10.0.0.6`,
		"rook-clusterset: a mon keeps its address for life; to hand it over, let Rook replace it: kubectl -n rook-ceph scale deployment rook-ceph-mon-e --replicas=0, and wait for Rook's failover",
	}, response.Warnings)
	require.Equal(t, "e=242.0.0.5:6789", patchedObject[corev1.ConfigMap](t, req, response).Data[rook.EndpointsDataKey])
	require.False(t, w.remembered.Stale(), "what a person writes says nothing of Rook's memory")

	edit.Data[rook.EndpointsDataKey] = "e=242.0.0.5:6789"
	edit.Data[rook.EndpointsCSIKey] = `[{"clusterID":"rook-ceph","monitors":["10.96.0.5:6789"]}]`
	response = s.handle(t.Context(), MonEndpointsPath, byHand(update(t, edit, stored)))
	require.Len(t, response.Warnings, 1)
	require.Contains(t, response.Warnings[0], "csi-cluster-config-json is kept at the addresses of the mons")

	response = s.handle(t.Context(), MonEndpointsPath, byHand(update(t, stored, stored)))
	require.Empty(t, response.Warnings, "what is right needs no word")
}

func TestAMonThatRookCannotHaveIsLetThroughAtOnceAndTold(t *testing.T) {
	w := newWorld()
	w.mons["a"] = born("242.0.0.1", "10.96.0.1")
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	before := time.Now()
	response := s.handle(t.Context(), MonEndpointsPath, creation(t, readCase(t, "mon-endpoints-unknown-id.yaml")))
	require.Less(t, time.Since(before), 5*time.Second)
	require.True(t, response.Allowed)
	require.Equal(t, reason.MalformedEndpoints, reasonOf(response))
	require.Len(t, response.Warnings, 1)
	require.Contains(t, response.Warnings[0], `mon endpoint "ext-mon-1=203.0.113.9:6789" has an ID that Rook gives to no mon, and that externalMons does not list`)
}

func TestWhatRookRemembersIsKeptApartFromWhatOthersWriteBack(t *testing.T) {
	w := newWorld()
	w.mons["a"], w.mons["b"] = born("242.1.255.1", "10.96.0.1"), born("242.1.255.2", "10.96.0.2")
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	remembered := func() string { return rook.FormatEndpoints(w.remembered.Mons) }
	stored := monEndpointsOf("a=242.1.255.1:6789,b=242.1.255.2:6789")
	write := func(data, version string, edits ...func(admission.Request) admission.Request) {
		written := monEndpointsOf(data)
		written.ResourceVersion = version
		req := update(t, written, stored)
		for _, edit := range edits {
			req = edit(req)
		}
		require.True(t, s.handle(t.Context(), MonEndpointsPath, req).Allowed)
	}
	const stale, right = "a=242.1.255.1:6789,b=10.96.0.2:6789", "a=242.1.255.1:6789,b=242.1.255.2:6789"

	write(stale, "", dryRun)
	require.Empty(t, remembered(), "a dry run leaves nothing")
	write(stale, "")
	require.Equal(t, "b=10.96.0.2:6789", remembered())
	require.Equal(t, operatorNamespace, w.remembered.Operator)

	write(right, "12")
	require.Equal(t, "b=10.96.0.2:6789", remembered(), "Rook read this and changed another key")
	write(right, "", byHand)
	require.Equal(t, "b=10.96.0.2:6789", remembered(), "a person restored this")
	write(right, "")
	require.Empty(t, remembered(), "Rook has reloaded")

	w.unwritable = errors.New("etcdserver: request timed out")
	write(stale, "")
	require.Empty(t, remembered(), "the write goes on all the same")
	require.Contains(t, s.log.String(), "met a fault")
}

func TestADryRunOfTheFirstMonIsRefusedButStoresNothing(t *testing.T) {
	w := newWorld()
	w.mons["a"] = unborn(ready("242.1.255.1"), "10.96.0.1")
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	response := s.handle(t.Context(), MonEndpointsPath, dryRun(creation(t, monEndpointsOf("a=10.96.0.1:6789"))))
	require.False(t, response.Allowed)
	require.Equal(t, reason.FirstMonStored, reasonOf(response))
	require.Empty(t, w.stored)

	w.mons["a"] = unborn(waiting(), "10.96.0.1")
	response = s.handle(t.Context(), MonEndpointsPath, dryRun(creation(t, monEndpointsOf("a=10.96.0.1:6789"))))
	require.False(t, response.Allowed)
	require.Equal(t, reason.EndpointUnknown, reasonOf(response))
}

func TestTheFirstMonIsRefusedEvenWhereItsEndpointCannotBeStored(t *testing.T) {
	w := newWorld()
	w.mons["a"] = unborn(ready("242.1.255.1"), "10.96.0.1")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	for fault, code := range map[error]reason.Code{
		errors.New("etcdserver: request timed out"):                                                   reason.InternalFault,
		fmt.Errorf("store ConfigMap rook-ceph/rook-ceph-mon-endpoints: %w", context.DeadlineExceeded): reason.APIServerSilent,
	} {
		w.unwritable = fault
		response := s.handle(t.Context(), MonEndpointsPath, creation(t, monEndpointsOf("a=10.96.0.1:6789")))
		require.False(t, response.Allowed)
		require.Equal(t, code, reasonOf(response))
		require.Contains(t, response.Result.Message, "could not be stored ("+fault.Error()+"); Rook will retry")
	}
}

// Else it would say that it was stored, again and again, and nobody would know why it is not.
func TestTheFirstMonWhoseAddressTheAPIServerKnowsNoMoreIsNotSaidToBeStored(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*rook.DaemonFacts)
		says   string
	}{
		"the sources cannot be asked": {func(m *rook.DaemonFacts) {
			m.Export.GlobalIP, m.Export.Refused, m.Export.RefusedDetail = netip.Addr{}, reason.SourceUnreadable, "cannot get globalingressips"
		}, "cannot get globalingressips"},
		"another daemon has taken it": {func(m *rook.DaemonFacts) { m.HeldBy = "rook-b/rook-ceph-mon-k" }, "rook-b/rook-ceph-mon-k"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.mons["a"] = unborn(ready("242.1.255.1"), "10.96.0.1")
			latest := w.mons["a"]
			c.change(&latest)
			w.latest = map[string]rook.DaemonFacts{"a": latest}
			s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
			first := monEndpointsOf("a=10.96.0.1:6789")
			first.Data[rook.EndpointsMaxMonIDKey] = "-1"
			response := s.handle(t.Context(), MonEndpointsPath, creation(t, first))
			require.False(t, response.Allowed)
			require.Empty(t, w.stored)
			require.Contains(t, response.Result.Message, "could not be stored")
			require.Contains(t, response.Result.Message, c.says)
		})
	}
}

// What we store ourselves comes back as a review, to any replica.
func TestWhatAReplicaStoresDoesNotWaitForTheCacheOfAnother(t *testing.T) {
	w := newWorld()
	w.mons["a"] = unborn(waiting(), "10.96.0.1")
	w.latest = map[string]rook.DaemonFacts{"a": unborn(ready("242.1.255.1"), "10.96.0.1")}
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	before, written := monEndpointsOf(""), monEndpointsOf("a=242.1.255.1:6789")
	before.Data[rook.EndpointsMaxMonIDKey], written.Data[rook.EndpointsMaxMonIDKey] = "-1", "-1"
	written.Data[rook.EndpointsCSIKey] = `[{"clusterID":"rook-ceph","monitors":["242.1.255.1:6789"]}]`
	req := update(t, written, before)
	req.UserInfo.Username = "system:serviceaccount:rook-clusterset:rook-clusterset"
	began := time.Now()
	response := s.handle(t.Context(), MonEndpointsPath, req)
	require.True(t, response.Allowed, "%v", response.Result)
	require.Empty(t, response.Patch)
	require.Less(t, time.Since(began), 5*time.Second)
	require.Equal(t, "a=242.1.255.1:6789", rook.FormatEndpoints(w.remembered.MonHostLacks))
}

func TestAnotherConfigMapIsNeverTouched(t *testing.T) {
	other := monEndpointsOf("a=10.96.0.1:6789")
	other.Name = "rook-config-override"
	w := newWorld()
	w.mons["a"] = unborn(waiting(), "10.96.0.1")
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	for _, req := range []admission.Request{creation(t, other), update(t, other, other)} {
		response := s.handle(t.Context(), MonEndpointsPath, req)
		require.True(t, response.Allowed)
		require.Empty(t, response.Patch)
	}
}

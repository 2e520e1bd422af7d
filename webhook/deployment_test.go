package webhook

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestRulesOfAdmissionForDeployments(t *testing.T) {
	with := func(d *appsv1.Deployment, edit func(*appsv1.Deployment)) *appsv1.Deployment {
		edit(d)
		return d
	}
	create := func(d *appsv1.Deployment) func(*testing.T) admission.Request {
		return func(t *testing.T) admission.Request { return creation(t, d) }
	}
	replace := func(d, old *appsv1.Deployment) func(*testing.T) admission.Request {
		return func(t *testing.T) admission.Request { return update(t, d, old) }
	}
	for name, tc := range map[string]struct {
		world   func(*world)
		request func(*testing.T) admission.Request
		reason  reason.Code
		refused string
		// args are those of container, the last ones, in a Deployment that is not refused; nil for what is left untouched.
		container string
		args      []string
		warned    bool
		ensured   []string
	}{
		"a new OSD whose address is known is rewritten": {
			world:     func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") },
			request:   create(osd("3")),
			reason:    reason.Rewritten,
			container: "osd",
			args:      []string{"--public-addr=242.1.255.9", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)"},
		},
		"a new mon whose address is known is rewritten where it serves": {
			world:     func(w *world) { w.exports["rook-ceph-mon-a"] = ready("242.1.255.1") },
			request:   create(mon("a", "10.96.0.1")),
			reason:    reason.Rewritten,
			container: "mon",
			args:      []string{"--public-addr=242.1.255.1", "--public-bind-addr=$(ROOK_POD_IP)"},
		},
		"and where it writes its address into its store": {
			world:     func(w *world) { w.exports["rook-ceph-mon-a"] = ready("242.1.255.1") },
			request:   create(mon("a", "10.96.0.1")),
			reason:    reason.Rewritten,
			container: "init-mon-fs",
			args:      []string{"--public-addr=242.1.255.1", "--mkfs"},
		},
		"a new mon that Rook already writes with its global IP is untouched": {
			world:   func(w *world) { w.exports["rook-ceph-mon-a"] = ready("242.1.255.1") },
			request: create(mon("a", "242.1.255.1")),
			reason:  reason.AlreadyRight,
		},
		"a new mon whose export never becomes Valid is refused with the condition of the export": {
			world:   func(w *world) { w.exports["rook-ceph-mon-a"] = waiting() },
			request: create(mon("a", "10.96.0.1")),
			reason:  reason.ExportNotValid,
			refused: `mon "a" is not ready for its clusterset address: ServiceExport rook-ceph/rook-ceph-mon-a is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`,
		},
		"an OSD that nothing in the cluster announces is exported by nobody, however often it is asked for": {
			world:   func(w *world) { w.unexpected = true },
			request: create(osd("777")),
			reason:  reason.ExportMissing,
			refused: `osd "777" is not ready for its clusterset address: it has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-osd-777); Rook will retry`,
		},
		"an OSD of an absurd number is none": {
			request: create(osd("11111111111111111111111111111111111111111111111111111111")),
			reason:  reason.NotRookDaemon,
			warned:  true,
		},
		"what somebody else than Rook creates is no birth": {
			world:   func(w *world) { w.operator = "another-namespace" },
			request: create(osd("3")),
			reason:  reason.NotRookDaemon,
			warned:  true,
		},
		"a new OSD without an export gets one and is refused when that does not help in time": {
			request: create(osd("3")),
			reason:  reason.ExportMissing,
			refused: `osd "3" is not ready for its clusterset address: it has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-osd-3); Rook will retry`,
			ensured: []string{"rook-ceph-osd-3"},
		},
		"a new OSD whose Service belongs to someone else is refused with that reason": {
			world:   func(w *world) { w.unwritable = reason.Errorf(reason.ServiceForeign, "rook-ceph/rook-ceph-osd-3") },
			request: create(osd("3")),
			reason:  reason.ServiceForeign,
			refused: `osd "3" could not be exported: has a Service that rook-clusterset did not create and so leaves alone (rook-ceph/rook-ceph-osd-3); Rook will retry`,
			ensured: []string{"rook-ceph-osd-3"},
		},
		"a new OSD whose export is someone else's is refused at once and exported by nobody": {
			world:   func(w *world) { w.exports["rook-ceph-osd-3"] = rook.Export{Exists: true} },
			request: create(osd("3")),
			reason:  reason.ExportForeign,
			refused: `osd "3" is not ready for its clusterset address: it has a ServiceExport that rook-clusterset did not create and so leaves alone (ServiceExport rook-ceph/rook-ceph-osd-3); Rook will retry`,
		},
		"a new OSD of a CephCluster that is not known is refused without an export": {
			world:   func(w *world) { w.cluster = nil },
			request: create(osd("3")),
			reason:  reason.ClusterUnknown,
			refused: `osd "3" is not ready for its clusterset address: it belongs to a CephCluster that is not known here; Rook will retry`,
		},
		"an update of a mon keeps the address that the stored one has, whatever the export has by now": {
			world:     func(w *world) { w.exports["rook-ceph-mon-a"] = ready("242.1.255.77") },
			request:   replace(mon("a", "10.96.0.1"), mon("a", "242.1.255.1")),
			reason:    reason.AddressKept,
			container: "mon",
			args:      []string{"--public-addr=242.1.255.1", "--public-bind-addr=$(ROOK_POD_IP)"},
		},
		"an update of an OSD gives it the address that its export has now": {
			world:     func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.10") },
			request:   replace(osd("3"), osdAt("3", "242.1.255.9")),
			reason:    reason.Rewritten,
			container: "osd",
			args:      []string{"--public-addr=242.1.255.10", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)"},
		},
		"an update of an OSD whose export lost its address keeps the stored one": {
			request:   replace(osd("3"), osdAt("3", "242.1.255.9")),
			reason:    reason.AddressKept,
			container: "osd",
			args:      []string{"--public-addr=242.1.255.9", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)"},
		},
		"an update of an OSD that never had an address neither waits nor is refused": {
			world:   func(w *world) { w.exports["rook-ceph-osd-3"] = waiting() },
			request: replace(osd("3"), osd("3")),
			reason:  reason.AddressUnknown,
		},
		"a creation of an OSD that exists is the update that Rook makes next": {
			world: func(w *world) {
				w.deployments["rook-ceph-osd-3"] = osdAt("3", "242.1.255.9")
				w.exports["rook-ceph-osd-3"] = waiting()
			},
			request:   create(osd("3")),
			reason:    reason.AddressKept,
			container: "osd",
			args:      []string{"--public-addr=242.1.255.9", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)"},
		},
		"a mon older than rook-clusterset is left alone": {
			world: func(w *world) {
				w.exports["rook-ceph-mon-a"] = rook.Export{Exists: true, Ours: true, Identity: rook.IdentityCluster}
			},
			request: replace(mon("a", "10.96.0.1"), mon("a", "10.96.0.1")),
			reason:  reason.IdentityCluster,
		},
		"a canary is left alone": {
			request: create(with(mon("a", ""), func(d *appsv1.Deployment) {
				d.Name += "-canary"
				d.Labels["mon_canary"] = "true"
			})),
			reason: reason.Canary,
		},
		"a floating mon is left alone": {
			request: create(with(mon("f", ""), func(d *appsv1.Deployment) { d.Labels["app"] = "rook-ceph-floating-mon" })),
			reason:  reason.FloatingMon,
		},
		"a daemon on the host network is left alone": {
			request: create(with(osd("3"), func(d *appsv1.Deployment) { d.Spec.Template.Spec.HostNetwork = true })),
			reason:  reason.HostNetwork,
		},
		"a Deployment that a CephCluster does not control is left alone with a warning": {
			request: create(with(osd("3"), func(d *appsv1.Deployment) { d.OwnerReferences = nil })),
			reason:  reason.ForeignOwner,
			warned:  true,
		},
		"an OSD whose container nobody would know is left alone with a warning": {
			world: func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") },
			request: replace(with(osd("3"), func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Name = "else" }),
				osd("3")),
			reason: reason.MalformedDeployment,
			warned: true,
		},
		"a cluster that Rook exports itself is left alone": {
			world:   func(w *world) { w.cluster.NativeMultiCluster = true },
			request: create(osd("3")),
			reason:  reason.NativeMultiCluster,
		},
		"a cluster of too old a Ceph is left alone": {
			world:   func(w *world) { w.cluster.CephVersion = "17.2.5-0" },
			request: create(osd("3")),
			reason:  reason.CephTooOld,
		},
		"a namespace that is not switched on is left alone": {
			world:   func(w *world) { w.enabled[rookNamespace] = false },
			request: create(osd("3")),
			reason:  reason.NamespaceNotEnabled,
		},
		"a scaling is left alone": {
			request: func(t *testing.T) admission.Request {
				req := update(t, osd("3"), osdAt("3", "242.1.255.9"))
				req.SubResource = "scale"
				return req
			},
			reason: reason.AlreadyRight,
		},
		"a deletion is left alone": {
			request: func(t *testing.T) admission.Request {
				return requestOf(t, admissionv1.Delete, osd("3"), osd("3"))
			},
			reason: reason.AlreadyRight,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if tc.world != nil {
				tc.world(w)
			}
			req := tc.request(t)
			response := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1}).handle(t.Context(), DeploymentPath, req)

			require.Equal(t, tc.reason, reasonOf(response))
			require.Equal(t, tc.refused != "", !response.Allowed)
			require.Equal(t, tc.ensured, w.ensured)
			require.Equal(t, tc.warned, len(response.Warnings) > 0, "%v", response.Warnings)
			if tc.refused != "" {
				require.Equal(t, tc.refused, response.Result.Message)
				return
			}
			if tc.args == nil {
				require.Empty(t, response.Patch)
				return
			}
			args := argsOf(patchedObject[appsv1.Deployment](t, req, response), tc.container)
			require.Equal(t, tc.args, args[len(args)-len(tc.args):])
		})
	}
}

func TestANewMonIsRefusedWhereRooksListTellsAnotherAddressThanItIsGiven(t *testing.T) {
	listed := monEndpointsOf("a=242.1.255.9:6789,b=242.1.255.2:6789")
	w := newWorld()
	w.exports["rook-ceph-mon-a"], w.exports["rook-ceph-mon-b"] = ready("242.1.255.1"), ready("242.1.255.2")
	w.exports["rook-ceph-mon-c"], w.exports["rook-ceph-osd-3"] = ready("242.1.255.3"), ready("242.1.255.4")
	w.liveEndpoints = listed
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})

	response := s.handle(t.Context(), DeploymentPath, creation(t, mon("a", "242.1.255.9")))
	require.False(t, response.Allowed)
	require.Equal(t, reason.EndpointWrong, reasonOf(response))
	require.Contains(t, response.Result.Message, `mon "a" cannot be given its clusterset address 242.1.255.1`)
	require.Contains(t, response.Result.Message, "242.1.255.9; Rook will retry")
	for name, d := range map[string]*appsv1.Deployment{
		"a mon that is listed rightly": mon("b", "10.96.0.2"), "a mon that is not listed yet": mon("c", "10.96.0.3"), "an OSD": osd("3"),
	} {
		require.Equal(t, reason.Rewritten, reasonOf(s.handle(t.Context(), DeploymentPath, creation(t, d))), name)
	}
	w.deployments["rook-ceph-mon-a"] = mon("a", "242.1.255.1")
	require.Equal(t, reason.AddressKept, reasonOf(s.handle(t.Context(), DeploymentPath, creation(t, mon("a", "242.1.255.9")))), "a mon that lives")

	w.unreachable = true
	response = s.handle(t.Context(), DeploymentPath, creation(t, mon("b", "10.96.0.2")))
	require.False(t, response.Allowed, "what cannot be compared is not let through")
	require.Equal(t, reason.InternalFault, reasonOf(response))
}

func TestADaemonIsBornByWhatTheAPIServerSaysOfItsExport(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-mon-d"], w.exports["rook-ceph-osd-4"] = ready("242.1.255.4"), ready("242.1.255.5")
	w.latest = map[string]rook.DaemonFacts{"d": {Export: waiting()}, "4": {Export: waiting()}}
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), DeploymentPath, creation(t, mon("d", "10.96.0.4")))
	require.False(t, response.Allowed, "its export was made anew, which the cache does not show yet")
	require.Equal(t, reason.ExportNotValid, reasonOf(response))
	response = s.handle(t.Context(), DeploymentPath, creation(t, osd("4")))
	require.False(t, response.Allowed, "the address of before can be another's by now")
	require.Equal(t, reason.ExportNotValid, reasonOf(response))
	w.deployments["rook-ceph-osd-4"] = osd("4")
	require.True(t, s.handle(t.Context(), DeploymentPath, update(t, osd("4"), osd("4"))).Allowed, "one that lives can follow")

	w.change(func(w *world) { w.latest["d"] = rook.DaemonFacts{Export: ready("242.1.255.9")} })
	req := creation(t, mon("d", "10.96.0.4"))
	response = s.handle(t.Context(), DeploymentPath, req)
	require.Contains(t, string(patchedRaw(t, req, response)), "--public-addr=242.1.255.9")
}

func TestWhatACacheStillHasOfADeploymentThatIsGoneMakesNoUpdateOfABirth(t *testing.T) {
	w := newWorld()
	for _, d := range []*appsv1.Deployment{mon("d", "242.1.255.1"), osd("4")} {
		w.deployments[d.Name], w.exports[d.Name] = d, ready("242.1.255.9")
	}
	w.latest = map[string]rook.DaemonFacts{"d": {Export: ready("242.1.255.9")}, "4": {Export: waiting()}}
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	req := creation(t, mon("d", "10.96.0.4"))
	response := s.handle(t.Context(), DeploymentPath, req)
	require.Contains(t, string(patchedRaw(t, req, response)), "--public-addr=242.1.255.9", "the address of the one before can be another's by now")
	response = s.handle(t.Context(), DeploymentPath, creation(t, osd("4")))
	require.False(t, response.Allowed)
	require.Equal(t, reason.ExportNotValid, reasonOf(response))
}

func TestAnOSDIsNotCreatedWhileTheAPIServerDoesNotTellWhetherItIsThere(t *testing.T) {
	w := newWorld()
	for _, d := range []*appsv1.Deployment{mon("d", "242.1.255.1"), osd("4")} {
		w.deployments[d.Name], w.exports[d.Name] = d, ready("242.1.255.9")
	}
	w.latestUnreadable = errors.New("the API server does not answer")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), DeploymentPath, creation(t, osd("4")))
	require.False(t, response.Allowed, "it can have been deleted with its export, whose address is another's by now")
	require.Contains(t, response.Result.Message, "the API server does not answer")
	require.True(t, s.handle(t.Context(), DeploymentPath, update(t, osd("4"), osd("4"))).Allowed, "an update tells what is there")
	require.True(t, s.handle(t.Context(), DeploymentPath, creation(t, mon("d", "242.1.255.1"))).Allowed, "a mon keeps its address whatever becomes of it")
}

func TestNoMonIsBornWhereRooksListHasAnother(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-mon-d"] = ready("242.1.255.4")
	w.liveEndpoints = monEndpointsOf("a=242.1.255.4:6789,d=242.1.255.4:6789")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), DeploymentPath, creation(t, mon("d", "10.96.0.4")))
	require.False(t, response.Allowed)
	require.Equal(t, reason.UsedByAnother, reasonOf(response))
	require.Contains(t, response.Result.Message, `which is that of mon "a" in Rook's list`)
	w.change(func(w *world) { w.liveEndpoints = monEndpointsOf("a=242.1.255.9:6789,d=242.1.255.4:6789") })
	require.True(t, s.handle(t.Context(), DeploymentPath, creation(t, mon("d", "10.96.0.4"))).Allowed)
}

func TestNothingIsBornAtAnAddressAtWhichAnotherDaemonLives(t *testing.T) {
	living := rook.Claim{Daemon: types.NamespacedName{Namespace: "other", Name: "rook-ceph-mon-b"}, Advertised: true}
	for name, c := range map[string]struct {
		born, lives *appsv1.Deployment
	}{
		"a mon":  {born: mon("d", "10.96.0.4"), lives: mon("d", "242.1.255.4")},
		"an OSD": {born: osd("4"), lives: osd("4")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.exports[c.born.Name] = ready("242.1.255.4")
			w.claims = map[netip.Addr][]rook.Claim{netip.MustParseAddr("242.1.255.4"): {living}}
			s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
			response := s.handle(t.Context(), DeploymentPath, creation(t, c.born))
			require.False(t, response.Allowed)
			require.Equal(t, reason.UsedByAnother, reasonOf(response))
			require.Contains(t, response.Result.Message, "which is that of other/rook-ceph-mon-b")

			response = s.handle(t.Context(), DeploymentPath, update(t, c.lives, c.lives))
			require.True(t, response.Allowed, "what lives is never refused")
		})
	}
}

func TestAnOSDDoesNotFollowItsExportToWhereAnotherDaemonLives(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-osd-4"] = ready("242.1.255.4")
	living := rook.Claim{Daemon: types.NamespacedName{Namespace: "other", Name: "rook-ceph-mon-b"}, Advertised: true}
	w.claims = map[netip.Addr][]rook.Claim{netip.MustParseAddr("242.1.255.4"): {living}}
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), DeploymentPath, update(t, osd("4"), osdAt("4", "242.1.255.9")))
	require.Equal(t, reason.AddressKept, reasonOf(response))
	response = s.handle(t.Context(), DeploymentPath, update(t, osd("4"), osd("4")))
	require.True(t, response.Allowed)
	require.Equal(t, reason.UsedByAnother, reasonOf(response))

	w.change(func(w *world) { w.claims = nil })
	response = s.handle(t.Context(), DeploymentPath, update(t, osd("4"), osdAt("4", "242.1.255.9")))
	require.Equal(t, reason.Rewritten, reasonOf(response))
}

func TestARewriteTouchesNothingButTheAddresses(t *testing.T) {
	for name, d := range map[string]*appsv1.Deployment{
		"mon":            mon("a", "10.96.0.1"),
		"osd":            osd("3"),
		"osd with flags": osdAt("3", "10.96.0.1"),
		"osd without env": func() *appsv1.Deployment {
			d := osd("3")
			d.Spec.Template.Spec.Containers[0].Env = nil
			return d
		}(),
		"osd with the flags twice": func() *appsv1.Deployment {
			d := osdAt("3", "10.96.0.1")
			c := &d.Spec.Template.Spec.Containers[0]
			c.Args = append(c.Args, c.Args[len(c.Args)-3:]...)
			return d
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.exports[d.Name] = ready("242.1.255.9")
			s := newStage(t, w, Options{})
			req := creation(t, d)
			req.Object.Raw = withFieldsOfTheFuture(t, req.Object.Raw)
			response := s.handle(t.Context(), DeploymentPath, req)
			require.Equal(t, reason.Rewritten, reasonOf(response))

			// What our own types make of it is the rewrite and nothing else.
			patched := patchedRaw(t, req, response)
			wanted := d.DeepCopy()
			advertise(t, wanted, netip.MustParseAddr("242.1.255.9"))
			stored := &appsv1.Deployment{}
			require.NoError(t, json.Unmarshal(patched, stored))
			require.Equal(t, wanted, stored)

			// Without args and env there is no difference at all, also in what our types do not know.
			require.Equal(t, withoutArgsAndEnv(t, req.Object.Raw), withoutArgsAndEnv(t, patched))

			again := creation(t, d)
			again.Object.Raw = patched
			response = s.handle(t.Context(), DeploymentPath, again)
			require.Equal(t, reason.AlreadyRight, reasonOf(response))
			require.Empty(t, response.Patch)
		})
	}
}

// withFieldsOfTheFuture adds fields that our types do not know, everywhere around what is patched.
func withFieldsOfTheFuture(t *testing.T, raw []byte) []byte {
	t.Helper()
	var u unstructured.Unstructured
	require.NoError(t, u.UnmarshalJSON(raw))
	future := map[string]any{"kept": []any{"as", "it", "is"}}
	containers, _, err := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	require.NoError(t, err)
	container := containers[0].(map[string]any)
	container["fieldOfTheFuture"] = future
	if env, ok := container["env"].([]any); ok {
		env[0].(map[string]any)["fieldOfTheFuture"] = future
	}
	require.NoError(t, unstructured.SetNestedSlice(u.Object, containers, "spec", "template", "spec", "containers"))
	for _, path := range [][]string{{"fieldOfTheFuture"}, {"spec", "fieldOfTheFuture"}, {"spec", "template", "spec", "fieldOfTheFuture"}} {
		require.NoError(t, unstructured.SetNestedField(u.Object, future, path...))
	}
	raw, err = u.MarshalJSON()
	require.NoError(t, err)
	return raw
}

func withoutArgsAndEnv(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var u unstructured.Unstructured
	require.NoError(t, u.UnmarshalJSON(raw))
	for _, kind := range []string{"containers", "initContainers"} {
		containers, _, err := unstructured.NestedSlice(u.Object, "spec", "template", "spec", kind)
		require.NoError(t, err)
		for _, c := range containers {
			container := c.(map[string]any)
			delete(container, "args")
			if env, ok := container["env"].([]any); ok && len(env) > 0 {
				container["env"] = env[:1]
				if env[0].(map[string]any)["fieldOfTheFuture"] == nil {
					delete(container, "env")
				}
			}
		}
		require.NoError(t, unstructured.SetNestedSlice(u.Object, containers, "spec", "template", "spec", kind))
	}
	return u.Object
}

func TestAPatchNamesOnlyWhatChanges(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-mon-a"] = ready("242.1.255.1")
	response := newStage(t, w, Options{}).handle(t.Context(), DeploymentPath, creation(t, mon("a", "10.96.0.1")))
	require.JSONEq(t, `[
		{"op":"replace","path":"/spec/template/spec/initContainers/1/args/2","value":"--public-addr=242.1.255.1"},
		{"op":"replace","path":"/spec/template/spec/containers/0/args/3","value":"--public-addr=242.1.255.1"}
	]`, string(response.Patch))
}

func TestADryRunCreatesNothingAndDoesNotWait(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-osd-3"] = waiting()
	response := newStage(t, w, Options{Hold: longHold, MaxHeld: 1}).handle(t.Context(), DeploymentPath, dryRun(creation(t, osd("3"))))
	require.False(t, response.Allowed)
	require.Equal(t, reason.ExportNotValid, reasonOf(response))
	require.Contains(t, response.Result.Message, "is not Valid (AwaitingExport: awaiting aggregation on the broker)")
	require.Empty(t, w.ensured)

	w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
	response = newStage(t, w, Options{Hold: longHold, MaxHeld: 1}).handle(t.Context(), DeploymentPath, dryRun(creation(t, osd("3"))))
	require.Equal(t, reason.Rewritten, reasonOf(response))
	require.NotEmpty(t, response.Patch)
}

func TestEveryAnswerIsLoggedAndCountedOnce(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	s.handle(t.Context(), DeploymentPath, creation(t, osd("3")))
	s.handle(t.Context(), DeploymentPath, dryRun(creation(t, osd("4"))))
	s.handle(t.Context(), DeploymentPath, creation(t, osd("5")))

	lines := slices.Collect(strings.Lines(s.log.String()))
	require.Len(t, lines, 3)
	for i, parts := range [][]string{
		{`"name"="rook-ceph-osd-3"`, `"action"="patched"`, `"reason"="rewritten"`, `"dryRun"=false`},
		{`"name"="rook-ceph-osd-4"`, `"action"="refused"`, `"reason"="export_missing"`, `"dryRun"=true`},
		{`"name"="rook-ceph-osd-5"`, `"action"="refused"`, `"reason"="export_missing"`, `"dryRun"=false`, `"held"="`},
	} {
		for _, part := range parts {
			require.Contains(t, lines[i], part)
		}
		require.Contains(t, lines[i], `"level"=0`)
	}
	require.Regexp(t, `"held"="([5-9]\d|\d{3,})ms"`, lines[2], "a machine that is busy holds it longer than asked")
	require.NotContains(t, lines[0], `"held"`)
	require.InDelta(t, 1, counted(t, s, "deployment", "patched", reason.Rewritten), 0)
	require.InDelta(t, 2, counted(t, s, "deployment", "refused", reason.ExportMissing), 0)
}

func TestAWriteOfWhichNothingIsToBeSaidIsToldToWhoDebugs(t *testing.T) {
	w := newWorld()
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	request := creation(t, osd("3"))
	request.SubResource = "status"
	require.Equal(t, reason.AlreadyRight, reasonOf(s.handle(t.Context(), DeploymentPath, request)))
	require.Contains(t, s.log.String(), `"level"=1`)
	require.InDelta(t, 1, counted(t, s, "deployment", "allowed", reason.AlreadyRight), 0, "it is counted all the same")
}

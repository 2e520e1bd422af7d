package webhook

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestOurOwnFaultsRefuseNewDaemonsAndNothingElse(t *testing.T) {
	undecodable := func(req admission.Request) admission.Request {
		req.Object = runtime.RawExtension{Raw: []byte(`{"metadata":{"labels":"none"},"spec":7,"data":"none"}`)}
		req.OldObject = req.Object
		return req
	}
	faults := map[string]struct {
		spoilWorld   func(*world)
		spoilRequest func(admission.Request) admission.Request
		said         string
	}{
		"a cache that is not ready": {
			spoilWorld: func(w *world) { w.unreadable = errCacheNotReady }, said: errCacheNotReady.Error(),
		},
		"a namespace that cannot be read": {
			spoilWorld: func(w *world) { w.namespaceUnreadable = errCacheNotReady }, said: errCacheNotReady.Error(),
		},
		"a panic": {
			spoilWorld: func(w *world) { w.panicking = "index out of range" }, said: "panic",
		},
		"an object that cannot be decoded": {spoilRequest: undecodable, said: "decode the"},
	}
	canary := mon("a", "")
	canary.Name += "-canary"
	for fault, f := range faults {
		for request, tc := range map[string]struct {
			path    string
			req     admission.Request
			refused bool
		}{
			"a new OSD":         {DeploymentPath, creation(t, osd("3")), true},
			"a new mon":         {DeploymentPath, creation(t, mon("a", "10.96.0.1")), true},
			"an update of one":  {DeploymentPath, update(t, osd("3"), osdAt("3", "242.1.255.9")), false},
			"mon endpoints":     {MonEndpointsPath, creation(t, monEndpointsOf("a=10.96.0.1:6789")), false},
			"the Secret":        {CephConfigPath, creation(t, cephConfig("[v2:10.96.0.1:3300]")), false},
			"an EndpointSlice":  {ActiveMonsPath, creation(t, activeMons(rook.ActiveMonsIPv4Name, "10.96.0.1")), false},
			"the CSI ConfigMap": {CSIConfigPath, creation(t, csiConfig(`"10.96.0.1:3300"`)), false},
			"a CephConnection":  {CephConnectionPath, creation(t, cephConnection("10.96.0.1:3300")), false},
			"a mon Service":     {MonServicePath, creation(t, monService("a", "242.1.255.1")), false},
		} {
			if fault == "an object that cannot be decoded" && request == "a CephConnection" {
				continue // Any JSON object is one.
			}
			t.Run(fault+" on "+request, func(t *testing.T) {
				w := newWorld()
				s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
				req := tc.req
				if f.spoilRequest != nil {
					req = f.spoilRequest(req)
				} else {
					f.spoilWorld(w)
				}
				response := s.handle(t.Context(), tc.path, req)
				require.Equal(t, reason.InternalFault, reasonOf(response))
				require.Equal(t, tc.refused, !response.Allowed)
				require.Empty(t, response.Patch)
				if tc.refused {
					require.Contains(t, response.Result.Message, "Deployment rook-ceph/"+req.Name+" met a fault of rook-clusterset (")
					require.Contains(t, response.Result.Message, f.said)
					require.Contains(t, response.Result.Message, "Rook will retry")
				} else {
					require.Len(t, response.Warnings, 1)
					require.Contains(t, response.Warnings[0], "met a fault of rook-clusterset")
					require.Contains(t, response.Warnings[0], f.said)
				}
			})
		}
	}

	t.Run("an API server that does not answer on a new OSD", func(t *testing.T) {
		w := newWorld()
		w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
		w.latestUnreadable = fmt.Errorf("read Service rook-ceph/rook-ceph-osd-3: %w", context.DeadlineExceeded)
		s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
		response := s.handle(t.Context(), DeploymentPath, creation(t, osd("3")))
		require.False(t, response.Allowed)
		require.Equal(t, reason.APIServerSilent, reasonOf(response), "who is up at night looks at the API server, and reports no fault of ours")
		require.Contains(t, response.Result.Message, "Deployment rook-ceph/rook-ceph-osd-3 cannot be decided on while the API server does not answer (read Service")
		require.Contains(t, response.Result.Message, "Rook will retry")
	})
	t.Run("an API server that is slow on a birth", func(t *testing.T) {
		first := monEndpointsOf("a=10.96.0.1:6789")
		first.Data[rook.EndpointsMaxMonIDKey] = "-1"
		for left, wanted := range map[time.Duration]time.Duration{29 * time.Second: 10 * time.Second, 6 * time.Second: 6 * time.Second, time.Second: 3 * time.Second} {
			w := newWorld()
			w.mons["a"] = unborn(ready("242.1.255.1"), "10.96.0.1")
			w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
			s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
			ctx, cancel := context.WithTimeout(t.Context(), left)
			s.handle(ctx, MonEndpointsPath, creation(t, first))
			s.handle(ctx, DeploymentPath, creation(t, osd("3")))
			cancel()
			require.Len(t, w.patient, 3, "the mon is read and stored, and the OSD is read")
			for _, patience := range w.patient {
				require.InDelta(t, wanted.Seconds(), patience.Seconds(), 0.5, "it was given so long where it waits for another %s", left)
			}
		}
	})
	t.Run("an API server that does not answer on an update", func(t *testing.T) {
		w := newWorld()
		w.unreadable = context.DeadlineExceeded
		s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
		response := s.handle(t.Context(), DeploymentPath, update(t, osd("3"), osdAt("3", "242.1.255.9")))
		require.True(t, response.Allowed)
		require.Equal(t, reason.InternalFault, reasonOf(response), "what is let through undecided is what the alert is for")
	})
	t.Run("an object that cannot be decoded on a canary", func(t *testing.T) {
		s := newStage(t, newWorld(), Options{})
		response := s.handle(t.Context(), DeploymentPath, undecodable(creation(t, canary)))
		require.True(t, response.Allowed)
		require.NotEmpty(t, response.Warnings)
	})
	t.Run("an object that cannot be decoded on a creation of an OSD that exists", func(t *testing.T) {
		w := newWorld()
		w.deployments["rook-ceph-osd-3"] = osdAt("3", "242.1.255.9")
		response := newStage(t, w, Options{}).handle(t.Context(), DeploymentPath, undecodable(creation(t, osd("3"))))
		require.True(t, response.Allowed)
		require.NotEmpty(t, response.Warnings)
	})
}

func TestAFaultOfTheAPIServerOnANewDaemonIsToldWhenTheHoldIsOver(t *testing.T) {
	w := newWorld()
	w.unwritable = errors.New(`serviceexports is forbidden`)
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), DeploymentPath, creation(t, osd("3")))
	require.False(t, response.Allowed)
	require.Equal(t, reason.InternalFault, reasonOf(response))
	require.Equal(t, `osd "3" could not be exported: serviceexports is forbidden; Rook will retry`, response.Result.Message)
}

func TestNothingOfASecretIsEverLogged(t *testing.T) {
	const secret = "tell-nobody"
	for name, tc := range map[string]struct {
		world *world
		req   admission.Request
	}{
		"when it is corrected":   {world: newWorld(), req: creation(t, cephConfig("[v2:10.96.0.1:3300]"+secret))},
		"when a panic quotes it": {world: newWorld(), req: creation(t, cephConfig(secret))},
		"when it cannot be decoded": {world: newWorld(), req: func() admission.Request {
			req := creation(t, cephConfig(""))
			req.Object.Raw = []byte(`{"data":{"mon_host":"` + secret + `"}}`)
			return req
		}()},
	} {
		t.Run(name, func(t *testing.T) {
			tc.world.mons["a"] = born("242.1.255.1", "10.96.0.1")
			s := newStage(t, tc.world, Options{})
			if name == "when a panic quotes it" {
				tc.world.panicking = secret
			}
			response := s.handle(t.Context(), CephConfigPath, tc.req)
			require.True(t, response.Allowed)
			require.NotEmpty(t, s.log.String())
			require.NotContains(t, s.log.String(), secret)
			for _, warning := range response.Warnings {
				require.NotContains(t, warning, secret)
			}
		})
	}
}

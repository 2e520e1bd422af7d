package scenarios_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// Releases of Rook differ in what they write, where they write it, and in which order they fail over.
func TestANewClusterAndAFailoverUnderEachKindOfRelease(t *testing.T) {
	t.Parallel()
	msgr2 := func(spec map[string]any) {
		spec["network"] = map[string]any{"connections": map[string]any{"requireMsgr2": true}}
	}
	const (
		csiConfig, slice  = "ConfigMap rook-ceph-csi-config", "EndpointSlice rook-ceph-active-mons-ipv4"
		connection        = "CephConnection NAMESPACE"
		sleeps, keepsArgs = "3600", "--public-addr="
	)
	for name, c := range map[string]struct {
		minor, patch int
		edits        []func(map[string]any)
		// canary is among the arguments of a canary of this release.
		canary string
		// places are where this release repeats the addresses of mons.
		places []string
	}{
		"v1.11.11, the oldest":                              {minor: 11, patch: 11, canary: sleeps, places: []string{csiConfig}},
		"v1.14.12 at port 3300 alone":                       {minor: 14, patch: 12, edits: []func(map[string]any){msgr2}, canary: sleeps, places: []string{csiConfig}},
		"v1.17.9 with an EndpointSlice and no CSI operator": {minor: 17, patch: 9, canary: keepsArgs, places: []string{csiConfig, slice}},
		"v1.19.10 with the CSI operator":                    {minor: 19, patch: 10, canary: keepsArgs, places: []string{slice, connection}},
		"v1.20.6, which saves a mon before it starts it":    {minor: 20, patch: 6, canary: keepsArgs, places: []string{slice, connection}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, true)
			s.createCephCluster(c.edits...)
			s.startOperator(func(o *rookstandin.Options) { o.Release = rookstandin.Release{Minor: c.minor, Patch: c.patch} })
			s.comesUp()
			s.everyDaemonIsGlobal()
			s.noClusterIPEver("a", "b", "c")
			for i, place := range c.places {
				c.places[i] = strings.ReplaceAll(place, "NAMESPACE", s.Namespace)
			}
			s.everyPlaceTells(c.places...)
			s.canariesAreLeftAlone(c.canary)
			require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals(), "the first mon's endpoint, and nothing else")
			require.Zero(t, s.Operator.Journal().Count(rookstandin.QuorumGivenUp))
			s.allIsWell(6)
			require.Equal(t, 1, s.events()["ReloadRequested"], "Rook is asked once to reload")

			// The mon that the operator knew rightly from the start.
			require.NoError(t, s.Operator.FailOver(t.Context(), "a"))
			s.settled()
			s.everyMonIsGlobal("b", "c", "d")
			s.everyPlaceTells(c.places...)
			require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals(), "a failover is never refused")
		})
	}
}

// canariesAreLeftAlone asserts that no canary of the mons, which are to be as the release has them, was ever told an address.
func (s *story) canariesAreLeftAlone(arg string) {
	s.t.Helper()
	for _, id := range []string{"a", "b", "c"} {
		writes := s.Recorder.Of("Deployment", "rook-ceph-mon-"+id+"-canary")
		require.NotEmpty(s.t, writes)
		d, _ := writes[0].Object.(*appsv1.Deployment)
		require.Contains(s.t, d.Spec.Template.Spec.Containers[0].Args, arg)
		for _, w := range writes {
			require.False(s.t, w.Holds(s.globalIP("rook-ceph-mon-"+id)), "a canary never advertises")
		}
	}
	require.Contains(s.t, s.metrics(), `reason="mon_canary"`)
}

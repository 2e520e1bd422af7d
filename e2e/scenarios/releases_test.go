package scenarios_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// Releases of Rook differ in what they write, where they write it, and in which order they fail over.
func TestANewClusterAndAFailoverUnderEachKindOfRelease(t *testing.T) {
	t.Parallel()
	msgr2 := func(spec map[string]any) {
		spec["network"] = map[string]any{"connections": map[string]any{"requireMsgr2": true}}
	}
	const csiConfig, slice = "ConfigMap rook-ceph-csi-config", "EndpointSlice rook-ceph-active-mons-ipv4"
	for name, c := range map[string]struct {
		release rookstandin.Release
		edits   []func(map[string]any)
		// places are where this release repeats the addresses of mons.
		places []string
	}{
		"v1.11.11, the oldest":                              {release: rookstandin.Release{Minor: 11, Patch: 11}, places: []string{csiConfig}},
		"v1.14.12 at port 3300 alone":                       {release: rookstandin.Release{Minor: 14, Patch: 12}, edits: []func(map[string]any){msgr2}, places: []string{csiConfig}},
		"v1.17.9 with an EndpointSlice and no CSI operator": {release: rookstandin.Release{Minor: 17, Patch: 9}, places: []string{csiConfig, slice}},
		"v1.19.10 with the CSI operator":                    {release: rookstandin.Release{Minor: 19, Patch: 10}, places: []string{slice, "CephConnection NAMESPACE"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, true)
			s.createCephCluster(c.edits...)
			s.startOperator(func(o *rookstandin.Options) { o.Release = c.release })
			s.comesUp()
			s.everyDaemonIsGlobal()
			s.noClusterIPEver("a", "b", "c")
			require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals())

			require.NoError(t, s.Operator.FailOver(t.Context(), "a"))
			s.global(3)
			for i, place := range c.places {
				c.places[i] = strings.ReplaceAll(place, "NAMESPACE", s.Namespace)
			}
			s.everyPlaceTells(c.places...)
			require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals(), "a failover is never refused")
		})
	}
}

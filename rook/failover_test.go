package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAFailoverIsKnownByItsObjects(t *testing.T) {
	a, b, c := bornMon("242.0.0.1", "10.96.0.1"), bornMon("242.0.0.2", "10.96.0.2"), bornMon("242.0.0.3", "10.96.0.3")
	d := newMonWith("242.0.0.4", "10.96.0.4")
	stopped, dBorn := b, bornMon("242.0.0.4", "10.96.0.4")
	stopped.Stopped = true
	floating := rook.DaemonFacts{Export: rook.Export{Identity: rook.IdentityCluster}}
	const three, four = "a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789", "a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789,d=242.0.0.4:6789"
	type mons = map[string]rook.DaemonFacts
	for name, tc := range map[string]struct {
		data, out, externals string
		mons                 mons
		want                 string
	}{
		"all mons are in their places":                 {data: three, mons: mons{"a": a, "b": b, "c": c}},
		"a mon is out of quorum":                       {data: three, out: "b", mons: mons{"a": a, "b": b, "c": c}, want: `mon "b" is out of quorum`},
		"the failed mon is scaled down":                {data: three, mons: mons{"a": a, "b": stopped, "c": c}, want: `mon "b" is scaled to 0`},
		"the new one has its Service":                  {data: three, mons: mons{"a": a, "b": b, "c": c, "d": d}, want: `mon "d" has a Service and is not listed`},
		"the new one is listed first (from v1.20.5)":   {data: four, mons: mons{"a": a, "b": b, "c": c, "d": d}, want: `mon "d" is listed and has no Deployment`},
		"the new one is deployed first (before)":       {data: three, mons: mons{"a": a, "b": b, "c": c, "d": dBorn}, want: `mon "d" has a Deployment and is not listed`},
		"the failed one is still there":                {data: four, mons: mons{"a": a, "b": b, "c": c, "d": dBorn}, want: "4 mons are listed where 3 are wanted"},
		"the failed one is no longer listed":           {data: "a=242.0.0.1:6789,c=242.0.0.3:6789,d=242.0.0.4:6789", mons: mons{"a": a, "b": b, "c": c, "d": dBorn}, want: `mon "b" has a Deployment and is not listed`},
		"an external mon never has a Deployment":       {data: three + ",x=192.0.2.1:6789", externals: "x", mons: mons{"a": a, "b": b, "c": c}},
		"a floating mon has one of another kind":       {data: "a=242.0.0.1:6789,b=242.0.0.2:6789,c=10.96.0.3:6789", mons: mons{"a": a, "b": b, "c": floating}},
		"what Rook cannot run is not waited for":       {data: three + ",ext-mon-1=192.0.2.1:6789", mons: mons{"a": a, "b": b, "c": c}},
		"an export that waits for its grace is no mon": {data: three, mons: mons{"a": a, "b": b, "c": c, "q": {Export: readyExport("242.0.0.9")}}},
	} {
		t.Run(name, func(t *testing.T) {
			endpoints := changed(endpointsMap(tc.data), func(c *corev1.ConfigMap) {
				c.Data[rook.EndpointsOutOfQuorum], c.Data[rook.EndpointsExternalMons] = tc.out, tc.externals
			})
			require.Equal(t, tc.want, rook.FailoverUnderWay(rook.Cluster{MonCount: 3}, endpoints, tc.mons))
		})
	}
	require.Empty(t, rook.FailoverUnderWay(rook.Cluster{MonCount: 3}, nil, nil))
	require.Empty(t, rook.FailoverUnderWay(rook.Cluster{}, endpointsMap(four), mons{"a": a, "b": b, "c": c, "d": dBorn}), "how many are wanted is not known")
}

package recorder

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

func at(revision int, o client.Object, name string) client.Object {
	o.SetNamespace("rook-ceph")
	o.SetName(name)
	o.SetResourceVersion(strconv.Itoa(revision))
	return o
}

func endpointsAt(revision int, data string) client.Object {
	return at(revision, &corev1.ConfigMap{Data: map[string]string{"data": data}}, shapes.EndpointsConfigMap)
}

func monDeploymentAt(revision int, arg string) client.Object {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "rook-ceph-mon"}}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "mon", Args: []string{arg}}}
	return at(revision, d, "rook-ceph-mon-a")
}

func TestRecorderTellsWhatHeldAClusterIPAfterTheBirthOfItsMon(t *testing.T) {
	service := at(1, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "rook-ceph-mon"}},
		Spec:       corev1.ServiceSpec{ClusterIPs: []string{"10.96.0.1"}},
	}, "rook-ceph-mon-a")
	born := monDeploymentAt(10, "--public-addr=242.0.0.1")
	const wrong, right = "a=10.96.0.1:6789", "a=242.0.0.1:6789"
	for name, c := range map[string]struct {
		writes []client.Object
		gone   client.Object
		held   []uint64
	}{
		"nothing when it was corrected before":       {[]client.Object{endpointsAt(5, wrong), endpointsAt(6, right), born}, nil, nil},
		"what stood when the mon was born":           {[]client.Object{endpointsAt(5, wrong), born, endpointsAt(11, right)}, nil, []uint64{5}},
		"what was written afterwards":                {[]client.Object{endpointsAt(5, right), born, endpointsAt(11, wrong), endpointsAt(12, right)}, nil, []uint64{11}},
		"nothing of what was deleted before":         {[]client.Object{endpointsAt(5, wrong), born}, endpointsAt(7, wrong), nil},
		"the Deployment itself":                      {[]client.Object{monDeploymentAt(10, "--public-addr=10.96.0.1")}, nil, []uint64{10}},
		"nothing without a Deployment":               {[]client.Object{endpointsAt(5, wrong)}, nil, nil},
		"whatever the order in which it was watched": {[]client.Object{endpointsAt(12, right), born, endpointsAt(11, wrong)}, nil, []uint64{11}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Recorder{}
			r.see(t.Context(), watch.Added, service)
			if c.gone != nil {
				r.see(t.Context(), watch.Deleted, c.gone)
			}
			for _, o := range c.writes {
				r.see(t.Context(), watch.Modified, o)
			}
			require.Len(t, r.ClusterIPsAfterBirth(), len(c.held))
			var held []uint64
			if born := r.Born("a"); born > 0 {
				for _, w := range r.Held(netip.MustParseAddr("10.96.0.1"), born) {
					held = append(held, w.Revision)
				}
			}
			require.Equal(t, c.held, held)
		})
	}
}

func TestRecorderLeavesOutWhatCarriesNoAddress(t *testing.T) {
	r := &Recorder{}
	r.see(t.Context(), watch.Added, at(1, &corev1.ConfigMap{}, "kube-root-ca.crt"))
	r.see(t.Context(), watch.Added, at(2, &corev1.Secret{}, "rook-ceph-mon"))
	r.see(t.Context(), watch.Added, at(3, &corev1.Service{}, "kubernetes"))
	require.Empty(t, r.Writes())
	secret := &corev1.Secret{Data: map[string][]byte{"mon_host": []byte("[v2:10.96.0.1:3300]")}}
	r.see(t.Context(), watch.Added, at(4, secret, shapes.ConfigSecret))
	require.True(t, r.Writes()[0].Holds(netip.MustParseAddr("10.96.0.1")))
}

func TestWhichTextsHoldAnAddress(t *testing.T) {
	for text, holdsIt := range map[string]bool{
		"a=10.96.0.1:6789": true, "[v2:10.96.0.1:3300,v1:10.96.0.1:6789]": true, "--public-addr=10.96.0.1": true,
		`"monitors":["10.96.0.1:6789"]`: true, "10.96.0.1\n": true,
		"a=10.96.0.11:6789": false, "a=110.96.0.1:6789": false, "10.96.0.1.5": false, "": false,
	} {
		require.Equal(t, holdsIt, holds(text, netip.MustParseAddr("10.96.0.1")), text)
	}
	for text, holdsIt := range map[string]bool{
		"[v2:[fd00::1]:3300]": true, "fd00::1\n": true, "--public-addr=fd00::1": true, "[fd00::11]:3300": false, "fd00::1:2": false,
	} {
		require.Equal(t, holdsIt, holds(text, netip.MustParseAddr("fd00::1")), text)
	}
}

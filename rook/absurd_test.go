package rook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestTheAPIServerIsNotAskedForEachOfHundredsOfMons(t *testing.T) {
	var list []string
	for i := range 26 * 26 {
		list = append(list, fmt.Sprintf("%c%c=10.96.0.1:6789", 'a'+i/26, 'a'+i%26))
	}
	written := &corev1.ConfigMap{Data: map[string]string{rook.EndpointsDataKey: strings.Join(list, ","), rook.EndpointsMaxMonIDKey: "9999"}}
	require.Len(t, rook.EndpointsFacts{New: written}.Unsure(), 16)
}

func TestAListThatIsAbsurdlyLongStaysAsItIs(t *testing.T) {
	long := strings.Repeat("a=10.96.0.1:6789,", 1000)
	endpoints, err := rook.ParseEndpoints(long)
	require.Empty(t, endpoints)
	require.ErrorContains(t, err, "longer")
	corrected, wrong, err := rook.CorrectEndpoints(long, nil)
	require.Equal(t, long, corrected)
	require.Empty(t, wrong)
	require.ErrorContains(t, err, "longer")
	require.Nil(t, rook.FirstEndpoints(&corev1.ConfigMap{Data: map[string]string{rook.EndpointsDataKey: long}}, rook.Cluster{}, nil))
}

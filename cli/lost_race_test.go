package cli

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAReplicaThatIsNotTheFirstTellsOfNoError(t *testing.T) {
	leases := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	for level, shown := range map[string]bool{"info": false, "debug": true} {
		var out bytes.Buffer
		log, err := newLogger(&out, "text", level)
		require.NoError(t, err)
		log = withoutLostRaces(log).WithValues("lock", "rook-clusterset/rook-clusterset-exporter").WithName("lease")
		log.Error(apierrors.NewAlreadyExists(leases, leaseName), "Error initially creating lease lock")
		log.Error(apierrors.NewConflict(leases, leaseName, errors.New("the object has been modified")), "Failed to update lease")
		require.NotContains(t, out.String(), "level=ERROR")
		require.Equal(t, shown, bytes.Contains(out.Bytes(), []byte("Another replica was first")), level)

		log.Error(apierrors.NewForbidden(leases, leaseName, nil), "Error retrieving lease lock")
		require.Contains(t, out.String(), "level=ERROR", "what is wrong is told")
		require.Contains(t, out.String(), "rook-clusterset/rook-clusterset-exporter")
	}
}

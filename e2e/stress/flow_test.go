package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const toldByTheAPIServer = `# HELP apiserver_flowcontrol_rejected_requests_total [BETA] Number of requests rejected
apiserver_flowcontrol_rejected_requests_total{flow_schema="rook-clusterset",priority_level="rook-clusterset",reason="queue-full"} 2
apiserver_flowcontrol_rejected_requests_total{flow_schema="rook-clusterset",priority_level="rook-clusterset",reason="time-out"} 1
apiserver_flowcontrol_rejected_requests_total{flow_schema="service-accounts",priority_level="workload-low",reason="time-out"} 64
apiserver_flowcontrol_request_wait_duration_seconds_bucket{execute="true",priority_level="rook-clusterset",le="1"} 7
apiserver_flowcontrol_request_wait_duration_seconds_bucket{execute="true",priority_level="rook-clusterset",le="2"} 9
apiserver_flowcontrol_request_wait_duration_seconds_bucket{execute="true",priority_level="rook-clusterset",le="+Inf"} 9
apiserver_flowcontrol_request_wait_duration_seconds_sum{execute="true",priority_level="rook-clusterset"} 4.5
apiserver_flowcontrol_request_wait_duration_seconds_count{execute="true",priority_level="rook-clusterset"} 9
apiserver_flowcontrol_request_wait_duration_seconds_count{execute="true",priority_level="workload-low"} 1000
apiserver_admission_webhook_request_total{code="200",name="deployments.rook-clusterset.io",rejected="false",type="admit"} 613
apiserver_admission_webhook_request_total{code="200",name="webhook.cert-manager.io",rejected="false",type="admit"} 5
`

func TestWhatTheAPIServerTellsOfTheRequestsOfTheReplicas(t *testing.T) {
	f, err := readFlow(toldByTheAPIServer)
	require.NoError(t, err)
	require.InDelta(t, 3, f.turnedAway(), 0)
	require.Equal(t, "2 queue-full, 1 time-out", f.why())
	require.InDelta(t, 9, f.taken, 0)
	require.InDelta(t, 4.5, f.waited, 0)
	require.InDelta(t, 2, f.longest(), 0, "the least bound that all of them kept within")
	require.InDelta(t, 613, f.admissions, 0)
}

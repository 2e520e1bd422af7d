package scenarios_test

import (
	"encoding/json"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// status is what `rook-clusterset status` says of a namespace.
type status struct {
	world.Said
	Daemons []struct{ Type, ID, Service, Valid, GlobalIP, Deployment, Endpoint, State string }
}

// status runs the command with the rights of a pod of rook-clusterset.
func (s *story) status(namespace string) status {
	s.t.Helper()
	said, err := s.World.RunAsPod(s.t.Context(), "status", "-n", namespace, "-o", "json")
	require.NoError(s.t, err)
	told := status{Said: said}
	if said.Out != "" {
		require.NoError(s.t, json.Unmarshal([]byte(said.Out), &told))
	}
	return told
}

// allIsWell asserts that the command says so of mons and OSDs.
func (s *story) allIsWell(daemons int) {
	s.t.Helper()
	said := s.status(s.Namespace)
	require.Zero(s.t, said.Code, said.Err)
	require.Empty(s.t, said.Err)
	require.Len(s.t, said.Daemons, daemons)
	for _, row := range said.Daemons {
		require.Equal(s.t, "ok", row.State)
		require.Equal(s.t, "True", row.Valid)
		require.Equal(s.t, s.globalIP(row.Service).String(), row.GlobalIP)
		require.Equal(s.t, row.GlobalIP, row.Deployment)
		if row.Type == "mon" {
			require.Equal(s.t, row.GlobalIP, row.Endpoint)
		}
	}
}

package scenarios_test

import (
	"encoding/json"
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// status is what `rook-clusterset status` says of a namespace.
type status struct {
	world.Said
	rows []map[string]string
}

// status runs the command with the rights of a pod of rook-clusterset.
func (s *story) status(namespace string) status {
	s.t.Helper()
	said, err := s.World.RunAsPod(s.t.Context(), "status", "-n", namespace, "-o", "json")
	require.NoError(s.t, err)
	var form struct {
		Daemons []map[string]any `json:"daemons"`
	}
	if said.Out != "" {
		require.NoError(s.t, json.Unmarshal([]byte(said.Out), &form))
	}
	var rows []map[string]string
	for _, daemon := range form.Daemons {
		row := map[string]string{}
		for field, value := range daemon {
			row[field] = fmt.Sprint(value)
		}
		rows = append(rows, row)
	}
	return status{said, rows}
}

// allIsWell asserts that the command says so of mons and OSDs.
func (s *story) allIsWell(daemons int) {
	s.t.Helper()
	said := s.status(s.Namespace)
	require.Zero(s.t, said.Code, said.Err)
	require.Empty(s.t, said.Err)
	require.Len(s.t, said.rows, daemons)
	for _, row := range said.rows {
		require.Equal(s.t, "ok", row["state"])
		require.Equal(s.t, "True", row["valid"])
		require.Equal(s.t, s.globalIP(row["service"]).String(), row["globalIP"])
		require.Equal(s.t, row["globalIP"], row["deployment"])
		if row["type"] == "mon" {
			require.Equal(s.t, row["globalIP"], row["endpoint"])
		}
	}
}

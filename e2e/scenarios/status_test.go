package scenarios_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// status is what `rook-clusterset status` says of a namespace.
type status struct {
	rows   []map[string]string
	stderr string
	code   int
}

// status runs the command with the rights of a pod of rook-clusterset, as the README has it.
func (s *story) status(namespace string) status {
	s.t.Helper()
	program, err := s.World.Plane.Program(s.t.Context())
	require.NoError(s.t, err)
	kubeconfig, err := s.World.Plane.ServiceAccountKubeconfig(s.t.Context(), controlplane.Namespace, "rook-clusterset")
	require.NoError(s.t, err)
	cmd := exec.CommandContext(s.t.Context(), program, "status", "--kubeconfig", kubeconfig, "-n", namespace, "-o", "json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		require.NoError(s.t, err)
	}
	said := status{stderr: strings.TrimSpace(stderr.String()), code: cmd.ProcessState.ExitCode()}
	if stdout.Len() > 0 {
		var form struct {
			Daemons []map[string]any `json:"daemons"`
		}
		require.NoError(s.t, json.Unmarshal(stdout.Bytes(), &form))
		for _, daemon := range form.Daemons {
			row := map[string]string{}
			for field, value := range daemon {
				row[field] = fmt.Sprint(value)
			}
			said.rows = append(said.rows, row)
		}
	}
	return said
}

// allIsWell asserts that the command says so of mons and OSDs.
func (s *story) allIsWell(daemons int) {
	s.t.Helper()
	said := s.status(s.Namespace)
	require.Zero(s.t, said.code, said.stderr)
	require.Empty(s.t, said.stderr)
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

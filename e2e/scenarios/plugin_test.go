package scenarios_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKubectlRunsTheProgramAsItsPlugin(t *testing.T) {
	r := newStory(t, true).reader()
	for name, c := range map[string]struct {
		args, says string
		code       int
	}{
		"help names the plugin":            {"--help", "kubectl rook-clusterset status", 0},
		"a namespace without daemons":      {"-n " + r.Namespace, "error: no mon or OSD was found", 1},
		"somebody who may not read":        {"-n " + r.Namespace + " --as=nobody --request-timeout=5s", `User "nobody" cannot`, 2},
		"a context that kubectl knows not": {"--context=elsewhere", `"elsewhere" does not exist`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			out := r.sh(t, "kubectl rook-clusterset status "+c.args+" || code=$?; echo ended with ${code:-0}")
			require.Contains(t, out, c.says)
			require.Contains(t, out, fmt.Sprintf("ended with %d\n", c.code))
		})
	}
}

package proof_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// machine is what a run must leave as it was.
type machine struct {
	loops, namespaces, links, rules, mounts string
}

func readMachine(t *testing.T) machine {
	t.Helper()
	ask := func(program string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), program, args...).Output()
		require.NoError(t, err, "%s %s", program, strings.Join(args, " "))
		return string(out)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	return machine{
		loops:      ask("losetup", "--all"),
		namespaces: ask("ip", "netns", "list"),
		links:      ask("ip", "-o", "link", "show", "type", "veth"),
		rules:      withoutComments(ask("iptables-save")),
		mounts:     string(mounts),
	}
}

// withoutComments drops what iptables-save says of the time.
func withoutComments(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
	return strings.Join(lines, "\n")
}

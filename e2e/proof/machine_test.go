package proof_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// machine is what a run must leave as it was: loop devices, network namespaces, links, iptables rules and mounts, a line
// each.
type machine []string

func readMachine(t *testing.T) machine {
	t.Helper()
	var m machine
	add := func(what, text string) {
		for line := range strings.Lines(text) {
			m = append(m, what+": "+strings.TrimSpace(line))
		}
	}
	for what, command := range map[string]string{
		"loop device": "losetup --all --noheadings", "network namespace": "ip netns list", "link": "ip -o link show type veth",
		"iptables rule": "iptables -S", "iptables nat rule": "iptables -t nat -S", "iptables raw rule": "iptables -t raw -S",
	} {
		program := strings.Fields(command)
		out, err := exec.CommandContext(t.Context(), program[0], program[1:]...).Output()
		require.NoError(t, err, command)
		add(what, string(out))
	}
	mounts := need(os.ReadFile("/proc/self/mounts"))(t)
	add("mount", string(mounts))
	return m
}

// without returns what is there and was not before.
func (m machine) without(before machine) []string {
	return slices.DeleteFunc(slices.Clone(m), func(line string) bool { return slices.Contains(before, line) })
}

package node

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Command is exec.CommandContext for a program in the network namespace of the node. What still runs at Stop is killed.
func (n *Node) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + n.NetNS, program}, args...)...)
	cmd.Env = append(os.Environ(), n.environment()...)
	return cmd
}

// Kubectl runs kubectl as administrator with the given standard input, and returns what it printed.
func (n *Node) Kubectl(ctx context.Context, in []byte, args ...string) (string, error) {
	cmd := n.kubectl(ctx, args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s in %s: %w: %s", strings.Join(args, " "), n.Name, err, out)
	}
	return string(out), nil
}

// Exec runs a command in a container, of the pod's first one if none is named, and returns its standard output. The error
// has what it wrote to the other.
func (n *Node) Exec(ctx context.Context, namespace, pod, container string, stdin io.Reader, command ...string) (string, error) {
	args := []string{"exec", "--quiet", "--namespace=" + namespace, pod}
	if container != "" {
		args = append(args, "--container="+container)
	}
	if stdin != nil {
		args = append(args, "--stdin")
	}
	cmd := n.kubectl(ctx, append(append(args, "--"), command...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("run %s in pod %s/%s of %s: %w: %s", strings.Join(command, " "), namespace, pod, n.Name, err, stderr.String())
	}
	return stdout.String(), nil
}

func (n *Node) kubectl(ctx context.Context, args ...string) *exec.Cmd {
	return n.Command(ctx, n.program("kubectl"), append([]string{"--kubeconfig=" + n.Kubeconfig}, args...)...)
}

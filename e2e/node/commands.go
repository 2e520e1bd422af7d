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

// Kubectl runs kubectl as administrator with the given standard input, and returns its standard output: warnings go to the
// other, which the error has.
func (n *Node) Kubectl(ctx context.Context, in []byte, args ...string) (string, error) {
	return output(n.kubectl(ctx, args...), bytes.NewReader(in), "kubectl "+strings.Join(args, " ")+" in "+n.Name)
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
	what := fmt.Sprintf("run %s in pod %s/%s of %s", strings.Join(command, " "), namespace, pod, n.Name)
	return output(n.kubectl(ctx, append(append(args, "--"), command...)...), stdin, what)
}

func output(cmd *exec.Cmd, stdin io.Reader, what string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s%s", what, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

func (n *Node) kubectl(ctx context.Context, args ...string) *exec.Cmd {
	return n.Command(ctx, n.program("kubectl"), append([]string{"--kubeconfig=" + n.Kubeconfig}, args...)...)
}

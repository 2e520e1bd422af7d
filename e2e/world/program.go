package world

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// Said is what the program printed, and how it ended.
type Said struct {
	Out, Err string
	Code     int
}

// Run runs rook-clusterset as administrator. That it ends with a code is no error.
func (w *World) Run(ctx context.Context, args ...string) (Said, error) {
	return w.run(ctx, w.Plane.Kubeconfig, args)
}

// RunAsPod runs it with the rights of a pod of rook-clusterset, as the README has it.
func (w *World) RunAsPod(ctx context.Context, args ...string) (Said, error) {
	kubeconfig, err := w.Plane.ServiceAccountKubeconfig(ctx, controlplane.Namespace, "rook-clusterset")
	if err != nil {
		return Said{}, err
	}
	return w.run(ctx, kubeconfig, args)
}

func (w *World) run(ctx context.Context, kubeconfig string, args []string) (Said, error) {
	program, err := w.Plane.Program(ctx)
	if err != nil {
		return Said{}, err
	}
	var out, errOut strings.Builder
	cmd := exec.CommandContext(ctx, program, append(args, "--kubeconfig", kubeconfig)...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		return Said{}, fmt.Errorf("rook-clusterset %s: %w", strings.Join(args, " "), err)
	}
	return Said{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}, nil
}

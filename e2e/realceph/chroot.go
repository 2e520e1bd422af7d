package realceph

import (
	"context"
	"os/exec"
)

// Chroot returns a Runner of the programs that lie in a root file system of their own. What the command is run by, in
// the network namespace of a node for one, is left to the other Runner.
func Chroot(run Runner, root string) Runner {
	return func(ctx context.Context, program string, args ...string) *exec.Cmd {
		return run(ctx, "chroot", append([]string{root, program}, args...)...)
	}
}

// Package cli holds the commands: their flags, how the rooms are wired for each, and what they print. It decides nothing.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// Main runs the command that args, the program's name first, ask for, and returns the exit code. An error is told on one
// line of errOut.
func Main(ctx context.Context, version string, args []string, in io.Reader, out, errOut io.Writer) int {
	if err := run(ctx, version, args, in, out, errOut); err != nil {
		if code, told := errors.AsType[saidAll](err); told {
			return int(code)
		}
		fmt.Fprintln(errOut, "error:", oneLine(err))
		return exitCode(err)
	}
	return 0
}

// saidAll ends the program with a code of which the output has said all that there is to say.
type saidAll int

// Error implements error.
func (c saidAll) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// oneLine returns what the error says on one line: some libraries tell theirs on several.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func run(ctx context.Context, version string, args []string, in io.Reader, out, errOut io.Writer) error {
	root := Root(version, args[0])
	root.SetArgs(args[1:])
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	return root.ExecuteContext(ctx)
}

// Root returns the program with all its commands, as the user who called it by that name sees it.
func Root(version, program string) *cobra.Command {
	root := &cobra.Command{
		Use:   "rook-clusterset",
		Short: "Clusterset IPs for the mons and OSDs of Rook",
		Long: "rook-clusterset gives each mon and OSD that Rook runs the global IP of its exported Service,\n" +
			"so that a cluster whose pod and service networks overlap can mirror from it.",
		Version:       version,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: displayName(program)},
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	for _, cmd := range []*cobra.Command{managerCommand(version), statusCommand(version), checkCommand(version), planCommand(version), rewriteCommand(), probeCommand(version)} {
		helped(cmd, displayName(program))
		root.AddCommand(cmd)
	}
	return root
}

// displayName returns how the user called the program. kubectl runs kubectl-rook_clusterset as its own subcommand.
func displayName(program string) string {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return "kubectl " + strings.ReplaceAll(plugin, "_", "-")
	}
	return "rook-clusterset"
}

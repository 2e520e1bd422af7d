// Command rook-clusterset gives the mons and OSDs of a Rook Ceph cluster addresses that its peer clusters can dial.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is set by the linker when a release is built.
var version = "devel"

func main() {
	if err := run(ctrl.SetupSignalHandler(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "error:", oneLine(err))
		os.Exit(1)
	}
}

// oneLine returns what the error says on one line: some libraries tell theirs on several.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) error {
	root := &cobra.Command{
		Use:   "rook-clusterset",
		Short: "Clusterset IPs for the mons and OSDs of Rook",
		Long: "rook-clusterset gives each mon and OSD that Rook runs the global IP of its exported Service,\n" +
			"so that a cluster whose pod and service networks overlap can mirror from it.",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	root.AddCommand(managerCommand(), statusCommand(), rewriteCommand())
	return root.ExecuteContext(ctx)
}

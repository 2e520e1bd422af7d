package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ofKubectl is the annotation of the flags by which a cluster is found.
const ofKubectl = "of-kubectl"

// called is what examples have for the name by which the user calls the program.
const called = "PROGRAM"

// helped gives a command help in which its own flags are not lost among those of kubectl, and examples as the user would type them.
func helped(cmd *cobra.Command, name string) {
	cmd.Example = strings.ReplaceAll(cmd.Example, called, name)
	cmd.SetUsageFunc(usage)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())
	})
}

func usage(cmd *cobra.Command) error {
	own, kubectls := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if _, found := f.Annotations[ofKubectl]; found {
			kubectls.AddFlag(f)
			return
		}
		own.AddFlag(f)
	})
	out := cmd.OutOrStderr()
	fmt.Fprintf(out, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.HasExample() {
		fmt.Fprintf(out, "\nExamples:\n%s\n", cmd.Example)
	}
	fmt.Fprintf(out, "\nFlags:\n%s", own.FlagUsages())
	if kubectls.HasFlags() {
		fmt.Fprintf(out, "\nFlags of kubectl, by which the cluster is found:\n%s", kubectls.FlagUsages())
	}
	return nil
}

// flagsAlone refuses arguments, of which a command with flags alone makes nothing.
func flagsAlone(cmd *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return fmt.Errorf("%s takes flags alone, and was given %q: see %[1]s --help", cmd.CommandPath(), arguments[0])
	}
	return nil
}

// Command rook-clusterset gives the mons and OSDs of a Rook Ceph cluster addresses that its peer clusters can dial.
package main

import (
	"os"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rook-clusterset/rook-clusterset/cli"
)

// version is set by the linker when a release is built.
var version = "devel"

func main() {
	os.Exit(cli.Main(ctrl.SetupSignalHandler(), version, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

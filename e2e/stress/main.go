// Command stress lets things go wrong, and attacks, on a real API server while Rook writes, and fails at any wrong address
// that is stored and at any call that fails where none may. The MCS implementation and what Rook's operator writes are
// stand-ins.
package main

import (
	"flag"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// run is what is to be done.
type run struct {
	measure.Program
	rate int
	// fault has, with commas between, parts of the names of those faults and attacks that alone are wanted.
	fault string
}

func main() {
	r := &run{Program: measure.Program{Report: measure.Report{Name: "stress"}, Timeout: time.Hour}}
	r.Parts = []measure.Part{
		{Name: "faults", Run: r.faults},
		{Name: "dns", Run: r.dns, Long: true},
		{Name: "memory", Run: r.memory},
		{Name: "tenant", Run: r.tenant, Long: true},
	}
	flag.IntVar(&r.rate, "rate", 50,
		"updates of OSDs in a second, of which each asks for admission; fewer only where the machine has other things to do")
	flag.StringVar(&r.fault, "fault", "", "of the faults and attacks, only those in whose name one of these, with commas between, stands")
	utilruntime.Must(apiextensionsv1.AddToScheme(scheme.Scheme))
	r.Main()
}

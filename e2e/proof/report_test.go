package proof_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// report collects what is proven, and prints it as it comes and as one table in the end.
type report struct {
	began time.Time
	rows  []row
}

type row struct {
	number, claim, verdict string
	took                   time.Duration
}

// point is one of the claims, while it is being proven.
type point struct {
	*testing.T
	report *report
}

// prove runs the proof of one claim.
func (r *report) prove(t *testing.T, number, claim string, proof func(p point)) bool {
	t.Helper()
	fmt.Printf("\n== %s. %s\n", number, claim)
	began, verdict := time.Now(), "FAILED"
	ok := t.Run(strings.ReplaceAll(claim, " ", "_"), func(t *testing.T) { proof(point{T: t, report: r}) })
	if ok {
		verdict = "proven"
	}
	r.rows = append(r.rows, row{number, claim, verdict, time.Since(began)})
	return ok
}

// leaveOut notes a claim whose proof did not begin.
func (r *report) leaveOut(number, claim string) {
	r.rows = append(r.rows, row{number: number, claim: claim, verdict: "not tried"})
}

// tell prints what is going on.
func (r *report) tell(format string, args ...any) {
	fmt.Printf("   %5.0fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// evidence prints what shows that the claim holds.
func (p point) evidence(format string, args ...any) { p.report.tell(format, args...) }

// print prints the table.
func (r *report) print() {
	fmt.Printf("\n== What is proven, on two real clusters with the same pod and service networks\n")
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "#\tCLAIM\tRESULT\tTIME")
	for _, row := range r.rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%.0fs\n", row.number, row.claim, row.verdict, row.took.Seconds())
	}
	fmt.Fprintf(table, "\tall of it, from nothing to nothing left\t\t%.0fs\n", time.Since(r.began).Seconds())
	_ = table.Flush()
}

package proof_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// report collects what is proven, and prints it as it comes and as one table in the end.
type report struct {
	began time.Time

	mu   sync.Mutex
	rows []row
}

type row struct {
	number, claim, verdict string
	took                   time.Duration
	evidence               []string
}

// point is one of the claims, while it is being proven.
type point struct {
	*testing.T
	report *report
	row    *row
}

// prove runs the proof of one claim. A claim whose proof never began stands in the table as not proven.
func (r *report) prove(t *testing.T, number, claim string, proof func(p point)) bool {
	t.Helper()
	fmt.Printf("\n== %s. %s\n", number, claim)
	entry := &row{number: number, claim: claim, verdict: "FAILED"}
	began := time.Now()
	ok := t.Run(strings.ReplaceAll(claim, " ", "_"), func(t *testing.T) {
		proof(point{T: t, report: r, row: entry})
		if !t.Skipped() {
			entry.verdict = "proven"
		}
	})
	if !ok {
		entry.verdict = "FAILED"
	}
	entry.took = time.Since(began)
	r.mu.Lock()
	r.rows = append(r.rows, *entry)
	r.mu.Unlock()
	return ok
}

// tell prints what is going on.
func (r *report) tell(format string, args ...any) {
	fmt.Printf("   %5.0fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// evidence prints what shows that the claim holds, and keeps it for the table.
func (p point) evidence(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	p.row.evidence = append(p.row.evidence, text)
	p.report.tell("%s", text)
}

// print prints the table.
func (r *report) print() {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Printf("\n== What is proven, on two real clusters with the same pod and service networks\n")
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "#\tCLAIM\tRESULT\tTIME")
	for _, row := range r.rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%.0fs\n", row.number, row.claim, row.verdict, row.took.Seconds())
	}
	fmt.Fprintf(table, "\tall of it, from nothing to nothing left\t\t%.0fs\n", time.Since(r.began).Seconds())
	_ = table.Flush()
}

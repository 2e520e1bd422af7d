package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints tables, and remembers which bars were missed.
type report struct {
	out    io.Writer
	missed []string
}

// machine says what the figures were measured on.
func (r *report) machine() {
	fmt.Fprintf(r.out, "%s, %d CPUs (%s), %s/%s, %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "of an unknown make"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "of an unknown make"
}

// table prints rows in columns; the first row is the head.
func (r *report) table(title string, rows ...[]string) {
	fmt.Fprintf(r.out, "\n== %s\n\n", title)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, "   "+strings.Join(row, "\t"))
	}
	_ = w.Flush()
	fmt.Fprintln(r.out)
}

// bar holds a figure against the most that it may be. What is no number, as a ratio to nothing is, misses every bar.
func (r *report) bar(what string, figure, most float64, unit string) {
	r.verdict(figure <= most, fmt.Sprintf("%s: %.3g%s, the bar is %.3g%s", what, figure, unit, most, unit))
}

func (r *report) verdict(holds bool, text string) {
	verdict := "holds"
	if !holds {
		verdict = "MISSED"
		r.missed = append(r.missed, text)
	}
	fmt.Fprintf(r.out, "   %-6s  %s\n", verdict, text)
}

// conclude prints the last lines and says whether every bar held.
func (r *report) conclude() bool {
	if len(r.missed) == 0 {
		fmt.Fprintf(r.out, "\nbench: every bar holds\n")
		return true
	}
	fmt.Fprintf(r.out, "\nbench: bars that were missed: %d\n", len(r.missed))
	for _, text := range r.missed {
		fmt.Fprintln(r.out, "  ", text)
	}
	return false
}

// percentile returns the least of the samples that p of 100 do not exceed.
func percentile(samples []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", inMebibytes(bytes)) }

func inMebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

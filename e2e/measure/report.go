package measure

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

// Report prints tables, and remembers which bars were missed.
type Report struct {
	// Name is that of the program, for its last lines.
	Name   string
	Out    io.Writer
	missed []string
}

// Machine says what the figures were measured on.
func (r *Report) Machine() {
	fmt.Fprintf(r.Out, "%s, %d CPUs (%s), %s/%s, %s\n",
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

// Table prints rows in columns; the first row is the head.
func (r *Report) Table(title string, rows ...[]string) {
	fmt.Fprintf(r.Out, "\n== %s\n\n", title)
	w := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, "   "+strings.Join(row, "\t"))
	}
	_ = w.Flush()
	fmt.Fprintln(r.Out)
}

// Bar holds a figure against the most that it may be. What is no number, as a ratio to nothing is, misses every bar.
func (r *Report) Bar(what string, figure, most float64, unit string) {
	r.Verdict(figure <= most, fmt.Sprintf("%s: %.3g%s, the bar is %.3g%s", what, figure, unit, most, unit))
}

// Verdict notes whether what the text says held.
func (r *Report) Verdict(holds bool, text string) {
	verdict := "holds"
	if !holds {
		verdict = "MISSED"
		r.missed = append(r.missed, text)
	}
	fmt.Fprintf(r.Out, "   %-6s  %s\n", verdict, text)
}

// Conclude prints the last lines and says whether every bar held.
func (r *Report) Conclude() bool {
	if len(r.missed) == 0 {
		fmt.Fprintf(r.Out, "\n%s: every bar holds\n", r.Name)
		return true
	}
	fmt.Fprintf(r.Out, "\n%s: bars that were missed: %d\n", r.Name, len(r.missed))
	for _, text := range r.missed {
		fmt.Fprintln(r.Out, "  ", text)
	}
	return false
}

// Percentile returns the least of the samples that p of 100 do not exceed.
func Percentile(samples []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// Milliseconds returns the time as text.
func Milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// Seconds returns the time as text.
func Seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// Mebibytes returns the size as text.
func Mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", InMebibytes(bytes)) }

// InMebibytes returns the size in MiB.
func InMebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// mostShown is as much of what went wrong as fits beside a figure.
const mostShown = 300

// Shorten returns the beginning of a text that can be long.
func Shorten(text string) string {
	if len(text) <= mostShown {
		return text
	}
	return text[:mostShown] + " …"
}

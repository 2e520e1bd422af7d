package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Verdict is what a check comes to.
type Verdict string

// The verdicts of a check.
const (
	OK      Verdict = "ok"
	Warning Verdict = "warning"
	Failure Verdict = "failure"
	Skipped Verdict = "skipped"
)

// Finding is what a check found.
type Finding struct {
	Verdict Verdict `json:"verdict"`
	// Found is one line of what was found, or of why a check was skipped.
	Found string `json:"found"`
	// Details are the objects that it was found of, where it is several.
	Details []string `json:"details,omitempty"`
	// Do is one line of what to do about it.
	Do string `json:"do,omitempty"`
	// Unknown says that the check could not tell, which a skipped one that has nothing to look at does not say.
	Unknown bool `json:"couldNotTell,omitempty"`
}

// Result is the finding of a check.
type Result struct {
	Check string `json:"check"`
	Finding
	// Link leads to what the finding means; it is empty where there is nothing to do.
	Link string `json:"link,omitempty"`
}

// Report has the results in the order of the checks.
type Report []Result

// The exit codes of a program that prints a Report.
const (
	ExitWell    = 0
	ExitNotWell = 1
	ExitUnknown = 2
)

// ExitCode returns ExitNotWell if something is known to be wrong, ExitUnknown if only something could not be told, and
// else ExitWell.
func (r Report) ExitCode() int {
	switch {
	case slices.ContainsFunc(r, func(f Result) bool { return !f.Unknown && (f.Verdict == Failure || f.Verdict == Warning) }):
		return ExitNotWell
	case slices.ContainsFunc(r, func(f Result) bool { return f.Unknown }):
		return ExitUnknown
	}
	return ExitWell
}

// JSON prints the report for programs.
func (r Report) JSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(append(Report{}, r...)); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

// mostDetails is how many details are printed for people: a cluster can have a thousand OSDs with one and the same fault.
const mostDetails = 10

// Text prints the report for people: a line for each check, and below what is not well what to do.
func (r Report) Text(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, result := range r {
		fmt.Fprintf(table, "%s\t%s\t%s\n", result.Verdict, result.Check, result.Found)
		for _, line := range result.below() {
			fmt.Fprintf(table, "\t\t  %s\n", line)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	fmt.Fprintln(w, r.summary())
	return nil
}

func (r Result) below() []string {
	lines := r.Details[:min(len(r.Details), mostDetails)]
	if more := len(r.Details) - mostDetails; more > 0 {
		lines = append(slices.Clip(lines), fmt.Sprintf("and %d more: -o json has all", more))
	}
	if r.Do != "" {
		lines = append(slices.Clip(lines), "do: "+r.Do)
	}
	if r.Link != "" {
		lines = append(slices.Clip(lines), "see: "+r.Link)
	}
	return lines
}

func (r Report) summary() string {
	count := map[Verdict]int{}
	for _, result := range r {
		count[result.Verdict]++
	}
	var parts []string
	for _, verdict := range []Verdict{Failure, Warning, Skipped, OK} {
		if count[verdict] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[verdict], verdict))
		}
	}
	text := strings.Join(parts, ", ")
	if first := r.begin(); first != "" {
		text += ": begin with " + first
	}
	return text
}

// begin returns the check to begin with: the first failure, else the first warning, else the first that could not be told.
func (r Report) begin() string {
	for _, holds := range []func(Result) bool{
		func(f Result) bool { return f.Verdict == Failure },
		func(f Result) bool { return f.Verdict == Warning },
		func(f Result) bool { return f.Unknown },
	} {
		if i := slices.IndexFunc(r, holds); i >= 0 {
			return r[i].Check
		}
	}
	return ""
}

func well(format string, args ...any) Finding {
	return Finding{Verdict: OK, Found: fmt.Sprintf(format, args...)}
}

func fails(do, format string, args ...any) Finding {
	return Finding{Verdict: Failure, Found: fmt.Sprintf(format, args...), Do: do}
}

func warns(do, format string, args ...any) Finding {
	return Finding{Verdict: Warning, Found: fmt.Sprintf(format, args...), Do: do}
}

// nothingThere is for a check that has nothing to look at.
func nothingThere(why string) Finding { return Finding{Verdict: Skipped, Found: why} }

// with adds the objects that it was found of.
func (f Finding) with(details []string) Finding {
	f.Details = details
	return f
}

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// watchInterval is how long --watch waits between two looks.
const watchInterval = 2 * time.Second

// terminal returns the terminal that something is written to, or nil.
func terminal(w io.Writer) *os.File {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// coloursOn says whether colours are shown: on a terminal that has any, unless NO_COLOR says otherwise (no-color.org).
func coloursOn(onTerminal bool, environment func(string) string) bool {
	return onTerminal && environment("NO_COLOR") == "" && environment("TERM") != "dumb"
}

// shower shows one look after the other.
type shower interface {
	show(f statusForm)
	// fail tells of a look that failed.
	fail(err error)
}

// watchStatus looks again and again until it is interrupted, and returns the verdict of the last look.
func watchStatus(ctx context.Context, every time.Duration, look func(context.Context) (statusForm, error), s shower) error {
	var last error
	for {
		form, err := look(ctx)
		if ctx.Err() != nil {
			return last
		}
		if last = err; err != nil {
			s.fail(err)
		} else {
			last = verdict(form.Daemons, form.Problems)
			s.show(form)
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(every):
		}
	}
}

// screen shows the looks in place, on a terminal.
type screen struct {
	out    io.Writer
	table  statusTable
	height func() int
	drawn  []string
}

// What a terminal does with these: leave long lines uncut or wrap them, go to a line, clear.
const (
	wrapOff    = "\x1b[?7l"
	wrapOn     = "\x1b[?7h"
	clearLine  = "\r\x1b[2K"
	clearBelow = "\x1b[J"
)

func (s *screen) show(f statusForm) {
	lines := append(s.table.lines(f), append(f.Problems, f.Warnings...)...)
	s.draw(append(lines, "looked at "+f.Time.Local().Format(time.TimeOnly)))
}

func (s *screen) fail(err error) {
	kept := s.drawn
	if len(kept) > 0 {
		kept = kept[:len(kept)-1]
	}
	s.draw(append(append([]string{}, kept...), "could not look: "+oneLine(err)))
}

// draw writes the lines that are not what stands there. What the terminal has no room for could not be reached again.
func (s *screen) draw(lines []string) {
	if most := s.height() - 1; most > 0 && len(lines) > most {
		lines = append(append([]string{}, lines[:most-1]...), fmt.Sprintf("... and %d lines more", len(lines)-most+1))
	}
	var text strings.Builder
	text.WriteString(wrapOff)
	if len(s.drawn) > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", len(s.drawn))
	}
	for i, line := range lines {
		if i >= len(s.drawn) || s.drawn[i] != line {
			text.WriteString(clearLine + line)
		}
		text.WriteString("\n")
	}
	if len(s.drawn) > len(lines) {
		text.WriteString(clearBelow)
	}
	text.WriteString(wrapOn)
	s.drawn = lines
	fmt.Fprint(s.out, text.String())
}

// journal shows the first look as a whole and then a line for each change, where there is no terminal.
type journal struct {
	out    io.Writer
	table  statusTable
	before *statusForm
	failed string
}

func (j *journal) show(f statusForm) {
	j.failed = ""
	if j.before == nil {
		for _, line := range append(j.table.lines(f), append(f.Problems, f.Warnings...)...) {
			fmt.Fprintln(j.out, line)
		}
	} else {
		for _, line := range j.changes(*j.before, f) {
			fmt.Fprintln(j.out, f.Time.Format(time.RFC3339), line)
		}
	}
	j.before = &f
}

func (j *journal) fail(err error) {
	if text := oneLine(err); text != j.failed {
		fmt.Fprintln(j.out, "could not look:", text)
		j.failed = text
	}
}

// changes says what differs between two looks, but for ages.
func (j *journal) changes(before, now statusForm) []string {
	type name struct{ namespace, service string }
	was := map[name]string{}
	for _, r := range before.Daemons {
		was[name{r.Namespace, r.Service}] = told(r)
	}
	var lines []string
	for _, r := range now.Daemons {
		key := name{r.Namespace, r.Service}
		if text := told(r); was[key] != text {
			lines = append(lines, text)
		}
		delete(was, key)
	}
	for _, r := range before.Daemons {
		if _, gone := was[name{r.Namespace, r.Service}]; gone {
			lines = append(lines, r.Namespace+"/"+r.Service+" is gone")
		}
	}
	for _, pair := range [][2][]string{{before.Problems, now.Problems}, {before.Warnings, now.Warnings}, {before.PeerTokens, now.PeerTokens}} {
		lines = append(lines, newIn(pair[0], pair[1])...)
		for _, line := range newIn(pair[1], pair[0]) {
			lines = append(lines, "no longer: "+line)
		}
	}
	if len(lines) > 0 {
		lines = append(lines, j.table.summary(now))
	}
	return lines
}

func newIn(before, now []string) []string {
	known := map[string]bool{}
	for _, line := range before {
		known[line] = true
	}
	var lines []string
	for _, line := range now {
		if !known[line] {
			lines = append(lines, line)
		}
	}
	return lines
}

// told is the line about a daemon that changed.
func told(r daemonStatus) string {
	text := fmt.Sprintf("%s/%s is %s", r.Namespace, r.Service, r.State)
	if r.GlobalIP != "" {
		text += " with " + r.GlobalIP
	}
	if r.Message != "" {
		text += ": it " + r.Message
	}
	return text
}

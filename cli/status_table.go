package cli

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// statusTable is how the status is shown to people.
type statusTable struct{ wide, colours bool }

// mostMessages is how many messages of one state are shown: a thousand OSDs can have one and the same.
const mostMessages = 10

// lines returns the table, what is wrong with whom, and a summary.
func (t statusTable) lines(f statusForm) []string {
	if len(f.Daemons) == 0 {
		return []string{t.summary(f)}
	}
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(t.heads(), "\t"))
	for _, row := range f.Daemons {
		cells := t.cells(row, f.Time.Time)
		for i, cell := range cells {
			cells[i] = cmp.Or(cell, "-")
		}
		// The state stands last, where what colours it takes no room in a column.
		fmt.Fprintln(table, strings.Join(append(cells, t.coloured(row)), "\t"))
	}
	// A builder takes all that it is given.
	_ = table.Flush()
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	lines = append(lines, messages(f.Daemons)...)
	return append(append(lines, t.summary(f)), f.PeerTokens...)
}

func (t statusTable) heads() []string {
	if t.wide {
		return []string{"NAMESPACE", "TYPE", "ID", "SERVICE", "IDENTITY", "CONDITIONS", "GLOBAL IP", "SOURCE", "DEPLOYMENT", "ENDPOINT", "SECRET", "AGE", "STATE"}
	}
	return []string{"NAMESPACE", "TYPE", "ID", "VALID", "GLOBAL IP", "DEPLOYMENT", "ENDPOINT", "AGE", "STATE"}
}

func (t statusTable) cells(r daemonStatus, now time.Time) []string {
	age := ""
	if r.Exported != nil {
		age = duration.HumanDuration(now.Sub(r.Exported.Time))
	}
	if t.wide {
		return []string{r.Namespace, r.Type, r.ID, r.Service, r.Identity, r.Valid, r.GlobalIP, r.Source, r.Deployment, r.Endpoint, r.Secret, age}
	}
	return []string{r.Namespace, r.Type, r.ID, r.Valid, r.GlobalIP, r.Deployment, r.Endpoint, age}
}

// The colours of a terminal, by what has to be done: nothing, nothing but to wait, something.
const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	plain  = "\x1b[0m"
)

func (t statusTable) coloured(r daemonStatus) string {
	if !t.colours {
		return r.State
	}
	colour := red
	switch {
	case r.State == string(reason.OK):
		colour = green
	case r.Well:
		colour = yellow
	}
	return colour + r.State + plain
}

// messages say what is wrong with each daemon.
func messages(rows []daemonStatus) []string {
	var lines []string
	said := map[string]int{}
	for _, r := range rows {
		if r.Message == "" {
			continue
		}
		if said[r.State]++; said[r.State] <= mostMessages {
			lines = append(lines, fmt.Sprintf("%s/%s %s", r.Namespace, r.Service, r.Message))
		}
	}
	for _, code := range rook.States() {
		if more := said[string(code)] - mostMessages; more > 0 {
			lines = append(lines, fmt.Sprintf("and %d more that are %s: -o json has all", more, code))
		}
	}
	return lines
}

// summary counts the daemons by state, in the order in which an address travels; all that is well comes first.
func (t statusTable) summary(f statusForm) string {
	if len(f.Daemons) == 0 {
		return "no daemons"
	}
	var parts []string
	states := rook.States()
	for i := range states {
		code := string(states[len(states)-1-i])
		if n := f.States[code]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, code))
		}
	}
	return count(len(f.Daemons), "daemon") + ": " + strings.Join(parts, ", ")
}

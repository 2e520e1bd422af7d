package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/probe"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// statusForm is the status as programs read it: docs/status.md promises what stays in it.
type statusForm struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Time is when it was looked.
	Time metav1.Time `json:"time"`
	// Well says that the exit code is 0.
	Well    bool           `json:"well"`
	Daemons []daemonStatus `json:"daemons"`
	// States counts the daemons by state.
	States map[string]int `json:"states"`
	// Problems stand in the way as a whole. Warnings do not.
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
	// PeerTokens say of each CephCluster whether its token for peers may be copied.
	PeerTokens []string `json:"peerTokens"`
}

// daemonStatus is what is told of a daemon: a row of the table.
type daemonStatus struct {
	Namespace string `json:"namespace"`
	Type      string `json:"type"`
	ID        string `json:"id"`
	Service   string `json:"service"`
	// Valid is what the conditions of the ServiceExport say.
	Valid    string `json:"valid"`
	GlobalIP string `json:"globalIP"`
	Source   string `json:"source"`
	Identity string `json:"identity"`
	// Exported is when the ServiceExport was made.
	Exported   *metav1.Time `json:"exported,omitempty"`
	Deployment string       `json:"deployment"`
	Endpoint   string       `json:"endpoint"`
	// Secret is where Rook's Secret has the mon; it is empty where that cannot be read.
	Secret  string `json:"secret,omitempty"`
	State   string `json:"state"`
	Well    bool   `json:"well"`
	Message string `json:"message,omitempty"`
}

func statusRow(d rook.DaemonFacts) daemonStatus {
	row := daemonStatus{
		Namespace: d.Daemon.Namespace, Type: string(d.Daemon.Type), ID: d.Daemon.ID, Service: d.Daemon.Name(),
		Valid: validText(d.Export), GlobalIP: rook.AddressText(d.Export.GlobalIP), Source: d.Export.Source, Identity: string(d.Export.Identity),
		Deployment: rook.AddressText(d.Address), Endpoint: rook.AddressText(d.Listed),
	}
	if !d.Export.Created.IsZero() {
		row.Exported = &metav1.Time{Time: d.Export.Created.UTC()}
	}
	state := d.State()
	row.State, row.Well = string(state.Code), state.Well()
	if state.Code != reason.OK {
		row.Message = state.String()
	}
	return row
}

// validText is what the conditions of an export say.
func validText(export rook.Export) string {
	text := validAlone(export)
	if export.Beside != "" {
		text += "; " + export.Beside
	}
	return text
}

func validAlone(export rook.Export) string {
	switch {
	case !export.Exists:
		return "no export"
	case export.Valid == "":
		return "not reported"
	case export.Valid != metav1.ConditionTrue && export.ValidReason != "":
		return string(export.Valid) + " (" + export.ValidReason + ")"
	}
	return string(export.Valid)
}

// newStatusForm fills in what follows from the rows and the notes.
func newStatusForm(now time.Time, rows []daemonStatus, problems []string) statusForm {
	form := statusForm{
		APIVersion: probe.StatusVersion, Kind: "Status", Time: metav1.Time{Time: now.UTC()},
		Daemons: append([]daemonStatus{}, rows...), States: map[string]int{},
		Problems: append([]string{}, problems...), Warnings: []string{}, PeerTokens: []string{},
	}
	for _, row := range rows {
		form.States[row.State]++
	}
	form.Well = verdict(rows, problems) == nil
	return form
}

// print prints the form for programs.
func (f statusForm) print(w io.Writer, output string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err == nil && output == "yaml" {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("write the status as %s: %w", output, err)
	}
	if output == "json" {
		text = append(text, '\n')
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("print the status: %w", err)
	}
	return nil
}

// verdict is an error unless all is well.
func verdict(rows []daemonStatus, problems []string) error {
	bad := 0
	for _, r := range rows {
		if !r.Well {
			bad++
		}
	}
	switch {
	case bad > 0:
		return notWell{fmt.Errorf("%d of %d daemons are not at their global IPs", bad, len(rows))}
	case len(problems) > 0:
		return notWell{errors.New(problems[0])}
	case len(rows) == 0:
		return notWell{fmt.Errorf("no mon or OSD was found: is a Rook namespace labelled %s=true?", rook.EnabledLabel)}
	}
	return nil
}

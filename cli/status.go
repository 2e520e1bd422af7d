package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// daemonStatus is a row of the status table.
type daemonStatus struct {
	Namespace  string `json:"namespace"`
	Type       string `json:"type"`
	ID         string `json:"id"`
	Service    string `json:"service"`
	Valid      string `json:"valid"`
	GlobalIP   string `json:"globalIP"`
	Source     string `json:"source"`
	Deployment string `json:"deployment"`
	Endpoint   string `json:"endpoint"`
	State      string `json:"state"`
	Message    string `json:"message,omitempty"`
}

func statusCommand(version string) *cobra.Command {
	var namespace, output string
	var cluster clusterFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show each mon and OSD and the address it advertises",
		Long: "status reads the API server and prints a row for each mon and OSD of the namespaces that are switched on.\n" +
			"It changes nothing, and exits with 0 only if every daemon advertises its global IP and admission is served.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return fmt.Errorf("--output is %q: give table or json", output)
			}
			config, err := cluster.restConfig(version)
			if err != nil {
				return err
			}
			c, err := client.New(config, client.Options{Scheme: newScheme()})
			if err != nil {
				return fmt.Errorf("reach the cluster: %w", err)
			}
			rows, notes, err := gatherStatus(cmd.Context(), c, namespace)
			if err != nil {
				return err
			}
			notes = append(notes, admissionNotes(cmd.Context(), c)...)
			installed := kinds.Discovered{Mapper: c.RESTMapper()}
			for _, note := range append(clustersetWarnings(cmd.Context(), c, installed), notes...) {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			moving, err := migrationNotes(cmd.Context(), c, namespace)
			if err != nil {
				return err
			}
			for _, note := range moving {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			if err := printStatus(cmd.OutOrStdout(), rows, output); err != nil {
				return err
			}
			if output == "table" {
				for _, line := range tokenLines(cmd.Context(), c, rows) {
					fmt.Fprintln(cmd.OutOrStdout(), line)
				}
			}
			return verdict(rows, notes)
		},
	}
	cluster = newClusterFlags(cmd.Flags())
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "only this namespace")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "format: table or json")
	return cmd
}

// gatherStatus returns the rows, and notes on what stands in the way as a whole.
func gatherStatus(ctx context.Context, c client.Client, namespace string) ([]daemonStatus, []string, error) {
	installed := kinds.Discovered{Mapper: c.RESTMapper()}
	v := view.New(view.Readers{Cached: c, Live: c}, installed)
	v.ExpectRange(globalIPsOf(resolver.New(resolver.Readers{Cached: c, Live: c}, installed, resolver.Options{})))
	var notes []string
	for _, kind := range view.Kinds() {
		if _, served := installed.Served(kind.GroupKind); !served && kind.Needed {
			notes = append(notes, kind.String()+" is not installed")
		}
	}
	namespaces := []string{namespace}
	if namespace == "" {
		var err error
		if namespaces, err = v.EnabledNamespaces(ctx); err != nil {
			return nil, nil, fmt.Errorf("find the namespaces that are switched on: %w", err)
		}
	}
	var rows []daemonStatus
	for _, ns := range namespaces {
		snapshot, err := v.Snapshot(ctx, ns)
		if err != nil {
			return nil, nil, fmt.Errorf("read namespace %s: %w", ns, err)
		}
		if !snapshot.Enabled {
			notes = append(notes, offNote(snapshot))
		}
		if note := asideNote(snapshot); note != "" {
			notes = append(notes, note)
		}
		for _, daemon := range snapshot.Daemons {
			rows = append(rows, statusRow(daemon))
		}
	}
	if namespace == "" {
		notes = append(notes, leftNotes(ctx, v)...)
	}
	return rows, notes, nil
}

// asideNote says why the CephCluster of a namespace is left alone, or nothing. What the flags of the manager say of IPv6 is
// not known here, but seen where a daemon has such a global IP.
func asideNote(s view.Snapshot) string {
	if s.Cluster == nil {
		return ""
	}
	cluster := *s.Cluster
	cluster.IPv6GlobalIPs = slices.ContainsFunc(s.Daemons, func(d rook.DaemonFacts) bool { return d.Export.GlobalIP.Is6() })
	if aside := cluster.StandAside(); aside != "" {
		return fmt.Sprintf("CephCluster %s/%s is left alone: each daemon %s", s.Namespace, cluster.Name, aside.Sentence())
	}
	return ""
}

func statusRow(d rook.DaemonFacts) daemonStatus {
	row := daemonStatus{
		Namespace: d.Daemon.Namespace, Type: string(d.Daemon.Type), ID: d.Daemon.ID, Service: d.Daemon.Name(),
		Valid: validText(d.Export), GlobalIP: rook.AddressText(d.Export.GlobalIP), Source: d.Export.Source,
		Deployment: rook.AddressText(d.Address), Endpoint: rook.AddressText(d.Listed),
	}
	state := d.State()
	row.State = string(state.Code)
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

func printStatus(w io.Writer, rows []daemonStatus, output string) error {
	if output == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(append([]daemonStatus{}, rows...))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAMESPACE\tTYPE\tID\tSERVICE\tVALID\tGLOBAL IP\tSOURCE\tDEPLOYMENT\tENDPOINT\tSTATE")
	for _, r := range rows {
		cells := []string{r.Namespace, r.Type, r.ID, r.Service, r.Valid, r.GlobalIP, r.Source, r.Deployment, r.Endpoint, r.State}
		for i, cell := range cells {
			if cell == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	for _, r := range rows {
		if r.Message != "" {
			fmt.Fprintf(w, "%s/%s %s\n", r.Namespace, r.Service, r.Message)
		}
	}
	return nil
}

// verdict is an error unless all is well.
func verdict(rows []daemonStatus, notes []string) error {
	bad := 0
	for _, r := range rows {
		if state := (rook.State{Code: reason.Code(r.State)}); !state.Well() {
			bad++
		}
	}
	switch {
	case bad > 0:
		return fmt.Errorf("%d of %d daemons are not at their global IPs", bad, len(rows))
	case len(notes) > 0:
		return fmt.Errorf("%s", notes[0])
	case len(rows) == 0:
		return fmt.Errorf("no mon or OSD was found: is a Rook namespace labelled %s=true?", rook.EnabledLabel)
	}
	return nil
}

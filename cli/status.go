package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// statusOptions are the flags of the command.
type statusOptions struct {
	cluster           clusterFlags
	namespace, output string
	watch             bool
}

func statusCommand(version string) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show each mon and OSD and the address it advertises",
		Long: "status reads the API server and prints a row for each mon and OSD of the namespaces that are switched on.\n" +
			"It changes nothing, and exits with 0 only if every daemon advertises its global IP and admission is served: with 1 if\n" +
			"something is not so, and with 2 if it could not be told.\n" +
			"Colours are shown on a terminal alone, and not where NO_COLOR is set.",
		Example: "  " + called + " status -n rook-ceph\n" +
			"  " + called + " status -n rook-ceph -o wide --watch",
		Args: flagsAlone,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"table", "wide", "json", "yaml"}, o.output) {
				return fmt.Errorf("--output is %q: give table, wide, json or yaml", o.output)
			}
			if o.watch && !o.forPeople() {
				return fmt.Errorf("--watch is for people: give --output table or wide with it, not %s", o.output)
			}
			config, err := o.cluster.restConfig(version)
			if err != nil {
				return err
			}
			c, err := client.New(config, client.Options{Scheme: newScheme()})
			if err != nil {
				return fmt.Errorf("reach the cluster: %w", err)
			}
			return o.run(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.cluster = newClusterFlags(cmd.Flags())
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "", "only this namespace")
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "format: table, wide, json or yaml; programs read the last two")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "look again and again, and show what changes, until it is interrupted")
	return cmd
}

func (o statusOptions) forPeople() bool { return o.output == "table" || o.output == "wide" }

// run shows the status once, or until it is interrupted.
func (o statusOptions) run(ctx context.Context, c client.Client, out, errOut io.Writer) error {
	look := func(ctx context.Context) (statusForm, error) { return o.look(ctx, c) }
	tty := terminal(out)
	table := statusTable{wide: o.output == "wide", colours: coloursOn(tty != nil, os.Getenv)}
	if o.watch {
		var s shower = &journal{out: out, table: table}
		if tty != nil {
			s = &screen{out: out, table: table, height: func() int {
				_, height, _ := term.GetSize(int(tty.Fd()))
				return height
			}}
		}
		return watchStatus(ctx, watchInterval, look, s)
	}
	form, err := look(ctx)
	if err != nil {
		return err
	}
	for _, note := range append(form.Warnings, form.Problems...) {
		fmt.Fprintln(errOut, note)
	}
	if !o.forPeople() {
		if err := form.print(out, o.output); err != nil {
			return err
		}
		return verdict(form.Daemons, form.Problems)
	}
	for _, line := range table.lines(form) {
		fmt.Fprintln(out, line)
	}
	return verdict(form.Daemons, form.Problems)
}

// look gathers all that there is to say.
func (o statusOptions) look(ctx context.Context, c client.Client) (statusForm, error) {
	rows, problems, err := gatherStatus(ctx, c, o.namespace)
	if err != nil {
		return statusForm{}, err
	}
	if o.output != "table" {
		addSecrets(ctx, c, rows)
	}
	form := newStatusForm(time.Now(), rows, append(problems, admissionNotes(ctx, c)...))
	form.Warnings = append(form.Warnings, clustersetWarnings(ctx, c, kinds.Discovered{Mapper: c.RESTMapper()})...)
	moving, err := migrationNotes(ctx, c, o.namespace)
	if err != nil {
		return statusForm{}, err
	}
	form.Warnings = append(form.Warnings, moving...)
	form.PeerTokens = append(form.PeerTokens, tokenLines(ctx, c, rows)...)
	return form, nil
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

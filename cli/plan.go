package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/migration"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

func planCommand(version string) *cobra.Command {
	var namespace string
	var cluster clusterFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say how a running cluster would be moved to global IPs",
		Long: "plan reads the API server and prints which mons and OSDs of a namespace would be moved, in which order, what stands in\n" +
			"the way, how long it takes and what clients see of it. The namespace need not be switched on. It changes nothing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := cluster.restConfig(version)
			if err != nil {
				return err
			}
			c, err := client.New(config, client.Options{Scheme: newScheme()})
			if err != nil {
				return fmt.Errorf("reach the cluster: %w", err)
			}
			v := view.New(view.Readers{Cached: c, Live: c}, kinds.Discovered{Mapper: c.RESTMapper()})
			facts, err := migrationFacts(cmd.Context(), v, namespace)
			if err != nil {
				return err
			}
			if facts.Cluster == nil {
				return fmt.Errorf("no CephCluster was found in namespace %s", namespace)
			}
			return printPlan(cmd.OutOrStdout(), facts)
		},
	}
	cluster = newClusterFlags(cmd.Flags())
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "rook-ceph", "namespace of the CephCluster")
	return cmd
}

// printPlan prints what would be done. Of a namespace that is not switched on it is what would be done once it is.
func printPlan(w io.Writer, f migration.Facts) error {
	enabled := f.Enabled
	f.Enabled = true
	plan := migration.MakePlan(f)
	fmt.Fprintf(w, "CephCluster %s/%s, Rook %s, Ceph %s\n", f.Namespace, f.Cluster.Name, cmp.Or(f.Cluster.RookVersion, "of unknown version"), cmp.Or(f.Cluster.CephVersion, "of unknown version"))
	if len(plan.Moves) == 0 {
		fmt.Fprintf(w, "Nothing is to be moved: it %s.\n", plan.Why)
		return nil
	}
	mons, osds := plan.Count()
	fmt.Fprintf(w, "To be moved: %s, %s, in this order:\n\n", count(mons, "mon"), count(osds, "OSD"))
	if err := printMoves(w, plan.Moves, enabled); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if !enabled {
		fmt.Fprintf(w, "Now: nothing, for namespace %s has no label %s=true. Once it has:\n", f.Namespace, rook.EnabledLabel)
	}
	fmt.Fprintf(w, "Next: %s.\n", next(f, plan))
	fmt.Fprintf(w, "How long: at least %s if nothing stands in the way.\n", plan.AtLeast.Round(time.Minute))
	if mons > 0 {
		fmt.Fprintf(w, "  Rook replaces a mon %s after it was stopped (spec.healthCheck.daemonHealth.mon.timeout; ROOK_MON_OUT_TIMEOUT\n"+
			"  of its operator goes before). One that is not replaced %s later is started again.\n", f.Failover.Timeout, f.Settings.Slack)
	}
	printEffects(w, mons, osds)
	fmt.Fprintf(w, "To stop after the step under way: kubectl annotate namespace %s --overwrite %s=pause\n", f.Namespace, rook.MigrateSwitch)
	return nil
}

// printMoves prints the order. Where nothing is exported yet, that keeps nobody back.
func printMoves(w io.Writer, moves []migration.Planned, enabled bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  \tDAEMON\tFROM\tTO\tHOW\tKEPT BACK")
	for i, m := range moves {
		from, to, how, kept := rook.AddressText(m.From), rook.AddressText(m.To), "restarts once", "-"
		switch {
		case m.Daemon.Type.KeepsAddressForLife():
			to, how = "a new mon", "stopped, and replaced by Rook"
			if m.UnderWay {
				how = "being replaced by Rook"
			}
		case from == "":
			from = "its pod IP"
		}
		if m.KeptBack.Code != "" && (enabled || m.KeptBack.Code != reason.ExportMissing) {
			kept = "it " + m.KeptBack.String()
		}
		fmt.Fprintf(table, "  %d.\t%s\t%s\t%s\t%s\t%s\n", i+1, m.Daemon, cmp.Or(from, "-"), cmp.Or(to, "a global IP"), how, kept)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	return nil
}

// next says what comes next, or what stands in the way.
func next(f migration.Facts, plan migration.Plan) string {
	switch {
	case plan.Why.Code == reason.ExportMissing:
		return "the Services are exported, which moves nothing yet"
	case plan.Next.Action != migration.Wait:
		return plan.Next.Daemon.String() + ", once all has been well for " + f.Settings.Settle.String()
	}
	return saying(f, plan)
}

func printEffects(w io.Writer, mons, osds int) {
	fmt.Fprintln(w, "What clients see:")
	if mons > 0 {
		fmt.Fprintln(w, "  Mons: one of them is missing for as long. The others are in quorum, and clients go on; Ceph tells MON_DOWN. A pod that\n"+
			"  is started finds the mons that are there; an alert on MON_DOWN is to be silenced.")
	}
	if osds > 0 {
		fmt.Fprintln(w, "  OSDs: one restarts at a time. Reads and writes of what it is the first for pause until another takes over, as at any restart\n"+
			"  of an OSD, and Ceph tells OSD_DOWN and PG_DEGRADED meanwhile.")
	}
}

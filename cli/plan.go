package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/migration"
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
		Example: "  " + called + " plan -n rook-ceph",
		Args:    flagsAlone,
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
	if !enabled {
		f = switchedOn(f)
	}
	plan := migration.MakePlan(f)
	fmt.Fprintf(w, "CephCluster %s/%s, Rook %s, Ceph %s\n", f.Namespace, f.Cluster.Name, cmp.Or(f.Cluster.RookVersion, "of unknown version"), cmp.Or(f.Cluster.CephVersion, "of unknown version"))
	if len(plan.Moves) == 0 {
		fmt.Fprintf(w, "Nothing is to be moved: it %s.\n", plan.Why)
		return nil
	}
	mons, osds := plan.Count()
	fmt.Fprintf(w, "To be moved: %s, %s, in this order:\n\n", count(mons, "mon"), count(osds, "OSD"))
	if err := printMoves(w, plan.Moves); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if !enabled {
		fmt.Fprintf(w, "Nothing is done, for namespace %s has no label %s=true. With it:\n", f.Namespace, rook.EnabledLabel)
	}
	fmt.Fprintf(w, "Now: %s.\n", saying(f, plan))
	fmt.Fprintf(w, "How long: at least %s if nothing stands in the way.\n", plan.AtLeast.Round(time.Minute))
	if mons > 0 {
		fmt.Fprintf(w, "  Rook replaces a mon %s after it was stopped (spec.healthCheck.daemonHealth.mon.timeout; ROOK_MON_OUT_TIMEOUT\n"+
			"  of its operator goes before). One that is not replaced %s later is started again.\n", f.Failover.Timeout, f.Settings.Slack)
	}
	printEffects(w, mons, osds)
	fmt.Fprintf(w, "To stop after the step under way: kubectl annotate namespace %s --overwrite %s=pause\n", f.Namespace, rook.MigrateSwitch)
	return nil
}

// switchedOn returns the facts as they will be once the namespace is switched on, and all Services are exported.
func switchedOn(f migration.Facts) migration.Facts {
	f.Enabled = true
	f.Daemons = slices.Clone(f.Daemons)
	for i := range f.Daemons {
		if d := &f.Daemons[i]; !d.Export.Exists {
			d.Export = rook.Export{Exists: true, Ours: true, GlobalIP: netip.IPv4Unspecified(), Valid: metav1.ConditionTrue}
			if d.Daemon.Type.KeepsAddressForLife() {
				d.Export.Identity = rook.IdentityCluster
			}
		}
	}
	return f
}

func printMoves(w io.Writer, moves []migration.Planned) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  \tDAEMON\tFROM\tTO\tHOW\tKEPT BACK")
	for i, m := range moves {
		from, to, how, kept := rook.AddressText(m.From), "a global IP", "restarts once", "-"
		if m.To.IsValid() && !m.To.IsUnspecified() {
			to = m.To.String()
		}
		switch {
		case m.Daemon.Type.KeepsAddressForLife():
			to, how = "a new mon", "stopped, and replaced by Rook"
			if m.UnderWay {
				how = "being replaced by Rook"
			}
		case from == "":
			from = "its pod IP"
		}
		if m.KeptBack.Code != "" {
			kept = "it " + m.KeptBack.String()
		}
		fmt.Fprintf(table, "  %d.\t%s\t%s\t%s\t%s\t%s\n", i+1, m.Daemon, cmp.Or(from, "-"), to, how, kept)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	return nil
}

func printEffects(w io.Writer, mons, osds int) {
	fmt.Fprintln(w, "What clients see:")
	if mons > 0 {
		fmt.Fprintln(w, "  Mons: one of them is missing for as long. The others are in quorum, and clients go on; Ceph tells MON_DOWN. A pod that\n"+
			"  is started finds the mons that are there; an alert on MON_DOWN is to be silenced. Who keeps the ClusterIPs of mons\n"+
			"  elsewhere than Rook does, such as a client outside of the cluster, needs the global IPs afterwards.")
	}
	if osds > 0 {
		fmt.Fprintln(w, "  OSDs: one restarts at a time. Reads and writes of what it is the first for pause until another takes over, as at any restart\n"+
			"  of an OSD, and Ceph tells OSD_DOWN and PG_DEGRADED meanwhile.")
	}
}

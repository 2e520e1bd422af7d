package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/migration"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// migrationNotes says of each namespace what remains of moving its cluster, and what that waits for. What the flags of the manager
// say is not known here.
func migrationNotes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	installed := kinds.Discovered{Mapper: c.RESTMapper()}
	v := view.New(view.Readers{Cached: c, Live: c}, installed)
	namespaces := []string{namespace}
	if namespace == "" {
		var err error
		if namespaces, err = v.EnabledNamespaces(ctx); err != nil {
			return nil, fmt.Errorf("find the namespaces that are switched on: %w", err)
		}
	}
	var notes []string
	for _, ns := range namespaces {
		facts, err := migrationFacts(ctx, v, ns)
		if err != nil {
			return nil, err
		}
		notes = append(notes, notesOf(facts)...)
	}
	return notes, nil
}

func migrationFacts(ctx context.Context, v *view.View, namespace string) (migration.Facts, error) {
	snapshot, err := v.Snapshot(ctx, namespace)
	if err != nil {
		return migration.Facts{}, fmt.Errorf("read namespace %s: %w", namespace, err)
	}
	remembered, err := v.Remembered(ctx, namespace)
	if err != nil {
		return migration.Facts{}, err
	}
	snapshot.List.Stale = len(remembered.Mons) > 0
	if snapshot.Cluster != nil {
		snapshot.Cluster.IPv6GlobalIPs = slices.ContainsFunc(snapshot.Daemons, func(d rook.DaemonFacts) bool { return d.Export.GlobalIP.Is6() })
	}
	return migration.Facts{
		Snapshot: snapshot, ExportKindServed: v.ExportKindServed(), Settings: migration.DefaultSettings, Now: time.Now(), Asks: true,
	}, nil
}

func notesOf(f migration.Facts) []string {
	plan := migration.MakePlan(f)
	if len(plan.Moves) == 0 || !f.Enabled {
		return nil
	}
	mons, osds := plan.Count()
	notes := []string{
		fmt.Sprintf("%s: %s and %s remain to be moved to global IPs", f.Namespace, count(mons, "mon"), count(osds, "OSD")),
		fmt.Sprintf("%s: %s", f.Namespace, saying(f, plan)),
	}
	if plan.Why.Code == reason.MigrationOff || plan.Why.Code == reason.MigrationPaused {
		notes = append(notes, fmt.Sprintf("%s: %s", f.Namespace, handwork(f)))
	}
	return notes
}

// handwork returns how to do the next step by hand, or what it has to wait for: regardless of that it could take the quorum.
func handwork(f migration.Facts) string {
	f.Switches.Migrate = ""
	plan := migration.MakePlan(f)
	if plan.Next.Action == migration.StopMon || plan.Next.Action == migration.WriteOSD {
		return "to do it by hand: " + byHand(plan.Next.Daemon)
	}
	return "not to be done by hand either: " + saying(f, plan)
}

// saying says what comes next, as far as it is known without having waited for calm.
func saying(f migration.Facts, plan migration.Plan) string {
	if plan.Next.Action == migration.StopMon || plan.Next.Action == migration.WriteOSD {
		return plan.Next.Daemon.String() + " " + reason.Settling.Sentence()
	}
	name := ""
	if f.Cluster != nil {
		name = f.Cluster.Name
	}
	return migration.Sentence(name, plan.Next, plan.Why)
}

// byHand returns the command that does what the leader does for a daemon.
func byHand(d rook.Daemon) string {
	if d.Type.KeepsAddressForLife() {
		return fmt.Sprintf("kubectl -n %s scale deployment %s --replicas=0", d.Namespace, d.Name())
	}
	return fmt.Sprintf("kubectl -n %s annotate deployment %s --overwrite %s=by-hand", d.Namespace, d.Name(), rook.AskedAnnotation)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

package migration

import (
	"fmt"
	"net"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// Setup adds the loop, which runs on the leader. What it asks of the API server, and why, stands in manifests/base/rbac.yaml, and
// how that is fenced in manifests/base/fence-migration.yaml. With Settings.Off it runs too: a step that is under way is ended.
func Setup(mgr ctrl.Manager, v *view.View, installed kinds.Installed, term *recall.Term, settings Settings) error {
	l := &loop{
		view:      v,
		live:      v.Uncached(),
		installed: installed,
		writer:    mgr.GetClient(),
		events:    mgr.GetEventRecorder(rook.Manager),
		log:       mgr.GetLogger().WithName("migration"),
		settings:  settings,
		probe:     prober{dial: (&net.Dialer{}).DialContext},
		now:       time.Now,
		term:      term,
		told:      map[string]telling{},
		steady:    map[string]Steady{},
	}
	term.OnBegin(func() { l.forgetAllBut(nil) })
	if err := crmetrics.Registry.Register(l); err != nil {
		return fmt.Errorf("register the metrics of migration: %w", err)
	}
	return mgr.Add(l)
}

package rookstandin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// osdSteps returns what the journal has about OSDs, a line for each entry.
func osdSteps(operator *Operator) []string {
	var steps []string
	for _, e := range operator.Journal().Entries() {
		name := strings.TrimPrefix(e.Object, "rook-ceph/")
		switch {
		case !strings.HasPrefix(name, "rook-ceph-osd-"):
		case e.Event == PrepareReported:
			steps = append(steps, name+" "+e.Message)
		case e.Event == Wrote && (e.Kind == "Deployment" || e.Message == "delete"):
			steps = append(steps, e.Message+" "+name)
		}
	}
	return steps
}

// of keeps the steps about what is on one node, in their order.
func of(steps []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(steps), func(step string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(step+" ", name+" ") })
	})
}

func TestTheOSDsOfANodeAreNamedBeforeTheFirstIsCreated(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, func(o *Options) { o.OSDs = []OSD{{ID: "0"}, {ID: "1"}, {ID: "2"}, {ID: "3"}, {ID: "4"}, {ID: "5"}} })
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	steps := osdSteps(operator)
	require.Len(t, steps, 3*(3+2+1))
	require.Equal(t, []string{
		"rook-ceph-osd-node-2-status starting []",
		"rook-ceph-osd-node-2-status orchestrating []",
		"rook-ceph-osd-node-2-status completed [1 4]",
		"create rook-ceph-osd-1", "create rook-ceph-osd-4",
		"delete rook-ceph-osd-node-2-status",
	}, of(steps, "rook-ceph-osd-node-2-status", "rook-ceph-osd-1", "rook-ceph-osd-4"))
	first := slices.IndexFunc(steps, func(step string) bool { return strings.HasPrefix(step, "create") })
	require.Len(t, of(steps[:first], "starting"), 3, "every job is started before the first OSD is created: %q", steps)
	require.Zero(t, operator.Journal().Count(Continued))
	for _, e := range operator.Journal().Of(Triggered) {
		require.NotEqual(t, "ConfigMap", e.Kind, "the end of a report makes nobody reconcile")
	}
}

// failingOSD is a Ceph that does not take OSD 1 at first.
type failingOSD struct {
	ceph.Commands
	mended atomic.Bool
}

func (f *failingOSD) NewOSD(ctx context.Context, access ceph.Access, id, uuid string) error {
	if id == "1" && !f.mended.Load() {
		return errors.New("the device is broken")
	}
	return f.Commands.NewOSD(ctx, access, id, uuid)
}

func TestAJobThatFailsKeepsTheOSDsOfOtherNodesNotBack(t *testing.T) {
	s := newSite(t, nil)
	model, err := ceph.Start(t.Context(), s.client, "rook-ceph")
	require.NoError(t, err)
	commands := &failingOSD{Commands: model}
	operator := s.start(t, func(o *Options) { o.Commands = commands })
	eventually(t, "the reconcile fails", func() bool { return operator.Journal().Count(ReconcileFailed) > 0 })
	require.Contains(t, operator.Journal().Of(ReconcileFailed)[0].Message,
		"failed to provision OSD(s) on node-2. failed to prepare OSD 1: the device is broken")
	s.deployment(t, "rook-ceph-osd-0")
	s.deployment(t, "rook-ceph-osd-2")
	steps := osdSteps(operator)
	require.Contains(t, steps, "rook-ceph-osd-node-2-status failed []")
	for _, node := range []string{"node-1", "node-2", "node-3"} {
		require.Contains(t, steps, "delete rook-ceph-osd-"+node+"-status")
	}
	commands.mended.Store(true)
	eventually(t, "it is retried", func() bool { return operator.Reconciled() > 0 })
	s.deployment(t, "rook-ceph-osd-1")
}

func TestAnOSDThatIsLostIsNamedOnceAndNeverCreated(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, func(o *Options) { o.OSDs = []OSD{{ID: "0"}, {ID: "1", Lost: true}} })
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	operator.Reconcile()
	eventually(t, "a second succeeds", func() bool { return operator.Reconciled() > 1 })
	said := of(osdSteps(operator), "rook-ceph-osd-node-2-status completed")
	require.Equal(t, []string{"rook-ceph-osd-node-2-status completed [1]", "rook-ceph-osd-node-2-status completed []"}, said)
	err := s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph-osd-1"}, &appsv1.Deployment{})
	require.True(t, apierrors.IsNotFound(err))
}

func TestAReportThatAnEarlierOperatorLeftIsDeletedAndCreatesNothing(t *testing.T) {
	s := newSite(t, nil)
	left := &corev1.ConfigMap{Data: map[string]string{"status": `{"osds":[{"id":7}],"status":"completed"}`}}
	left.Namespace, left.Name = "rook-ceph", "rook-ceph-osd-node-9-status"
	left.Labels = map[string]string{"app": "rook-ceph-osd", "node": "node-9", "status": "provisioning"}
	require.NoError(t, s.client.Create(t.Context(), left))
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	require.Equal(t, []string{"delete rook-ceph-osd-node-9-status"}, of(osdSteps(operator), left.Name, "rook-ceph-osd-7"))
}

package rights_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

const (
	// within is how long anything takes that goes well, on a machine that has other things to do.
	within = time.Minute
	// afterDenied is how long after a denial is waited for what was to come: what is tried again soon, is tried in vain.
	afterDenied = 2 * time.Second
	// asksDNS is how long is waited for what cannot be seen coming, and for the want of which nothing is denied.
	asksDNS = 12 * time.Second
	look    = 50 * time.Millisecond
)

// house is a control plane with one replica of quick settings, and a CephCluster.
type house struct {
	t       *testing.T
	world   *world.World
	ceph    *measure.Cluster
	manager *controlplane.Replica
	// rights are those of the shipped roles, taken apart.
	rights map[string][]atom
	// missing is the right that is taken away.
	missing []atom
	// seen are the replicas that run, and how much of the log of each is of no interest any more.
	seen     map[*controlplane.Replica]int
	launched int
	osds     int
	sites    int
	// up is a namespace whose cluster has come up, moving one of which the cluster is to move.
	up     string
	moving *world.Site
	// lifetime is that of the whole test.
	lifetime context.Context
}

func newHouse(t *testing.T) *house {
	t.Helper()
	plane, err := controlplane.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plane.Stop()) })
	h := &house{t: t, world: &world.World{Plane: plane}, lifetime: t.Context()}
	h.rights, h.seen = map[string][]atom{}, map[*controlplane.Replica]int{}
	require.NoError(t, mcsstandin.Install(plane.Config, mcsstandin.V1Beta1))
	require.NoError(t, rookstandin.InstallKinds(plane.Config))
	// What one row leaves behind must not stand in the way of the next.
	h.world.MCS, err = mcsstandin.Start(t.Context(), mcsstandin.Options{Config: plane.Config, FreshAddresses: true})
	require.NoError(t, err)
	apiVersion, kind := mcsstandin.ClusterPropertyKind.ToAPIVersionAndKind()
	property := world.Object(apiVersion, kind, "", "cluster.clusterset.k8s.io")
	property.Object["spec"] = map[string]any{"value": "east"}
	require.NoError(t, plane.Client.Create(t.Context(), property))
	_, err = plane.Kubectl(t.Context(), manifests.Install, "apply", "-f", "-")
	require.NoError(t, err)
	cluster, own := h.readRoles()
	h.takeApart("", cluster.Rules)
	h.takeApart(own.Namespace, own.Rules)
	require.NoError(t, h.takeOver())
	h.ceph, err = measure.NewCluster(t.Context(), h.world, "rook", measure.Enabled())
	require.NoError(t, err)
	return h
}

// launch starts a replica; none of them waits long.
func (h *house) launch(args ...string) *controlplane.Replica {
	h.t.Helper()
	h.launched++
	quick := []string{"--hold=2s", "--orphan-grace=1s", "--migrate-settle=300ms", "--migrate-slack=30s"}
	r, err := h.world.Plane.LaunchReplica(h.t.Context(), fmt.Sprintf("replica-%d", h.launched), append(quick, args...)...)
	require.NoError(h.t, err)
	h.seen[r] = 0
	return r
}

// kill ends a replica, of which nothing is to be heard any more.
func (h *house) kill(r *controlplane.Replica) {
	h.t.Helper()
	require.NoError(h.t, r.Kill())
	delete(h.seen, r)
}

// until waits for what goes well, and says what was denied where it does not.
func (h *house) until(what string, holds func() bool) error {
	h.t.Helper()
	var denied string
	var deniedAt time.Time
	for end := time.Now().Add(within); time.Now().Before(end); {
		if holds() {
			return nil
		}
		if denied == "" {
			if denied = h.denied(); denied != "" {
				deniedAt = time.Now()
			}
		}
		if denied != "" && time.Since(deniedAt) > afterDenied {
			break
		}
		if err := measure.Pause(h.t.Context(), look); err != nil {
			return err
		}
	}
	if denied == "" {
		return errors.New("it is not so that " + what)
	}
	return fmt.Errorf("it is not so that %s: %s", what, denied)
}

// forgetLogs has denied look only at what is logged from now on.
func (h *house) forgetLogs() {
	for r := range h.seen {
		h.seen[r] = len(r.Log())
	}
}

// denied returns what a replica has logged of the right that is missing.
func (h *house) denied() string {
	for r, seen := range h.seen {
		for line := range strings.Lines(r.Log()[seen:]) {
			if slices.ContainsFunc(h.missing, func(a atom) bool { return a.isDenied(line) }) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// takeOver replaces the replica by one that does not find the lease.
func (h *house) takeOver(args ...string) error {
	h.t.Helper()
	if h.manager != nil {
		h.kill(h.manager)
	}
	h.forgetLogs()
	c := h.world.Plane.Client
	lease := leaseOf()
	require.NoError(h.t, client.IgnoreNotFound(c.Delete(h.t.Context(), lease)))
	h.manager = h.launch(args...)
	h.world.Plane.Serve(h.manager)
	if err := h.until("a replica is ready", func() bool { return h.manager.Ready(h.t.Context()) == nil }); err != nil {
		return err
	}
	var renewed time.Time
	return h.until("a replica leads", func() bool {
		if c.Get(context.WithoutCancel(h.t.Context()), client.ObjectKeyFromObject(lease), lease) != nil || lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
			return false
		}
		if renewed.IsZero() {
			renewed = lease.Spec.RenewTime.Time
		}
		return lease.Spec.RenewTime.After(renewed)
	})
}

func leaseOf() *coordinationv1.Lease {
	lease := &coordinationv1.Lease{}
	lease.Namespace, lease.Name = controlplane.Namespace, "rook-clusterset-exporter"
	return lease
}

// leader is who has the lease.
func (h *house) leader() string {
	h.t.Helper()
	lease := leaseOf()
	require.NoError(h.t, h.world.Plane.Client.Get(h.t.Context(), client.ObjectKeyFromObject(lease), lease))
	return *lease.Spec.HolderIdentity
}

// loseLease has somebody else hold the lease until the replica has given up, and then nobody.
func (h *house) loseLease() {
	h.t.Helper()
	c, lease := h.world.Plane.Client, leaseOf()
	for holder := "somebody else"; ; {
		require.NoError(h.t, c.Get(h.t.Context(), client.ObjectKeyFromObject(lease), lease))
		lease.Spec.HolderIdentity, lease.Spec.RenewTime = &holder, new(metav1.NowMicro())
		// A conflict is the replica that renews at the same time.
		if err := c.Update(h.t.Context(), lease); err == nil && holder == "" {
			return
		}
		if strings.Contains(strings.ToLower(h.manager.Log()), "failed to renew lease") {
			holder = ""
		}
		require.NoError(h.t, measure.Pause(h.t.Context(), time.Second))
	}
}

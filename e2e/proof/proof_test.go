// Package proof_test shows on real parts what rook-clusterset is for: two Kubernetes clusters with the same pod and
// service networks, real Ceph in each, and nothing but global addresses between them. docs/proof.md says what it shows.
package proof_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/node"
)

// proofVariable asks for the proof: it wants root and takes long.
const proofVariable = "ROOK_CLUSTERSET_PROOF"

// takingDown is the time that is kept for it.
const takingDown = 2 * time.Minute

// proof is the state that the points share: each goes on where the one before has ended.
type proof struct {
	report     *report
	places     places
	east, west *cluster
	// eastCeph and westCeph are the two Ceph clusters that mirror each other, plain is one without rook-clusterset.
	eastCeph, westCeph, plain *site
}

func TestProof(t *testing.T) {
	if os.Getenv(proofVariable) == "" {
		t.Skip("it needs root and takes long: make e2e asks for it by " + proofVariable)
	}
	require.Empty(t, node.Lacking(), "what this machine lacks")
	ctrl.SetLogger(logr.Discard())
	places := need(findPlaces(t.Context()))(t)
	p := &proof{report: &report{began: time.Now()}, places: places}

	require.NoError(t, p.cleanUp(), "remove what a run left that was cut off")
	before := readMachine(t)
	// An interrupt ends what is under way, and not the taking down; nor does the end of the time that the test has.
	ctx, end := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	if deadline, ok := t.Deadline(); ok {
		ctx, end = context.WithDeadline(ctx, deadline.Add(-takingDown))
	}
	defer func() {
		end()
		p.stop(t, before)
		p.report.print()
	}()

	// Each claim rests on what went before.
	holds := true
	for _, claim := range []struct {
		number, text string
		prove        func(context.Context, point)
	}{
		{"0", "two clusters with the same networks, one wire, one kubectl apply in each", p.standUp},
		{"1", "both Ceph clusters come up at global IPs", p.comesUp},
		{"2", "a pod in west reads and writes in east by global IPs alone", p.isReached},
		{"3", "control: without rook-clusterset it does not", p.isNotReachedWithoutUs},
		{"4", "an RBD image is mirrored, failed over, and mirrored back", p.isMirrored},
		{"5", "pods return at their global IPs while the webhook is away", p.returns},
		{"6", "a mon fails over to a global IP of its own, and quorum holds", p.failsOver},
		{"7", "the naive ways fail", p.naiveWaysFail},
		{"8", "a cluster that runs without us is moved under its clients, and then mirrored", p.isMoved},
	} {
		if !holds {
			p.report.leaveOut(claim.number, claim.text)
			continue
		}
		holds = p.report.prove(t, claim.number, claim.text, func(pt point) {
			pt.Cleanup(func() { p.explain(pt) })
			claim.prove(ctx, pt)
		})
	}
}

// standUp starts both clusters and lays the wire.
func (p *proof) standUp(ctx context.Context, pt point) {
	started := time.Now()
	var err error
	p.east, p.west, err = both(func(_ int, m member) (*cluster, error) { return startNode(ctx, m, p.places) })
	require.NoError(pt, err)
	pt.evidence("two nodes are Ready after %.0fs, both with pods in 10.244.0.0/24 and Services in 10.96.0.0/16", time.Since(started).Seconds())
	require.NoError(pt, connect(ctx, p.east.end, p.west.end))

	installed := time.Now()
	p.east, p.west, err = both(func(i int, m member) (*cluster, error) {
		c := [2]*cluster{p.east, p.west}[i]
		return c, c.install(ctx, m, p.places.programs)
	})
	require.NoError(pt, err)
	mcsstandin.Join(p.east.mcs, p.west.mcs)
	pt.evidence("kubectl apply -f manifests/install.yaml: both replicas are Ready in both clusters after %.0fs", time.Since(installed).Seconds())
}

// both does the same for the two members at once. What was made is returned also where something failed, to be taken down.
func both[T any](do func(i int, m member) (T, error)) (east, west T, err error) {
	var made [2]T
	var group errgroup.Group
	for i, m := range members {
		group.Go(func() (err error) {
			made[i], err = do(i, m)
			return err
		})
	}
	err = group.Wait()
	return made[0], made[1], err
}

// need returns what there is, and fails the test if there was an error instead: need(f())(t).
func need[T any](value T, err error) func(t require.TestingT) T {
	return func(t require.TestingT) T {
		require.NoError(t, err)
		return value
	}
}

// stop takes everything down and looks for what is left.
func (p *proof) stop(t *testing.T, before machine) {
	p.report.prove(t, "9", "nothing is left: process, mount, namespace, loop device, cgroup, iptables rule", func(pt point) {
		for _, s := range []*site{p.eastCeph, p.westCeph, p.plain} {
			if s != nil && s.operator != nil {
				s.operator.Wait()
			}
		}
		var failures []error
		for _, c := range []*cluster{p.east, p.west} {
			if c != nil && c.mcs != nil {
				c.mcs.Wait()
			}
			if c != nil && c.node != nil {
				failures = append(failures, c.node.Stop())
			}
		}
		require.NoError(pt, errors.Join(failures...))
		require.NoError(pt, os.RemoveAll(p.places.root))
		for _, m := range members {
			require.Empty(pt, node.Leftovers(p.places.dir(m.id), nodeName(m.id)))
		}
		require.Empty(pt, readMachine(pt.T).without(before))
		pt.evidence("the machine is as it was")
	})
}

// explain prints what Rook did and the state of its pods, if the claim failed.
func (p *proof) explain(pt point) {
	if !pt.Failed() {
		return
	}
	for _, s := range []*site{p.eastCeph, p.westCeph, p.plain} {
		if s != nil && s.operator != nil {
			pt.Logf("%s:\n%s", s.name, s.journal())
		}
	}
}

func (p *proof) cleanUp() error {
	var failures []error
	for _, m := range members {
		failures = append(failures, node.CleanUp(p.places.dir(m.id), nodeName(m.id)))
	}
	if err := errors.Join(failures...); err != nil {
		// What another run, or a mount, still holds is not ours to delete.
		return err
	}
	return os.RemoveAll(p.places.root)
}

// global asserts that an address is the one that the MCS implementation gave the Service, out of the cluster's range.
func (s *site) global(t require.TestingT, service string, address netip.Addr) {
	given, ok := s.mcs.GlobalIP(s.namespace, service)
	require.True(t, ok, "%s has no global IP in %s", service, s.name)
	require.Equal(t, given.String(), address.String(), "%s in %s", service, s.name)
	require.True(t, s.cluster.global.Contains(address), "%s is outside %s", address, s.cluster.global)
}

// listed writes addresses one after the other.
func listed(texts []string) string { return strings.Join(texts, ", ") }

// Command demo shows on a real API server what happens to each daemon of a new Ceph cluster. Rook's operator and the MCS
// implementation are stand-ins; etcd, kube-apiserver, kube-controller-manager, cert-manager and rook-clusterset are real.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

const (
	namespace = "rook-ceph"
	timeout   = 3 * time.Minute
	pace      = 200 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard())
	if err := demo(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	step("Starting etcd, kube-apiserver, kube-controller-manager, cert-manager and a stand-in of Submariner Globalnet,\n" +
		"then kubectl apply -f manifests/install.yaml, and two replicas of rook-clusterset.")
	w, err := world.Start(ctx, mcsstandin.Options{AllocationDelay: time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	tell("both replicas are ready: certificate issued, caches synced, CA injected")

	step("kubectl label namespace rook-ceph rook-clusterset.io/enabled=true, and kubectl create the CephCluster:\n" +
		"3 mons and 3 OSDs. A stand-in of Rook's operator does what Rook does. Each global IP takes a second.")
	// Rook ends before the API server, which waits for those that watch it.
	rook, endRook := context.WithCancel(ctx)
	defer endRook()
	site, err := w.NewSite(rook, namespace, true)
	if err != nil {
		return err
	}
	if err := site.CreateCephCluster(ctx); err != nil {
		return err
	}
	if err := site.StartOperator(rook, rookstandin.Options{OnEntry: narrate}); err != nil {
		return err
	}
	if err := until(ctx, func() bool { return site.Operator.Reconciled() > 0 }); err != nil {
		return fmt.Errorf("wait for the CephCluster to be Ready: %w", err)
	}

	step("The CephCluster is Ready. Rook still remembers the ClusterIPs of the mons that were corrected on the way:\n" +
		"rook-clusterset asks it once to read them anew.")
	if err := until(ctx, func() bool { return settled(site) }); err != nil {
		return fmt.Errorf("wait for Rook to remember the global IPs: %w", err)
	}
	for _, id := range []string{"a", "b", "c"} {
		tell("Rook reaches mon %s at %s", id, site.Operator.Memory()[id])
	}
	if wrong := site.Recorder.ClusterIPsAfterBirth(); len(wrong) > 0 {
		return fmt.Errorf("a mon was told by its ClusterIP: %s", wrong[0])
	}
	tell("no object that was stored ever told a living mon by its ClusterIP")

	endRook()
	site.Operator.Wait()
	step("rook-clusterset status")
	return status(ctx, w)
}

// settled says whether Rook remembers every mon by the address that the mon advertises.
func settled(site *world.Site) bool {
	for id, endpoint := range site.Operator.Memory() {
		if advertised, ok := site.Ceph.Advertised(id); !ok || advertised != endpoint.Addr() {
			return false
		}
	}
	return true
}

func narrate(e rookstandin.Entry) {
	name := e.Object[strings.LastIndex(e.Object, "/")+1:]
	switch e.Event {
	case rookstandin.Refused:
		tell("REFUSED  %s %s: %s", e.Kind, name, e.Message)
	case rookstandin.Wrote:
		if e.Kind == "Deployment" && !strings.Contains(name, "canary") {
			tell("admitted Deployment %s", name)
		}
	case rookstandin.QuorumReached, rookstandin.ReconcileStarted, rookstandin.ReconcileFailed, rookstandin.ReconcileSucceeded, rookstandin.Triggered:
		tell("Rook: %s %s", e.Event, e.Message)
	}
}

func status(ctx context.Context, w *world.World) error {
	program, err := w.Plane.Program(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "status", "--kubeconfig", w.Plane.Kubeconfig, "-n", namespace)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("rook-clusterset status: %w", err)
	}
	return nil
}

func until(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pace):
		}
	}
	return nil
}

func step(text string) { fmt.Printf("\n== %s\n", text) }

func tell(format string, args ...any) {
	fmt.Printf("   %s  %s\n", time.Now().Format("15:04:05.0"), fmt.Sprintf(format, args...))
}

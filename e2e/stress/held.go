package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

const (
	// heldClusters have heldWriters new OSDs each, of which none ever gets an address.
	heldClusters, heldWriters = 10, 50
	heldMetric                = "rook_clusterset_held_admissions "
)

// holdWriters has all OSDs of new clusters written at the same moment and once, and says how each write was answered.
func holdWriters(ctx context.Context, r *room) (string, error) {
	clusters, err := r.namedOSDs(ctx)
	if err != nil {
		return "", err
	}
	watching, end := context.WithCancel(ctx)
	defer end()
	most := make(chan int, 1)
	go func() { most <- r.mostHeld(watching) }()
	came := &answers{count: map[string]int{}}
	var writers sync.WaitGroup
	for id := range heldWriters {
		for _, ceph := range clusters {
			writers.Go(func() { came.add(r.writeOnce(ctx, ceph, id)) })
		}
	}
	writers.Wait()
	end()
	said := fmt.Sprintf("%d held at once; %s", <-most, came)
	if came.count[heldToTheEnd]+came.count[toComeAgain] != heldClusters*heldWriters {
		return "", fmt.Errorf("not every write had its answer: %s", said)
	}
	return said, nil
}

// namedOSDs makes the clusters, whose prepare Jobs have named every OSD.
func (r *room) namedOSDs(ctx context.Context) ([]*measure.Cluster, error) {
	var clusters []*measure.Cluster
	for i := range heldClusters {
		ceph, err := measure.NewCluster(ctx, r.world, fmt.Sprintf("rook-held-%d", i), measure.Enabled())
		if err != nil {
			return nil, err
		}
		config := ceph.OperatorConfig()
		config.Wrap(once)
		if ceph.Rook, err = client.New(config, client.Options{Scheme: scheme.Scheme}); err != nil {
			return nil, fmt.Errorf("make a client that writes once: %w", err)
		}
		preparing, wait := errgroup.WithContext(ctx)
		preparing.SetLimit(foreignWriters)
		for id := range heldWriters {
			r.world.MCS.SetFault(ceph.Namespace, measure.OSDName(id), mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
			preparing.Go(func() error { return ceph.PrepareOSD(wait, host, id) })
		}
		if err := preparing.Wait(); err != nil {
			return nil, err
		}
		clusters = append(clusters, ceph)
	}
	return clusters, nil
}

// once keeps a client from trying again what it is told to try again.
func once(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil {
			response.Header.Del("Retry-After")
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// How a write can be answered that nobody lets in.
const (
	heldToTheEnd = "refused after their hold"
	toComeAgain  = "told to come again"
)

func (r *room) writeOnce(ctx context.Context, ceph *measure.Cluster, id int) string {
	d, err := ceph.OSD(host, id)
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = ceph.Rook.Create(ctx, d)
	_, answered := errors.AsType[*apierrors.StatusError](err)
	switch {
	case err == nil:
		return "let in"
	case apierrors.IsServiceUnavailable(err):
		return toComeAgain
	case answered && ofAdmission(err) && asksForPatience(err):
		return heldToTheEnd
	default:
		return err.Error()
	}
}

// mostHeld counts what all replicas hold, until the context ends.
func (r *room) mostHeld(ctx context.Context) int {
	most := 0
	for ctx.Err() == nil {
		held := 0
		for _, one := range r.pods.running() {
			text, err := one.Metrics(ctx)
			if err != nil {
				continue
			}
			_, after, _ := strings.Cut(text, "\n"+heldMetric)
			var n int
			if _, err := fmt.Sscan(after, &n); err == nil {
				held += n
			}
		}
		most = max(most, held)
		_ = measure.Pause(ctx, time.Second)
	}
	return most
}

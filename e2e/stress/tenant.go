package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

const (
	// mostOfQuiet is how much longer a cluster may take to come up beside a tenant that takes every hold.
	mostOfQuiet   = 2
	tenantWriters = 200
	comesUpWithin = 3 * time.Minute
	// clustersEach are as many as the load of a moment does not decide on.
	clustersEach = 3
)

// tenant brings up clusters alone, and others beside a tenant of another namespace who has as many writes held as it can.
func (r *run) tenant(ctx context.Context) (err error) {
	place, err := newRoom(ctx, r.rate, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.stop()) }()
	// The first one finds everything cold, and is not counted.
	if _, err := place.comeUp(ctx, "rook-cold", 1); err != nil {
		return err
	}
	quiet, err := place.comeUp(ctx, "rook-quiet", clustersEach)
	if err != nil {
		return err
	}
	counted := &tally{}
	attacking, end := context.WithCancel(ctx)
	attackers, err := place.takeHolds(attacking, counted)
	if err != nil {
		end()
		return err
	}
	beside, err := place.comeUp(ctx, "rook-beside", clustersEach)
	end()
	attackers.Wait()
	if err != nil {
		return err
	}
	r.Table("Clusters that come up beside a tenant who takes every hold, one after the other",
		[]string{"", "until three mons and three OSDs are up", "writes of the tenant"},
		[]string{"alone", seconds(quiet), "0"},
		[]string{"beside 200 writers of another namespace", seconds(beside), strconv.Itoa(counted.sent)})
	r.Bar("time beside the tenant to that alone", sum(beside).Seconds()/sum(quiet).Seconds(), mostOfQuiet, "")
	return place.reportFlow(ctx, &r.Report, "beside the tenant")
}

func sum(all []time.Duration) (sum time.Duration) {
	for _, one := range all {
		sum += one
	}
	return sum
}

func seconds(all []time.Duration) string {
	var texts []string
	for _, one := range all {
		texts = append(texts, measure.Seconds(one))
	}
	return strings.Join(texts, ", ")
}

// comeUp returns how long Rook takes to bring up each of the clusters, one after the other.
func (r *room) comeUp(ctx context.Context, name string, clusters int) (all []time.Duration, err error) {
	for i := range clusters {
		took, err := r.comesUp(ctx, fmt.Sprintf("%s-%d", name, i))
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	return all, nil
}

// comesUp returns how long Rook takes to bring up a cluster.
func (r *room) comesUp(ctx context.Context, namespace string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, comesUpWithin)
	defer cancel()
	site, err := r.world.NewSite(ctx, namespace, true)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	if err := site.CreateCephCluster(ctx); err != nil {
		return 0, err
	}
	if err := site.StartOperator(ctx, rookstandin.Options{}); err != nil {
		return 0, err
	}
	err = measure.Until(ctx, lookAtPods, func() (bool, error) { return site.Operator.Reconciled() > 0, nil })
	if err != nil {
		return 0, fmt.Errorf("wait until the cluster of %s is up: %w", namespace, err)
	}
	took := time.Since(started)
	cancel()
	site.Operator.Wait()
	return took, nil
}

// takeHolds writes OSDs that never get an address, each again as soon as it is refused.
func (r *room) takeHolds(ctx context.Context, counted *tally) (*sync.WaitGroup, error) {
	ceph, err := measure.NewCluster(ctx, r.world, "tenant", measure.Enabled())
	if err != nil {
		return nil, err
	}
	t := &traffic{world: r.world, ceph: ceph}
	var writers sync.WaitGroup
	for id := range tenantWriters {
		r.world.MCS.SetFault(ceph.Namespace, measure.OSDName(id), mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
		writers.Go(func() {
			for ctx.Err() == nil {
				t.create(ctx, id, counted)
			}
		})
	}
	return &writers, measure.Pause(ctx, addressAfter)
}

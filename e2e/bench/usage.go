package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// usage is what a process has taken of the machine.
type usage struct {
	cpu               time.Duration
	resident, highest int64
}

// tick is the unit in which Linux tells the CPU time of a process.
const tick = time.Second / 100

func usageOf(replica *controlplane.Replica) (usage, error) {
	dir := "/proc/" + strconv.Itoa(replica.PID())
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return usage{}, fmt.Errorf("read the CPU time of a replica: %w", err)
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return usage{}, fmt.Errorf("read the memory of a replica: %w", err)
	}
	var u usage
	// The name of the program, in parentheses, is the second field; utime and stime are the 14th and the 15th.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return usage{}, fmt.Errorf("read the CPU time of a replica: %w", err)
		}
		u.cpu += time.Duration(ticks) * tick
	}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		kibibytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch key {
		case "VmRSS":
			u.resident = kibibytes << 10
		case "VmHWM":
			u.highest = kibibytes << 10
		}
	}
	return u, nil
}

// pair is the leader and the other replica.
type pair struct{ leader, other *controlplane.Replica }

// pairUsage is what both have taken.
type pairUsage struct{ leader, other usage }

// electedMetric is 1 on the leader.
const electedMetric = `leader_election_master_status{name="rook-clusterset-exporter"} 1`

// elected waits until one of two replicas leads.
func elected(ctx context.Context, replicas []*controlplane.Replica) (pair, error) {
	if len(replicas) != 2 {
		return pair{}, fmt.Errorf("%d replicas run, not 2", len(replicas))
	}
	var found pair
	err := until(ctx, time.Second, func() (bool, error) {
		for i, replica := range replicas {
			text, err := replica.Metrics(ctx)
			if err != nil {
				return false, err
			}
			if strings.Contains(text, electedMetric) {
				found = pair{leader: replica, other: replicas[1-i]}
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

func (p pair) usage() (pairUsage, error) {
	leader, err := usageOf(p.leader)
	if err != nil {
		return pairUsage{}, err
	}
	other, err := usageOf(p.other)
	return pairUsage{leader: leader, other: other}, err
}

const (
	quietFor  = 3 * time.Second
	quietMost = 60 * time.Millisecond
)

// quiet waits until none of the replicas has used more than 2 % of a CPU for three seconds.
func quiet(ctx context.Context, replicas ...*controlplane.Replica) error {
	before := make([]time.Duration, len(replicas))
	return until(ctx, quietFor, func() (bool, error) {
		still := true
		for i, replica := range replicas {
			u, err := usageOf(replica)
			if err != nil {
				return false, err
			}
			still = still && u.cpu-before[i] <= quietMost
			before[i] = u.cpu
		}
		return still, nil
	})
}

// until looks at each interval, at once for the first time.
func until(ctx context.Context, interval time.Duration, holds func() (bool, error)) error {
	for {
		done, err := holds()
		if done || err != nil {
			return err
		}
		if err := pause(ctx, interval); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("the bench ran out of time or was interrupted"), context.Cause(ctx))
	case <-time.After(d):
		return nil
	}
}

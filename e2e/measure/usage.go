package measure

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// Usage is what a process has taken of the machine.
type Usage struct {
	CPU               time.Duration
	Resident, Highest int64
}

// tick is the unit in which Linux tells the CPU time of a process.
const tick = time.Second / 100

// UsageOf reads what a replica has taken so far, from /proc.
func UsageOf(replica *controlplane.Replica) (Usage, error) {
	dir := "/proc/" + strconv.Itoa(replica.PID())
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, fmt.Errorf("read the CPU time of a replica: %w", err)
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return Usage{}, fmt.Errorf("read the memory of a replica: %w", err)
	}
	var u Usage
	// The name of the program, in parentheses, is the second field; utime and stime are the 14th and the 15th.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("read the CPU time of a replica: %w", err)
		}
		u.CPU += time.Duration(ticks) * tick
	}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		kibibytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch key {
		case "VmRSS":
			u.Resident = kibibytes << 10
		case "VmHWM":
			u.Highest = kibibytes << 10
		}
	}
	return u, nil
}

// ElectedMetric is 1 on the leader.
const ElectedMetric = `leader_election_master_status{name="rook-clusterset-exporter"} 1`

// Elected waits until one of two replicas leads, and returns that one first.
func Elected(ctx context.Context, replicas []*controlplane.Replica) ([]*controlplane.Replica, error) {
	if len(replicas) != 2 {
		return nil, fmt.Errorf("%d replicas run, not 2", len(replicas))
	}
	var found []*controlplane.Replica
	err := Until(ctx, time.Second, func() (bool, error) {
		for i, replica := range replicas {
			text, err := replica.Metrics(ctx)
			if err != nil {
				return false, err
			}
			if strings.Contains(text, ElectedMetric) {
				found = []*controlplane.Replica{replica, replicas[1-i]}
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

const (
	quietFor  = 3 * time.Second
	quietMost = 60 * time.Millisecond
)

// Quiet waits until none of the replicas has used more than 2 % of a CPU for three seconds, and as long as they are to settle. It
// returns what each has taken then.
func Quiet(ctx context.Context, settle time.Duration, replicas ...*controlplane.Replica) ([]Usage, error) {
	before := make([]Usage, len(replicas))
	err := Until(ctx, quietFor, func() (bool, error) {
		now, err := usagesOf(replicas)
		still := err == nil
		for i, u := range now {
			still = still && u.CPU-before[i].CPU <= quietMost
		}
		before = now
		return still, err
	})
	if err != nil {
		return nil, err
	}
	if err := Pause(ctx, settle); err != nil {
		return nil, err
	}
	return usagesOf(replicas)
}

func usagesOf(replicas []*controlplane.Replica) ([]Usage, error) {
	usages := make([]Usage, len(replicas))
	for i, replica := range replicas {
		var err error
		if usages[i], err = UsageOf(replica); err != nil {
			return nil, err
		}
	}
	return usages, nil
}

package migration_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/migration"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// player is a daemon in a story that is told by its seed.
type player struct {
	rook.DaemonFacts
	// up says that its pod runs, and inMonmap that Ceph counts it.
	up, inMonmap bool
	outSince     time.Time
}

// schedule is a cluster in virtual time, in which Rook, Kubernetes and the leader take their turns in an order that the seed
// decides. What Rook does is as it was recorded: a failover takes the place of whatever it was about to do, a full reconcile
// starts every mon that is listed, and one follows each failover.
type schedule struct {
	random *rand.Rand
	now    time.Time
	mons   []*player
	osds   []*player
	facts  migration.Facts
	steady migration.Steady
	// failing is the mon that Rook replaces, and successor the one that takes its place.
	failing, successor *player
	// reconcileAt is when Rook reconciles next, and reconciling until when it does.
	reconcileAt, reconciling time.Time
	statusAt                 time.Time
	// failed is what failed by itself and has not come up again.
	failed *player
	// wrong is what the leader did that it must never do.
	wrong string
	log   []string
}

const monOutTimeout = time.Minute

func newSchedule(seed uint64) *schedule {
	s := &schedule{random: rand.New(rand.NewPCG(seed, 0)), now: now, facts: *well()}
	for i := range s.facts.Daemons {
		p := &player{DaemonFacts: s.facts.Daemons[i], up: true, inMonmap: true}
		if p.Daemon.Type == rook.Mon {
			s.mons = append(s.mons, p)
		} else {
			s.osds = append(s.osds, p)
		}
	}
	s.facts.Failover.Timeout = monOutTimeout
	s.reconcileAt = now.Add(time.Duration(s.random.IntN(600)) * time.Second)
	return s
}

func (s *schedule) chance(percent int) bool { return s.random.IntN(100) < percent }

func (s *schedule) say(format string, args ...any) {
	s.log = append(s.log, s.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

// kubernetes brings up the pods that are wanted, some time.
func (s *schedule) kubernetes() {
	for _, p := range slices.Concat(s.mons, s.osds) {
		wanted := p.Deployed && p.Rollout.Replicas > 0
		switch {
		case wanted && !p.up && s.chance(40):
			p.up = true
			p.inMonmap = p.inMonmap || p == s.successor
			p.Rollout.Available, p.Rollout.Down, p.Rollout.AvailableSince = true, false, s.now
		case !wanted && p.up:
			p.up = false
			p.Rollout.Available, p.Rollout.Down, p.Rollout.AvailableSince = false, true, s.now
		}
	}
}

// misfortune has a daemon fail by itself, now and then, which comes up again later.
func (s *schedule) misfortune() {
	if s.failed != nil && s.failed.up {
		s.failed = nil
	}
	all := slices.Concat(s.mons, s.osds)
	if p := all[s.random.IntN(len(all))]; s.failed == nil && s.chance(2) && p.up {
		s.say("%s fails", p.Daemon)
		s.failed, p.up = p, false
		p.Rollout.Available, p.Rollout.Down, p.Rollout.AvailableSince = false, true, s.now
	}
}

// missing returns the daemons of those that live which are down, but for one.
func (s *schedule) missing(but *player) []string {
	var names []string
	for _, p := range slices.Concat(s.mons, s.osds) {
		if p != but && p.Deployed && !p.up {
			names = append(names, p.Daemon.String())
		}
	}
	return names
}

func (s *schedule) listed() []*player {
	return slices.DeleteFunc(slices.Clone(s.mons), func(p *player) bool { return !p.Listed.IsValid() })
}

// rook takes a turn of Rook's operator.
func (s *schedule) rook() {
	if s.failing != nil {
		s.failover()
		return
	}
	if !s.now.Before(s.reconcileAt) {
		s.say("Rook reconciles")
		for _, p := range s.listed() {
			if p.Rollout.Replicas == 0 {
				s.say("Rook starts %s", p.Daemon)
				p.Rollout.Replicas = 1
			}
			p.Rollout.Generation++
		}
		s.reconciling = s.now.Add(time.Duration(s.random.IntN(30)) * time.Second)
		s.reconcileAt = s.now.Add(time.Duration(120+s.random.IntN(1800)) * time.Second)
	}
	for _, p := range s.listed() {
		switch {
		case p.up:
			p.outSince = time.Time{}
		case p.outSince.IsZero():
			p.outSince = s.now
		case s.now.Sub(p.outSince) > monOutTimeout:
			s.replace(p)
			return
		}
	}
}

func (s *schedule) replace(failing *player) {
	number := len(s.mons) + 1
	d := daemon(rook.Mon, string(rune('a'+len(s.mons))), number)
	global(&d)
	d.Rollout.Available, d.Rollout.Down, d.Rollout.AvailableSince = false, true, s.now
	s.failing, s.successor = failing, &player{DaemonFacts: d}
	s.mons = append(s.mons, s.successor)
	s.say("Rook replaces %s by %s", failing.Daemon, d.Daemon)
	failing.Rollout.Replicas = 0
	failing.Rollout.Generation++
}

func (s *schedule) failover() {
	if !s.successor.up || s.chance(60) {
		return
	}
	s.failing.inMonmap, s.failing.Deployed, s.failing.up = false, false, false
	s.failing.Listed, s.failing.Rollout = netip.Addr{}, rook.Rollout{}
	s.say("Rook has replaced %s", s.failing.Daemon)
	s.failing, s.successor = nil, nil
	// The peer token has changed.
	s.reconcileAt = s.now.Add(time.Duration(s.random.IntN(90)) * time.Second)
}

// status is Rook's look at the health of Ceph.
func (s *schedule) status() {
	if s.now.Before(s.statusAt) {
		return
	}
	s.statusAt = s.now.Add(time.Duration(50+s.random.IntN(40)) * time.Second)
	health := rook.Health{Status: rook.HealthOK, Checked: s.now}
	for _, p := range s.mons {
		switch {
		case p.inMonmap && p.up:
			health.Mons++
		case p.inMonmap:
			health.Status, health.Checks = "HEALTH_WARN", []string{"MON_DOWN"}
		}
	}
	for _, p := range s.osds {
		if !p.up {
			health.Status = "HEALTH_WARN"
			health.Checks = append(health.Checks, "OSD_DOWN")
		}
	}
	s.facts.Health = health
}

func (s *schedule) read() migration.Facts {
	f := s.facts
	f.Now, f.Steady = s.now, s.steady
	cluster := *f.Cluster
	f.Cluster = &cluster
	if s.now.Before(s.reconciling) {
		f.Cluster.Phase = "Progressing"
	}
	f.Daemons, f.List = nil, rook.MonList{Mons: len(s.listed())}
	for _, p := range slices.Concat(s.mons, s.osds) {
		f.Daemons = append(f.Daemons, p.DaemonFacts)
		if p.Listed.IsValid() && !p.up && p.Deployed && !p.outSince.IsZero() {
			f.List.OutOfQuorum = append(f.List.OutOfQuorum, p.Daemon.ID)
		}
	}
	f.Snapshot.Placing = s.failing != nil && s.chance(10)
	return f
}

// leader takes a turn of the leader. Between its look and its write Rook may get its turn.
func (s *schedule) leader() {
	if s.chance(3) {
		s.say("the leader ends")
		s.steady = migration.Steady{}
	}
	step, why := migration.Next(s.read())
	switch {
	case why.Code != "settling":
		s.steady = migration.Steady{}
	case s.steady.Daemon != step.Daemon.Name():
		s.steady = migration.Steady{Daemon: step.Daemon.Name(), Since: s.now}
	}
	if step.Action == migration.Wait {
		return
	}
	p := s.find(step.Daemon)
	generation := p.Rollout.Generation
	if missing := s.missing(p); step.Action == migration.StopMon || step.Action == migration.WriteOSD {
		if len(missing) > 0 || !p.up {
			s.wrong = fmt.Sprintf("%s %s while %s are down", step.Action, step.Daemon, missing)
		}
	}
	if s.chance(30) {
		s.kubernetes()
		s.rook()
	}
	s.say("the leader: %s %s (%s)", step.Action, step.Daemon, why.Code)
	if step.Action != migration.WriteOSD {
		p.Export.Move = step.Move
	}
	if p.Rollout.Generation != generation || s.chance(5) {
		s.say("the leader ends, or meets a conflict")
		s.steady = migration.Steady{}
		return
	}
	switch step.Action {
	case migration.StopMon:
		p.Rollout.Replicas = 0
	case migration.StartMon:
		p.Rollout.Replicas = 1
	case migration.WriteOSD:
		p.Address, p.up = p.Export.GlobalIP, false
		p.Rollout.Asked = rook.Asked{For: p.Export.GlobalIP, At: s.now}
		p.Rollout.Available, p.Rollout.Down, p.Rollout.AvailableSince = false, true, s.now
	default:
		return
	}
	p.Rollout.Generation++
}

func (s *schedule) find(d rook.Daemon) *player {
	all := slices.Concat(s.mons, s.osds)
	return all[slices.IndexFunc(all, func(p *player) bool { return p.Daemon == d })]
}

// broken says what must never be, or nothing.
func (s *schedule) broken() string {
	inQuorum, monmap, osdsDown := 0, 0, 0
	for _, p := range s.mons {
		if p.inMonmap {
			monmap++
			if p.up {
				inQuorum++
			}
		}
	}
	for _, p := range s.osds {
		if !p.up {
			osdsDown++
		}
	}
	switch {
	case s.wrong != "":
		return s.wrong
	case s.failed != nil:
		// That is nobody's fault.
	case 2*inQuorum <= monmap:
		return fmt.Sprintf("%d of %d mons are in quorum", inQuorum, monmap)
	case osdsDown > 1:
		return fmt.Sprintf("%d OSDs are down", osdsDown)
	case osdsDown > 0 && inQuorum < monmap:
		return "an OSD is down beside a mon"
	}
	return ""
}

func (s *schedule) done() bool {
	_, why := migration.Next(s.read())
	return why.Code == "migration_done"
}

func TestNoScheduleLosesQuorumByOurHand(t *testing.T) {
	for seed := range uint64(100) {
		s := newSchedule(seed)
		limit := s.now.Add(24 * time.Hour)
		for !s.done() {
			turns := []func(){s.kubernetes, s.rook, s.status, s.leader, s.misfortune}
			s.random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
			for _, turn := range turns {
				turn()
				// A pod that is not wanted any more is gone at once: that is when something is down.
				s.kubernetes()
				require.Empty(t, s.broken(), "seed %d:\n%s", seed, strings.Join(s.log, "\n"))
			}
			s.now = s.now.Add(5 * time.Second)
			require.True(t, s.now.Before(limit), "seed %d does not end:\n%s", seed, strings.Join(s.log, "\n"))
		}
		for _, p := range slices.Concat(s.mons, s.osds) {
			require.Equal(t, rook.Move{}, p.Export.Move, "seed %d, %s", seed, p.Daemon)
			require.NotEqual(t, metav1.ConditionFalse, p.Export.Valid)
		}
	}
}

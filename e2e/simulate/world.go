package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	clusterName       = "my-cluster"
	operatorNamespace = "rook-operator"
	holdLimit         = 20 * time.Second
	orphanGrace       = time.Hour
	clusterIPRange    = "10.96.0.0/16"
)

// noon is when every story begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is all of a story: what is stored, who acts, and what has to hold.
type world struct {
	rng   *rand.Rand
	now   time.Time
	store *store
	rules *cacheRules
	api   *apiServer
	mcs   *globalnet
	sites []*site
	// replicas are two, of which one leads.
	replicas []*replica
	leading  int
	release  rookstandin.Release

	// maxLag is how far a cache can be behind, and marks when which version was.
	maxLag time.Duration
	marks  []mark
	// faulty is set as long as things go wrong; the counts are of the steps for which they still do.
	faulty                          bool
	webhookDown, oursFail, liveDown int
	faults                          map[string]int
	// often are the names of faults that are likelier than they are elsewhere.
	often []string

	// answering are the namespaces of the requests that are being answered, the innermost last.
	answering []string
	// passing is set while others act in the time that one waits, leading while a turn of the leader runs.
	passing, inTurn bool

	lives lives
	// told are the reasons of the events about each daemon.
	told map[types.NamespacedName]map[string]bool
	// story is what happened, in words; nil where nobody reads it.
	story *[]string
	// violation is the first thing that must never be.
	violation string
}

type mark struct {
	at      time.Time
	version int64
}

// newWorld sets the scene: a cluster with Submariner and Rook's operator, two replicas of ours, and no CephCluster yet.
func newWorld(ctx context.Context, seed uint64, often []string, rules *cacheRules, story *[]string) (*world, error) {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)), now: noon, store: newStore(), rules: rules, often: often,
		faults: map[string]int{}, lives: newLives(), told: map[types.NamespacedName]map[string]bool{}, story: story,
	}
	w.maxLag = time.Duration(w.rng.IntN(8)) * time.Second
	w.release = []rookstandin.Release{{Minor: 20, Patch: 6}, {Minor: 20, Patch: 6}, {Minor: 18, Patch: 9}, {Minor: 17, Patch: 9}}[w.rng.IntN(4)]
	w.api = &apiServer{
		live: live{store: w.store}, world: w, clusterIPs: netip.MustParsePrefix(clusterIPRange), lastIP: netip.MustParseAddr("10.96.0.10"),
	}
	w.mcs = newGlobalnet(w)
	scenery := asActor(ctx, actorScenery)
	submariner := newObject(mcsstandin.SubmarinerKind, mcsstandin.OperatorNamespace, "submariner")
	submariner.Object["spec"] = map[string]any{"clusterID": mcsClusterID, "globalCIDR": globalCIDR}
	objects := []client.Object{submariner, namespaceOf(operatorNamespace), namespaceOf(mcsstandin.OperatorNamespace)}
	w.sites = append(w.sites, newSite(w, "rook-ceph", 3, "0", "1"))
	if w.rng.IntN(3) == 0 {
		w.sites = append(w.sites, newSite(w, "rook-second", 1, "0"))
	}
	for _, s := range w.sites {
		objects = append(objects, namespaceOf(s.namespace))
	}
	for _, o := range objects {
		if err := w.api.Create(scenery, o); err != nil {
			return nil, fmt.Errorf("set the scene: %w", err)
		}
	}
	for _, name := range []string{"one", "two"} {
		r, err := newReplica(w, name)
		if err != nil {
			return nil, err
		}
		w.replicas = append(w.replicas, r)
	}
	w.lead(w.rng.IntN(2))
	for _, s := range w.sites {
		if err := s.start(ctx); err != nil {
			return nil, err
		}
		if err := s.model.Client().Create(scenery, rookstandin.NewCephCluster(s.namespace, clusterName, monCount(s.mons))); err != nil {
			return nil, fmt.Errorf("create the CephCluster: %w", err)
		}
	}
	return w, nil
}

func monCount(count int) func(map[string]any) {
	return func(spec map[string]any) { spec["mon"] = map[string]any{"count": int64(count)} }
}

func namespaceOf(name string) client.Object {
	labels := map[string]string{}
	if name != mcsstandin.OperatorNamespace {
		labels[rook.EnabledLabel] = "true"
	}
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

// lead makes the replica of that number the leader.
func (w *world) lead(number int) {
	for _, r := range w.replicas {
		r.leader = nil
	}
	w.leading = number
	newLeader(w.replicas[number])
}

func (w *world) leader() *leader { return w.replicas[w.leading].leader }

// clientOf returns the client of everybody but Rook for a namespace: its Rook sees at once what is written by it.
func (w *world) clientOf(namespace string) client.Client {
	for _, s := range w.sites {
		if s.namespace == namespace {
			return s.model.Client()
		}
	}
	return w.api
}

// advance lets time go by. A cache is never further behind than it may be.
func (w *world) advance(d time.Duration) {
	if len(w.marks) == 0 || w.marks[len(w.marks)-1].version != w.store.version {
		w.marks = append(w.marks, mark{w.now, w.store.version})
	}
	w.now = w.now.Add(d)
	var floor int64
	for len(w.marks) > 0 && !w.marks[0].at.After(w.now.Add(-w.maxLag)) {
		floor = w.marks[0].version
		w.marks = w.marks[1:]
	}
	if floor == 0 {
		return
	}
	for _, r := range w.replicas {
		for _, rule := range w.rules.all {
			r.catchUp(rule, floor)
		}
	}
}

func (w *world) timestamp() metav1.Time { return metav1.NewTime(w.now.Truncate(time.Second)) }

// tell adds to the story.
func (w *world) tell(format string, args ...any) {
	if w.story != nil {
		*w.story = append(*w.story, w.now.Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// never is called for what must not be. The first counts.
func (w *world) never(format string, args ...any) {
	if w.violation == "" {
		w.violation = fmt.Sprintf(format, args...)
		w.tell("NEVER: %s", w.violation)
	}
}

// must is for what cannot fail unless the simulation itself is wrong.
func (w *world) must(err error) {
	if err != nil {
		panic(fmt.Sprintf("the simulation is at fault: %v", err))
	}
}

package rookstandin

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aymanbagabas/go-udiff"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// difference is one that is allowed between what Rook wrote and what the stand-in writes, with its reason.
type difference struct {
	name string
	// story and line tell where: a line is one of the recording after -, and one of the stand-in after +.
	story, line *regexp.Regexp
	why         string
}

// allowed are the differences that there may be beside what is left out of all recordings.
var allowed = []difference{
	{
		"the owner of rook-ceph-csi-config", regexp.MustCompile(``),
		regexp.MustCompile(`^- configmaps rook-ceph-csi-config: metadata.ownerReferences`),
		"the operator has no Deployment here that could own it",
	},
	{
		"the OSD that comes late", regexp.MustCompile(`new-cluster$`), regexp.MustCompile(`^[-+] create deployments rook-ceph-osd-0$`),
		"the device of the machine was not found until the third reconcile",
	},
}

// stories play what was done to Rook where the recording does not tell it; they end when Rook has nothing more to write.
var stories = map[string]func(*stage){
	"rook-1.20.6-webhook-away": func(s *stage) {
		s.settled("v1.20.6")
		s.start("v1.20.6")
		s.quiet()
		s.serve("d")
		require.NoError(s.t, s.operator.FailOver(s.t.Context(), "c"))
		s.quiet()
		endpoints := s.site.endpoints(s.t)
		endpoints.Data[shapes.MaxMonIDKey] = "4"
		require.NoError(s.t, s.site.client.Update(s.t.Context(), endpoints))
		s.forget()
		s.awayAfter.Store("Deployment rook-ceph/rook-ceph-mon-d")
		s.operator.Reconcile()
		eventually(s.t, "the webhook goes away", s.away.Load)
		s.stop()
		s.start("v1.20.6")
		eventually(s.t, "it is refused", func() bool { return s.operator.Journal().Count(ReconcileFailed) > 2 })
		s.away.Store(false)
		s.quiet()
	},
	"rook-1.20.6-running-cluster-moved-by-hand": func(s *stage) {
		s.start("v1.20.6")
		s.quiet()
		s.stop()
		s.forget()
		s.serve("osd", "d", "e", "f")
		s.start("v1.20.6")
		s.quiet()
		s.changeSpec(map[string]any{"touch": "1"}, "annotations", "osd")
		s.quiet()
		for _, id := range []string{"a", "b", "c"} {
			s.scaleToNothing(id)
			s.quiet()
		}
		s.unfinished = true
	},
	"rook-1.18.9-operator-upgrade-from-1.17.9": func(s *stage) {
		s.settled("v1.17.9")
		s.hidden.Store(true)
		s.start("v1.18.9")
		eventually(s.t, "it fails", func() bool { return s.operator.Journal().Count(ReconcileFailed) > 2 })
		s.stop()
		s.hidden.Store(false)
		s.start("v1.18.9")
		s.quiet()
		s.operator.Reconcile()
		s.quiet()
	},
}

var (
	recordedRelease = regexp.MustCompile(`^rook-([0-9.]+[0-9])`)
	globalMon       = regexp.MustCompile(`\b([a-z]+):global`)
	bornMon         = regexp.MustCompile(`^create deployments rook-ceph-mon-([a-z]+) `)
	stoppedMon      = regexp.MustCompile(`^update deployments rook-ceph-mon-([a-z]+) .*replicas=0`)
)

// derived plays what a recording tells by itself: the birth of a cluster, mons that are stopped and fail over, more mons than
// before, and reconciles for no reason that was written, as after a restart.
func derived(release string, recorded []string) func(*stage) {
	var served, born, stopped []string
	for _, line := range recorded {
		for _, found := range globalMon.FindAllStringSubmatch(line, -1) {
			served = append(served, found[1])
		}
		if found := bornMon.FindStringSubmatch(line); found != nil {
			born = append(born, found[1])
		}
		if found := stoppedMon.FindStringSubmatch(line); found != nil && !slices.Contains(stopped, found[1]) {
			stopped = append(stopped, found[1])
		}
	}
	return func(s *stage) {
		if slices.Contains(recorded, "create secrets rook-ceph-mon") {
			s.count = len(born)
			s.changeSpec(int64(s.count), "mon", "count")
		} else {
			s.settled(release)
		}
		s.serve(served...)
		s.start(release)
		s.quiet()
		more := len(born) - len(stopped) - s.count
		if more > 0 || len(stopped) > 0 {
			s.forget()
		}
		if more > 0 {
			s.changeSpec(int64(3+more), "mon", "count")
		}
		for _, id := range stopped {
			s.scaleToNothing(id)
			s.quiet()
		}
		s.quiet()
		for reconciles(reduce(s.made()).story) < reconciles(recorded) {
			s.operator.Reconcile()
			s.quiet()
		}
		s.begins = strings.Join(strings.Fields(recorded[0])[:3], " ")
	}
}

// reconciles counts the reconciles of a story by what each begins with.
func reconciles(lines []string) int {
	return len(slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return line != "update secrets rook-ceph-mon" }))
}

func TestTheStandInWritesWhatRookWrites(t *testing.T) {
	recordings := reducedRecordings(t)
	files, err := filepath.Glob(filepath.Join(recordings, "*.story"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.LessOrEqual(t, len(allowed)+len(leftOut), 15)
	var mu sync.Mutex
	used, played := map[string]bool{}, 0
	t.Run("in every story", func(t *testing.T) {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".story")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				recorded, release := readLines(t, file), recordedRelease.FindStringSubmatch(name)
				play, ok := stories[name]
				if !ok {
					play = derived("v"+release[1], recorded)
				}
				s := newStage(t)
				play(s)
				s.stop()
				written := reduce(s.made())
				if s.unfinished {
					written.story = written.story[:min(len(recorded), len(written.story))]
				}
				lines := diff(recorded, written.story)
				known := slices.DeleteFunc(readLines(t, filepath.Join(recordings, release[0]+".shapes")), func(line string) bool {
					class, _, _ := strings.Cut(line, ": ")
					return written.shapes[class] == nil
				})
				lines = append(lines, diff(known, written.shapeLines())...)
				mu.Lock()
				defer mu.Unlock()
				played++
				for _, line := range lines {
					i := slices.IndexFunc(allowed, func(d difference) bool { return d.story.MatchString(name) && d.line.MatchString(line) })
					if i < 0 {
						t.Error(line)
						continue
					}
					used[allowed[i].name] = true
				}
			})
		}
	})
	for _, d := range allowed {
		require.True(t, used[d.name] || played < len(files) || *recordingsFrom != "", "nothing differs as %q allows", d.name)
	}
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// diff returns the lines that stand in one alone, after - and +.
func diff(recorded, played []string) []string {
	text := udiff.Unified("recorded", "played", strings.Join(recorded, "\n")+"\n", strings.Join(played, "\n")+"\n")
	var lines []string
	for line := range strings.Lines(text) {
		if sign := line[:1]; (sign == "-" || sign == "+") && !strings.HasPrefix(line, sign+sign+sign) {
			lines = append(lines, sign+" "+strings.TrimSuffix(line[1:], "\n"))
		}
	}
	return lines
}

// reducedRecordings returns where the reduced recordings are: those of testdata, or those of -recordings.
func reducedRecordings(t *testing.T) string {
	const kept = "testdata/recordings"
	if *recordingsFrom == "" {
		return kept
	}
	into := t.TempDir()
	if *update {
		into = kept
	}
	files, err := filepath.Glob(filepath.Join(*recordingsFrom, "*", "*.jsonl"))
	require.NoError(t, err)
	byRelease := map[string]reduced{}
	for _, file := range files {
		release := filepath.Base(filepath.Dir(file))
		r := reduce(readCalls(t, file))
		name := release + "-" + strings.TrimSuffix(filepath.Base(file), ".jsonl") + ".story"
		require.NoError(t, os.WriteFile(filepath.Join(into, name), []byte(strings.Join(r.story, "\n")+"\n"), 0o644))
		if known, ok := byRelease[release]; ok {
			maps.Copy(r.shapes, known.shapes)
		}
		byRelease[release] = r
	}
	for release, r := range byRelease {
		text := strings.Join(r.shapeLines(), "\n") + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(into, release+".shapes"), []byte(text), 0o644))
	}
	return into
}

func readCalls(t *testing.T, file string) []call {
	t.Helper()
	var calls []call
	for _, line := range readLines(t, file) {
		var c call
		require.NoError(t, json.Unmarshal([]byte(line), &c))
		calls = append(calls, c)
	}
	return calls
}

// recordedTiming lets an operator that fails pause long enough to be stopped then, and not in the middle of a try. What a busy
// machine could make it give up is waited for.
func recordedTiming() Timing {
	timing := testTiming()
	timing.BackoffMax = 300 * time.Millisecond
	timing.QuorumTries, timing.UpdateTimeout = 2000, time.Minute
	return timing
}

// reload makes Rook read anew as soon as the cluster is Ready, as deleting something that it owns does.
func (s *stage) reload(ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		cluster := NewCephCluster("", "")
		if !s.stale.Load() || s.site.client.Get(ctx, client.ObjectKey{Namespace: "rook-ceph", Name: "my-cluster"}, cluster) != nil {
			continue
		}
		if textAt(cluster.Object, "status", "phase") != "Ready" {
			continue
		}
		s.stale.Store(false)
		_ = makeOwned(ctx, s.site.client)
	}
}

package scenarios_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/pages"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// reader is who copies commands from the pages into a shell, in a directory with the repository's manifests, where kubectl
// finds the plugin.
type reader struct {
	*story
	root, home string
}

func (s *story) reader() reader {
	s.t.Helper()
	root, err := assets.ModuleRoot(s.t.Context())
	require.NoError(s.t, err)
	program, err := s.World.Plane.Program(s.t.Context())
	require.NoError(s.t, err)
	r := reader{s, root, s.t.TempDir()}
	for name, to := range map[string]string{
		"kubectl":                 filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		"kubectl-rook_clusterset": program,
		"rook-clusterset":         program,
		"manifests":               filepath.Join(root, "manifests"),
	} {
		require.NoError(s.t, os.Symlink(to, filepath.Join(r.home, name)))
	}
	return r
}

// sh runs a script as it stands on a page: the story fails with any command of it.
func (r reader) sh(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = r.home
	cmd.Env = append(os.Environ(), "PATH="+r.home+":"+os.Getenv("PATH"), "KUBECONFIG="+r.World.Plane.Kubeconfig, "HOME="+r.home)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	return string(out)
}

// runsPages runs the blocks of the name, in the order of the pages, and returns what each printed.
func (r reader) runsPages(name string) []string {
	r.t.Helper()
	blocks, err := pages.ToRun(r.root, name)
	require.NoError(r.t, err)
	var printed []string
	for _, block := range blocks {
		r.t.Run(block.String(), func(t *testing.T) {
			started := time.Now()
			printed = append(printed, r.sh(t, block.Script))
			t.Logf("took %s", time.Since(started).Round(100*time.Millisecond))
		})
	}
	require.False(r.t, r.t.Failed())
	return printed
}

// aClusterWithTheParts has cert-manager, Submariner and Rook's operator, and nothing of ours.
func aClusterWithTheParts(t *testing.T) *story {
	t.Helper()
	plane, err := controlplane.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plane.Stop()) })
	w := &world.World{Plane: plane}
	require.NoError(t, mcsstandin.Install(plane.Config, mcsstandin.V1Beta1))
	// Its context ends before the API server, which waits for those that watch it.
	w.MCS, err = mcsstandin.Start(t.Context(), mcsstandin.Options{Config: plane.Config})
	require.NoError(t, err)
	s := storyOf(t, w, "rook-ceph", false)
	s.operatorRuns(1)
	s.startOperator()
	return s
}

// runsWhatIsInstalled does as kubelets do with the pods of the Deployment once somebody has installed it.
func (s *story) runsWhatIsInstalled() (failed <-chan error) {
	done := make(chan error, 1)
	go func() { done <- s.runInstalled(s.t.Context()) }()
	return done
}

func (s *story) runInstalled(ctx context.Context) error {
	key := client.ObjectKey{Namespace: controlplane.Namespace, Name: "rook-clusterset"}
	if err := measure.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		return s.World.Plane.Client.Get(ctx, key, &appsv1.Deployment{}) == nil, nil
	}); err != nil {
		return err
	}
	for i := range 2 {
		if err := s.World.AddReplica(ctx, fmt.Sprintf("replica-%d", i)); err != nil {
			return err
		}
	}
	return ceph.PlayKubelet(ctx, s.World.Plane.Client, controlplane.Namespace, rookstandin.DefaultNodes)
}

// A new user gets to a green check by the commands of the quick start alone, and from there on each other command that stands in
// the pages and can be run here does what it says.
func TestTheCommandsOfThePagesRunAsTheyStandThere(t *testing.T) {
	waitsFor(t, own, 1)
	s := aClusterWithTheParts(t)
	r := s.reader()
	installed := s.runsWhatIsInstalled()
	started := time.Now()
	printed := r.runsPages("quick-start")
	t.Logf("the quick start took %s and ends with:\n%s", time.Since(started).Round(time.Second), printed[len(printed)-1])
	r.shows("docs/quick-start.md", printed[len(printed)-1])
	require.NoError(t, <-installed)
	s.everyDaemonIsGlobal()
	s.allIsWell(6)

	r.knowsEachMetric()
	r.runsPages("install")
	r.sh(t, "kubectl -n rook-ceph get deployment rook-ceph-osd-0 -o yaml > rook-ceph-osd-0.yaml")
	r.runsPages("look")
	r.runsPages("switches")
	r.runsPages("recovery")
	r.runsPages("escape")
	s.installAgain()
	s.isWell()
	s.global(3)

	for _, replica := range s.World.Replicas {
		require.NoError(t, replica.Stop())
	}
	before := s.addresses()
	r.runsPages("leaving")
	s.isGone()
	s.global(3)
	s.everyOSDIsGlobal("0", "1", "2")
	s.keepsItsExports()
	s.goesOnWithoutUs(before)
}

// keepsItsExports asserts that nobody has freed an address of the six daemons.
func (s *story) keepsItsExports() {
	s.t.Helper()
	require.Len(s.t, s.exports(), 6, "what runs keeps its addresses")
}

// goesOnWithoutUs asserts what the pages say of the time after: Rook writes OSDs without global IPs, and mons stay.
func (s *story) goesOnWithoutUs(before map[string]netip.Addr) {
	s.t.Helper()
	s.reconcileAgain()
	for _, mon := range []string{"a", "b", "c"} {
		require.Equal(s.t, before[mon], s.addresses()[mon], "a mon keeps for life what it was born with")
	}
	s.eventually("the OSDs are up, without global IPs", func() bool {
		up := s.Ceph.OSDMap()
		return len(up) == 3 && !slices.ContainsFunc(slices.Collect(maps.Values(up)), globalRange.Contains)
	})
}

// What differs from one cluster to the next.
var particulars = []struct {
	of *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT[\d:]+Z`), "TIME"},
	{regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`), "IP"},
	{regexp.MustCompile(`\b(\d+[dhms])+\b`), "AGE"},
	{regexp.MustCompile(`\b\d+\b`), "N"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func withoutParticulars(text string) []string {
	for _, p := range particulars {
		text = p.of.ReplaceAllString(text, p.as)
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}

// shows asserts that each line that the page shows as output was printed, but for what differs from one cluster to the next.
func (r reader) shows(page, printed string) {
	r.t.Helper()
	shown, err := pages.Shown(r.root, page)
	require.NoError(r.t, err)
	for _, line := range withoutParticulars(strings.Join(shown, "")) {
		if line != "" {
			require.Contains(r.t, withoutParticulars(printed), line, "%s shows it", page)
		}
	}
}

var ownMetric = regexp.MustCompile(`(?m)^# TYPE (rook_clusterset_\w+) `)

// knowsEachMetric asserts that what the replicas tell Prometheus stands in the reference.
func (r reader) knowsEachMetric() {
	r.t.Helper()
	reference, err := os.ReadFile(filepath.Join(r.root, "docs", "reference.md"))
	require.NoError(r.t, err)
	for _, replica := range r.World.Replicas {
		told, err := replica.Metrics(r.t.Context())
		require.NoError(r.t, err)
		names := ownMetric.FindAllStringSubmatch(told, -1)
		require.NotEmpty(r.t, names)
		for _, name := range names {
			require.Contains(r.t, string(reference), "`"+name[1]+"`")
		}
	}
}

// isGone waits until nothing is left of what was installed.
func (s *story) isGone() {
	s.t.Helper()
	s.eventually("the namespace is gone", func() bool { return !s.has("", controlplane.Namespace, &corev1.Namespace{}) })
}

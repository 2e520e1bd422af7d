package rookstandin

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

var recordingsFrom = flag.String("recordings", "", "reduce the recordings of this directory into testdata/recordings")

// call is one write to the API server, as the audit log tells it and as a fake client sees it.
type call struct {
	By     string         `json:"by"`
	Verb   string         `json:"verb"`
	Kind   string         `json:"kind"`
	Name   string         `json:"name"`
	Code   int            `json:"code"`
	Object map[string]any `json:"object"`
}

// leftOut names what is left out of recordings and of what the stand-in writes, each with its reason: none tells an address of
// a mon, and nobody waits for it.
var leftOut = []struct {
	name, why string
	subject   *regexp.Regexp
}{
	{"the detection of the version", "a Job that ends", regexp.MustCompile(`detect-version`)},
	{"the CephCluster", "its finalizer and status; repeated updates are not recorded", regexp.MustCompile(`^(cephclusters|events) `)},
	{"the Jobs that prepare OSDs", "what they report is written", regexp.MustCompile(`^(jobs|cronjobs) `)},
	{"the exporter and the crash collector", "daemons that nobody rewrites", regexp.MustCompile(`rook-ceph-exporter|crash-collector`)},
	{"the keys and the mapping of CSI", "keys, and pools by name", regexp.MustCompile(`rook-csi-|csi-mapping-config`)},
	{"the Services of the mgr", "no mon is behind them", regexp.MustCompile(`services rook-ceph-mgr|secrets rook-ceph-mgr-a$`)},
	{"the CSI drivers of older releases", "what is deleted was not there", regexp.MustCompile(`^(daemonsets|operatorconfigs|drivers) |csi-(rbd|cephfs|nfs)plugin`)},
	{"rook-config-override", "Rook makes it before a CephCluster, the stand-in with it", regexp.MustCompile(`config-override`)},
}

func isLeftOut(subject string) bool {
	for _, left := range leftOut {
		if left.subject.MatchString(subject) {
			return true
		}
	}
	return false
}

// csiController names what another controller of the operator writes, at any time.
var csiController = regexp.MustCompile(`rook-ceph-csi-config`)

// reduced is what is kept of a recording: the calls of the operator in order, with who is told where, and of each class
// of objects what is the same in every one.
type reduced struct {
	story  []string
	shapes map[string][]string
}

func reduce(calls []call) reduced {
	r := reduced{shapes: map[string][]string{}}
	where := addressBook(calls)
	for _, c := range calls {
		subject := c.Kind + " " + c.Name
		if c.By != "rook" && c.By != "osd-prepare" || isLeftOut(subject) {
			continue
		}
		if c.Object != nil && (c.Verb == "create" || c.Verb == "update") {
			class := c.Kind + " " + classOf(c.Name)
			facts := normalized(shapeOf(c), c)
			if scaled := c.Kind == "deployments" && c.Verb == "update" && replicasOf(c.Object) == 0; !scaled {
				r.shapes[class] = facts
			}
		}
		if c.By != "rook" || csiController.MatchString(subject) {
			continue
		}
		line := c.Verb + " " + subject
		if c.Code >= 400 {
			line += fmt.Sprintf(" %d", c.Code)
		}
		r.story = append(r.story, strings.TrimSpace(line+" "+told(c, where)))
	}
	r.story = once(sortedByMon(joined(r.story)))
	return r
}

// joined makes one write of a create that found the object and the update that followed.
func joined(lines []string) []string {
	var all []string
	for i := 0; i < len(lines); i++ {
		words := strings.Fields(lines[i])
		if words[0] == "create" && len(words) > 3 && words[3] == "409" && i+1 < len(lines) &&
			strings.HasPrefix(lines[i+1], "update "+words[1]+" "+words[2]) {
			i++
			all = append(all, "write"+strings.TrimPrefix(lines[i], "update"))
			continue
		}
		all = append(all, lines[i])
	}
	return all
}

var eachMon = regexp.MustCompile(`^(?:write|update|create) (services|deployments) rook-ceph-mon-[a-z]+(?:$| [a-z]:)`)

// sortedByMon sorts what Rook writes for one mon after the other: it takes them in any order.
func sortedByMon(lines []string) []string {
	kind := func(line string) string {
		if found := eachMon.FindStringSubmatch(line); found != nil {
			return found[1]
		}
		return ""
	}
	for start := 0; start < len(lines); {
		end := start + 1
		for end < len(lines) && kind(lines[start]) != "" && kind(lines[end]) == kind(lines[start]) {
			end++
		}
		slices.SortFunc(lines[start:end], func(a, b string) int {
			return cmp.Compare(strings.Fields(a)[2], strings.Fields(b)[2])
		})
		start = end
	}
	return lines
}

// once leaves out what is tried again and fails again in the same way: how often is a matter of time.
func once(lines []string) []string {
	var all []string
	for _, line := range lines {
		all = append(all, line)
		for size := 2; size <= 8 && 2*size <= len(all); size++ {
			if slices.Equal(all[len(all)-size:], all[len(all)-2*size:len(all)-size]) {
				all = all[:len(all)-size]
				break
			}
		}
	}
	return all
}

func replicasOf(object map[string]any) float64 {
	replicas, _, _ := unstructured.NestedFieldNoCopy(object, "spec", "replicas")
	n, _ := replicas.(float64)
	return n
}

var endpointPattern = regexp.MustCompile(`([a-z]+)=(\d+\.\d+\.\d+\.\d+):\d+`)

// addressBook tells of each address which mon it is of, and whether it is the global one: those begin with 242.
func addressBook(calls []call) map[string]string {
	book := map[string]string{}
	for _, c := range calls {
		if c.Name != EndpointsConfigMap {
			continue
		}
		for _, found := range endpointPattern.FindAllStringSubmatch(textAt(c.Object, "data", "data"), -1) {
			kind := "cluster"
			if strings.HasPrefix(found[2], "242.") {
				kind = "global"
			}
			book[found[2]] = found[1] + ":" + kind
		}
	}
	return book
}

func textAt(object map[string]any, path ...string) string {
	v, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	text, _ := v.(string)
	return text
}

var addressPattern = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)

// told returns where the object says that mons are, mon by mon.
func told(c call, where map[string]string) string {
	var text, more string
	switch {
	case c.Object == nil || c.Verb == "delete":
		return ""
	case c.Name == EndpointsConfigMap:
		text = textAt(c.Object, "data", "data")
		more = "max=" + textAt(c.Object, "data", shapes.MaxMonIDKey) + " out=" + textAt(c.Object, "data", shapes.OutOfQuorumKey)
	case c.Name == ConfigSecret:
		hosts, _ := base64.StdEncoding.DecodeString(textAt(c.Object, "data", "mon_host"))
		text = string(hosts)
	case strings.HasPrefix(c.Name, "cluster-peer-token-"):
		text = textAt(c.Object, "data", "token")
	case c.Kind == "endpointslices":
		endpoints, _, _ := unstructured.NestedFieldNoCopy(c.Object, "endpoints")
		text = fmt.Sprint(endpoints)
	case c.Kind == "cephconnections":
		monitors, _, _ := unstructured.NestedFieldNoCopy(c.Object, "spec", "monitors")
		text = fmt.Sprint(monitors)
	case c.Kind == "deployments" && classOf(c.Name) == "rook-ceph-mon-ID":
		containers, _, _ := unstructured.NestedFieldNoCopy(c.Object, "spec", "template", "spec", "containers")
		for _, container := range asList(containers) {
			text += strings.Join(slices.DeleteFunc(strs(container.(map[string]any)["args"]), func(arg string) bool {
				return !strings.HasPrefix(arg, "--public-addr=")
			}), " ")
		}
		more = fmt.Sprintf("replicas=%v", replicasOf(c.Object))
	}
	var mons []string
	for _, address := range addressPattern.FindAllString(text, -1) {
		mons = append(mons, cmp.Or(where[address], "?:"+address))
	}
	slices.Sort(mons)
	return strings.TrimSpace(strings.Join(slices.Compact(mons), " ") + " " + more)
}

var classPattern = regexp.MustCompile(`^(rook-ceph-mon|rook-ceph-osd)-[a-z0-9]+(-canary)?$`)

// classOf returns the name of what is written alike for each mon and each OSD.
func classOf(name string) string {
	if name == shapes.IdentitySecret || strings.HasPrefix(name, EndpointsConfigMap) {
		return name
	}
	if strings.HasPrefix(name, "rook-ceph-osd-") && strings.HasSuffix(name, "-status") {
		return "rook-ceph-osd-NODE-status"
	}
	return classPattern.ReplaceAllString(name, "$1-ID$2")
}

// shapeOf returns the facts of an object that do not change from one write to the next: keys, labels, owners, and of a
// daemon its containers with their args, the names of their environment and their ports.
func shapeOf(c call) []string {
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	addMap := func(what string, path ...string) {
		m, _, _ := unstructured.NestedMap(c.Object, path...)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			add("%s %s=%v", what, key, m[key])
		}
	}
	addMap("label", "metadata", "labels")
	owners, _, _ := unstructured.NestedFieldNoCopy(c.Object, "metadata", "ownerReferences")
	for _, owner := range asList(owners) {
		o := owner.(map[string]any)
		add("owner %v controller=%v", o["kind"], o["controller"] == true)
	}
	finalizers, _, _ := unstructured.NestedFieldNoCopy(c.Object, "metadata", "finalizers")
	for _, finalizer := range asList(finalizers) {
		add("finalizer %v", finalizer)
	}
	if kind := textAt(c.Object, "type"); kind != "" {
		add("type %s", kind)
	}
	data, _, _ := unstructured.NestedFieldNoCopy(c.Object, "data")
	if data, ok := data.(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(data)) {
			add("key %s", key)
		}
	}
	switch c.Kind {
	case "services", "endpointslices":
		addMap("selector", "spec", "selector")
		for _, path := range [][]string{{"spec", "ports"}, {"ports"}} {
			ports, _, _ := unstructured.NestedFieldNoCopy(c.Object, path...)
			for _, port := range asList(ports) {
				p := port.(map[string]any)
				add("port %v %v", p["name"], p["port"])
			}
		}
	case "clientprofiles":
		spec, _, _ := unstructured.NestedFieldNoCopy(c.Object, "spec")
		text, _ := json.Marshal(spec)
		add("spec %s", text)
	case "deployments":
		addMap("selector", "spec", "selector", "matchLabels")
		addMap("pod label", "spec", "template", "metadata", "labels")
		pod, _, _ := unstructured.NestedFieldNoCopy(c.Object, "spec", "template", "spec")
		p, _ := pod.(map[string]any)
		add("service account %v", p["serviceAccountName"])
		for _, list := range []string{"initContainers", "containers"} {
			for _, container := range asList(p[list]) {
				facts = append(facts, containerFacts(container.(map[string]any))...)
			}
		}
	}
	return facts
}

func containerFacts(c map[string]any) []string {
	name := fmt.Sprint(c["name"])
	var facts []string
	for _, key := range []string{"command", "args"} {
		for _, word := range strs(c[key]) {
			if strings.Contains(word, "\n") || strings.HasPrefix(word, "<script") {
				word = "<script>"
			}
			facts = append(facts, name+" "+key+" "+word)
		}
	}
	var env []string
	for _, e := range asList(c["env"]) {
		env = append(env, name+" env "+fmt.Sprint(e.(map[string]any)["name"]))
	}
	slices.Sort(env)
	facts = append(facts, env...)
	for _, p := range asList(c["ports"]) {
		port := p.(map[string]any)
		facts = append(facts, fmt.Sprintf("%s port %v %v", name, port["name"], port["containerPort"]))
	}
	if len(facts) == 0 {
		facts = append(facts, name)
	}
	return facts
}

func strs(v any) []string {
	var all []string
	for _, item := range asList(v) {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// normalized takes out what names one daemon or one cluster.
func normalized(facts []string, c call) []string {
	id := textAt(c.Object, "metadata", "labels", "ceph_daemon_id")
	for i, fact := range facts {
		fact = uuidPattern.ReplaceAllString(addressPattern.ReplaceAllString(fact, "ADDRESS"), "UUID")
		if id != "" {
			fact = regexp.MustCompile(`(=|ceph-|mon-|args )`+id+`($|/)`).ReplaceAllString(fact, "${1}ID$2")
		}
		facts[i] = fact
	}
	return facts
}

func readCalls(t *testing.T, file string) []call {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var calls []call
	for line := range bytes.Lines(text) {
		var c call
		require.NoError(t, json.Unmarshal(line, &c))
		calls = append(calls, c)
	}
	return calls
}

// TestRecordingsAreReduced writes testdata/recordings anew, from the recordings of a directory.
func TestRecordingsAreReduced(t *testing.T) {
	if *recordingsFrom == "" {
		t.Skip("no recordings are given with -recordings")
	}
	files, err := filepath.Glob(filepath.Join(*recordingsFrom, "*", "*.jsonl"))
	require.NoError(t, err)
	shapes := map[string]map[string][]string{}
	for _, file := range files {
		release := filepath.Base(filepath.Dir(file))
		r := reduce(readCalls(t, file))
		name := release + "-" + strings.TrimSuffix(filepath.Base(file), ".jsonl") + ".story"
		require.NoError(t, os.WriteFile(filepath.Join("testdata/recordings", name), []byte(strings.Join(r.story, "\n")+"\n"), 0o644))
		if shapes[release] == nil {
			shapes[release] = map[string][]string{}
		}
		maps.Copy(shapes[release], r.shapes)
	}
	for release, classes := range shapes {
		var text strings.Builder
		for _, class := range slices.Sorted(maps.Keys(classes)) {
			text.WriteString(strings.Join(append([]string{class}, classes[class]...), "\n  ") + "\n")
		}
		require.NoError(t, os.WriteFile(filepath.Join("testdata/recordings", release+".shapes"), []byte(text.String()), 0o644))
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

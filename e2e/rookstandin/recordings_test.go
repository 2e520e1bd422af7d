package rookstandin

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

var (
	recordingsFrom = flag.String("recordings", "", "play the recordings of this directory")
	update         = flag.Bool("update", false, "keep what is reduced of -recordings in testdata")
)

// call is one write to the API server, as the audit log tells it and as a fake client sees it.
type call struct {
	By     string         `json:"by"`
	Verb   string         `json:"verb"`
	Kind   string         `json:"kind"`
	Name   string         `json:"name"`
	Code   int            `json:"code"`
	Object map[string]any `json:"object"`
}

type omission struct {
	name, why string
	subject   *regexp.Regexp
}

// leftOut names what is left out of recordings and of what the stand-in writes, each with its reason: none tells an address of
// a mon, and nobody waits for it.
var leftOut = []omission{
	{"the detection of the version", "a Job that ends", regexp.MustCompile(`detect-version`)},
	{"the CephCluster", "its finalizer and status; repeated updates are not recorded", regexp.MustCompile(`^(cephclusters|events) `)},
	{"the Jobs that prepare OSDs", "what they report is written", regexp.MustCompile(`^(jobs|cronjobs) `)},
	{"the exporter and the crash collector", "daemons that nobody rewrites", regexp.MustCompile(`rook-ceph-exporter|crash-collector`)},
	{"the keys and the mapping of CSI", "keys, and pools by name", regexp.MustCompile(`rook-csi-|csi-mapping-config`)},
	{"the Services of the mgr", "no mon is behind them", regexp.MustCompile(`services rook-ceph-mgr|secrets rook-ceph-mgr-a$`)},
	{
		"the CSI drivers of older releases", "what is deleted was not there",
		regexp.MustCompile(`^(daemonsets|operatorconfigs|drivers) |csi-(rbd|cephfs|nfs)plugin`),
	},
	{"rook-config-override", "Rook makes it before a CephCluster, the stand-in with it", regexp.MustCompile(`config-override`)},
}

// csiController names what another controller of the operator writes, at any time.
var csiController = regexp.MustCompile(`rook-ceph-csi-config`)

// reduced is what is kept of a recording: the calls of the operator in order, with who is told where, and of each class
// of objects what is the same in every one.
type reduced struct {
	story  []string
	shapes map[string][]string
}

// shapeLines returns a line for each fact, which begins with its class.
func (r reduced) shapeLines() []string {
	var lines []string
	for _, class := range slices.Sorted(maps.Keys(r.shapes)) {
		for _, fact := range r.shapes[class] {
			lines = append(lines, class+": "+fact)
		}
	}
	return lines
}

func reduce(calls []call) reduced {
	r := reduced{shapes: map[string][]string{}}
	where := addressBook(calls)
	for _, c := range calls {
		subject := c.Kind + " " + c.Name
		left := slices.ContainsFunc(leftOut, func(o omission) bool { return o.subject.MatchString(subject) })
		if left || c.By != "rook" && c.By != "osd-prepare" {
			continue
		}
		scaled := c.Kind == "deployments" && c.Verb == "update" && replicasOf(c.Object) == 0
		if c.Object != nil && (c.Verb == "create" || c.Verb == "update") && !scaled {
			r.shapes[c.Kind+" "+classOf(c.Name)] = normalized(shapeOf(c.Object), c)
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
		flatten("", c.Object, func(line string) {
			if strings.HasPrefix(line, "spec.template.spec.containers[mon].args[]=--public-addr=") {
				text = line
			}
		})
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

// facts are what is kept of an object, in the order of the object: its labels, owners, keys, selectors and ports, and of a daemon its
// containers with their commands, their args and the names of their environment.
var facts = regexp.MustCompile(`^(metadata\.(labels\.|ownerReferences.*\.(kind|controller)=|finalizers)|type=|data\.|ports.*\.port=|` +
	`spec\.(selector\.|ports.*\.port=|cephConnectionRef\.|cephFs\.|rbd\.)|spec\.template\.(metadata\.labels\.|spec\.(serviceAccountName=|` +
	`(initContainers|containers)\[[^]]*\](=|\.(command|args)|\.ports.*\.containerPort=|\.env\[[^]]*\]=))))`)

// shapeOf returns the facts of an object that do not change from one write to the next.
func shapeOf(object map[string]any) []string {
	var lines []string
	flatten("", object, func(line string) {
		if facts.MatchString(line) {
			lines = append(lines, line)
		}
	})
	return lines
}

// flatten tells each value with the path to it; an item of a list that has a name is told by it.
func flatten(path string, v any, tell func(line string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			flatten(strings.TrimPrefix(path+"."+key, "."), v[key], tell)
		}
	case []any:
		if strings.HasSuffix(path, ".env") {
			slices.SortFunc(v, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		for _, item := range v {
			named, _ := item.(map[string]any)
			name, _ := named["name"].(string)
			if name != "" {
				tell(path + "[" + name + "]=")
			}
			flatten(path+"["+name+"]", item, tell)
		}
	default:
		text := fmt.Sprint(v)
		var inside any
		switch {
		case jsonKeys.MatchString(path) && json.Unmarshal([]byte(text), &inside) == nil:
			flatten(path, inside, tell)
			text = ""
		case dataKeys.MatchString(path):
			text = ""
		case strings.Contains(text, "\n"), strings.HasPrefix(text, "<script"):
			text = "<script>"
		}
		tell(path + "=" + text)
	}
}

// What dataKeys hold is not told, but for the JSON of jsonKeys, which is alike in every cluster.
var (
	dataKeys = regexp.MustCompile(`^data\.[^.]+$`)
	jsonKeys = regexp.MustCompile(`^data\.(status|csi-cluster-config-json)$`)
)

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// normalized takes out what names one daemon or one cluster.
func normalized(lines []string, c call) []string {
	id := textAt(c.Object, "metadata", "labels", "ceph_daemon_id")
	for i, fact := range lines {
		fact = uuidPattern.ReplaceAllString(addressPattern.ReplaceAllString(fact, "ADDRESS"), "UUID")
		if id != "" {
			fact = regexp.MustCompile(`(=|ceph-|mon-)`+id+`($|/)`).ReplaceAllString(fact, "${1}ID$2")
		}
		lines[i] = fact
	}
	// How many addresses are listed depends on the story.
	return slices.Compact(lines)
}

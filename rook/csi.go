package rook

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	csiMonitorsKey = "monitors"
	// mostNested is deeper than the config of CSI goes: each level takes many times its one character.
	mostNested = 32
)

// CorrectCSIConfig replaces the addresses under "monitors" in a csi-cluster-config-json and says whether there were any
// to replace. It splices them into the text, so that all else (unknown keys, their order, how numbers are written, white
// space) stays to the byte.
func CorrectCSIConfig(text string, r Replacements) (string, bool, error) {
	return CorrectCSIConfigs(text, func(string) Replacements { return r })
}

// CorrectCSIConfigs does so for the clusters of a whole operator, each by the replacements of its namespace, which is its ID or,
// of a part of a cluster, stands beside its ID.
func CorrectCSIConfigs(text string, of func(namespace string) Replacements) (string, bool, error) {
	if text == "" {
		return text, false, nil
	}
	clusters, err := csiClusters(text)
	if err != nil {
		return text, false, fmt.Errorf("read %s: %w", EndpointsCSIKey, err)
	}
	var out strings.Builder
	done := 0
	for _, c := range clusters {
		r := of(cmp.Or(c.namespace, c.id)).among(standsIn(c.texts()))
		for _, m := range c.monitors {
			replaced, ok := r.replace(m.value)
			if !ok {
				continue
			}
			quoted, err := json.Marshal(replaced)
			if err != nil {
				return text, false, fmt.Errorf("write a monitor into %s: %w", EndpointsCSIKey, err)
			}
			out.WriteString(text[done:m.start])
			out.Write(quoted)
			done = m.end
		}
	}
	if done == 0 {
		return text, false, nil
	}
	out.WriteString(text[done:])
	return out.String(), true, nil
}

// csiCluster is an entry of the list.
type csiCluster struct {
	id, namespace string
	monitors      []jsonString
}

func (c csiCluster) texts() []string {
	var texts []string
	for _, m := range c.monitors {
		texts = append(texts, m.value)
	}
	return texts
}

// jsonString is a string of a JSON document and where its text stands there, quotes included.
type jsonString struct {
	value      string
	start, end int
}

func csiClusters(text string) ([]csiCluster, error) {
	d := json.NewDecoder(strings.NewReader(text))
	var clusters []csiCluster
	var stack jsonPath
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if before == 0 || len(stack) > 0 {
				return nil, io.ErrUnexpectedEOF
			}
			return clusters, nil
		}
		if err != nil {
			return nil, err
		}
		if token == json.Delim('{') && len(stack) == 1 && !stack[0].object {
			clusters = append(clusters, csiCluster{})
		}
		if value, isString := token.(string); isString && len(clusters) > 0 {
			last, end := &clusters[len(clusters)-1], int(d.InputOffset())
			switch {
			case stack.isCSIMonitor():
				last.monitors = append(last.monitors, jsonString{value: value, start: before + strings.IndexByte(text[before:end], '"'), end: end})
			case stack.isValueOfCluster("clusterID"):
				last.id = value
			case stack.isValueOfCluster("namespace"):
				last.namespace = value
			}
		}
		stack.take(token)
		if len(stack) > mostNested {
			return nil, fmt.Errorf("it is nested deeper than %d levels", mostNested)
		}
		if token == json.Delim('}') && len(stack) == 1 && !stack[0].object && len(clusters[len(clusters)-1].monitors) == 0 {
			clusters = clusters[:len(clusters)-1]
		}
	}
}

// jsonPath is where in a JSON document a decoder stands: the arrays and objects around it, the outermost first.
type jsonPath []jsonLevel

type jsonLevel struct {
	object bool
	// key is the last key of an object, and value says that its value is next.
	key   string
	value bool
}

func (p jsonPath) isCSIMonitor() bool {
	return len(p) == 3 && !p[0].object && p[1].object && p[1].key == csiMonitorsKey && !p[2].object
}

func (p jsonPath) isValueOfCluster(key string) bool {
	return len(p) == 2 && !p[0].object && p[1].value && p[1].key == key
}

func (p *jsonPath) take(token json.Token) {
	if token == json.Delim(']') || token == json.Delim('}') {
		*p = (*p)[:len(*p)-1]
		return
	}
	if len(*p) > 0 && (*p)[len(*p)-1].object {
		top := &(*p)[len(*p)-1]
		if !top.value {
			top.key, _ = token.(string)
			top.value = true
			return
		}
		top.value = false
	}
	if token == json.Delim('[') || token == json.Delim('{') {
		*p = append(*p, jsonLevel{object: token == json.Delim('{')})
	}
}

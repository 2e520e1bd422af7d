package rook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const csiMonitorsKey = "monitors"

// CorrectCSIConfig replaces the addresses under "monitors" in a csi-cluster-config-json and says whether there were any
// to replace. It splices them into the text, so that all else (unknown keys, their order, how numbers are written, white
// space) stays to the byte.
func CorrectCSIConfig(text string, r Replacements) (string, bool, error) {
	if text == "" {
		return text, false, nil
	}
	monitors, err := csiMonitors(text)
	if err != nil {
		return text, false, fmt.Errorf("read %s: %w", EndpointsCSIKey, err)
	}
	var out strings.Builder
	done := 0
	for _, m := range monitors {
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
	if done == 0 {
		return text, false, nil
	}
	out.WriteString(text[done:])
	return out.String(), true, nil
}

// jsonString is a string of a JSON document and where its text stands there, quotes included.
type jsonString struct {
	value      string
	start, end int
}

// csiMonitors returns the monitors of every cluster of the list: the strings at [i].monitors[j].
func csiMonitors(text string) ([]jsonString, error) {
	d := json.NewDecoder(strings.NewReader(text))
	var monitors []jsonString
	var stack jsonPath
	for {
		before := int(d.InputOffset())
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if before == 0 || len(stack) > 0 {
				return nil, io.ErrUnexpectedEOF
			}
			return monitors, nil
		}
		if err != nil {
			return nil, err
		}
		value, isString := token.(string)
		if isString && stack.isCSIMonitor() {
			end := int(d.InputOffset())
			monitors = append(monitors, jsonString{value: value, start: before + strings.IndexByte(text[before:end], '"'), end: end})
		}
		stack.take(token)
	}
}

// jsonPath is where in a JSON document a decoder stands: the arrays and objects around it, the outermost first.
type jsonPath []jsonLevel

type jsonLevel struct {
	object bool
	// last is the last string that was read at this level. Before an array or an object that is always its key.
	last string
}

func (p jsonPath) isCSIMonitor() bool {
	return len(p) == 3 && !p[0].object && p[1].object && p[1].last == csiMonitorsKey && !p[2].object
}

func (p *jsonPath) take(token json.Token) {
	switch token {
	case json.Delim('['), json.Delim('{'):
		*p = append(*p, jsonLevel{object: token == json.Delim('{')})
		return
	case json.Delim(']'), json.Delim('}'):
		*p = (*p)[:len(*p)-1]
	}
	if text, ok := token.(string); ok && len(*p) > 0 {
		(*p)[len(*p)-1].last = text
	}
}

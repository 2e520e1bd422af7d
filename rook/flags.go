package rook

import (
	"cmp"
	"strings"
)

// setting is a flag as it should stand in the arguments of a daemon.
type setting struct {
	name, value string
	// keep lets a value that stands already win over ours.
	keep bool
}

// set returns the arguments with each setting in them exactly once: in the place where its flag stood first, else at
// the end. It says no where a flag stands without its value: such arguments are not understood, so not touched.
func set(args []string, settings ...setting) ([]string, bool) {
	start, end := flagRegion(args)
	out := append(make([]string, 0, len(args)+len(settings)), args[:start]...)
	places := make([]int, len(settings))
	kept := make([]string, len(settings))
	for i := start; i < end; i++ {
		s := settingOf(args[i], settings)
		if s < 0 {
			out = append(out, args[i])
			continue
		}
		value, width, ok := valueAt(args[:end], i)
		if !ok {
			return nil, false
		}
		if places[s] == 0 {
			out = append(out, "")
			places[s] = len(out)
		}
		if settings[s].keep {
			kept[s] = value
		}
		i += width - 1
	}
	for s, place := range places {
		if place == 0 {
			out = append(out, "")
			place = len(out)
		}
		out[place-1] = settings[s].name + "=" + cmp.Or(kept[s], settings[s].value)
	}
	return append(out, args[end:]...), true
}

// flagValue returns what a flag is set to. Where it stands more than once the last one counts, as it does for Ceph.
func flagValue(args []string, name string) (string, bool) {
	start, end := flagRegion(args)
	var found string
	var ok bool
	for i := start; i < end; i++ {
		if !isFlag(args[i], name) {
			continue
		}
		if v, _, complete := valueAt(args[:end], i); complete {
			found, ok = v, true
		}
	}
	return found, ok
}

// flagRegion returns where the flags of a Ceph daemon stand in its arguments. Those of Rook's own binary come first
// (`ceph osd start -- `, the legacy OSDs on LVM), and after another `--` Ceph itself looks for no flags.
func flagRegion(args []string) (start, end int) {
	if len(args) > 3 && args[0] == "ceph" && args[1] == "osd" && args[2] == "start" && args[3] == "--" {
		start = 4
	}
	for i, arg := range args[start:] {
		if arg == "--" {
			return start, start + i
		}
	}
	return start, len(args)
}

func settingOf(arg string, settings []setting) int {
	for i := range settings {
		if isFlag(arg, settings[i].name) {
			return i
		}
	}
	return -1
}

// isFlag says whether the argument is the flag, with or without a value. Ceph takes - and _ within the name for the same.
func isFlag(arg, name string) bool {
	if len(arg) < len(name) || !strings.HasPrefix(arg, "--") {
		return false
	}
	for i := 2; i < len(name); i++ {
		if arg[i] != name[i] && (arg[i] != '_' || name[i] != '-') {
			return false
		}
	}
	return len(arg) == len(name) || arg[len(name)] == '='
}

// valueAt returns the value of the flag at args[i], and how many arguments the two take. Another flag is not a value.
func valueAt(args []string, i int) (value string, width int, ok bool) {
	if _, inline, ok := strings.Cut(args[i], "="); ok {
		return inline, 1, true
	}
	if i+1 == len(args) || strings.HasPrefix(args[i+1], "-") {
		return "", 1, false
	}
	return args[i+1], 2, true
}

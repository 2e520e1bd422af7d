// Command release packs what a release has besides the chart and the images: an archive of the kubectl plugin for each platform, a bill
// of materials of the programs in them, and the checksums of everything. The same programs give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pluginName is what kubectl looks for in the PATH to run `kubectl rook-clusterset`.
const pluginName = "kubectl-rook_clusterset"

// program is a build for one platform.
type program struct {
	os, arch, path string
}

// name is that of the program inside of its archive.
func (p program) name() string {
	if p.os == "windows" {
		return pluginName + ".exe"
	}
	return pluginName
}

func main() {
	programs := flag.String("programs", "", "directory with a program in OS-ARCH/ for each platform")
	license := flag.String("license", "LICENSE", "licence")
	version := flag.String("version", "", "version of the release")
	at := flag.Int64("time", 0, "time of the release in seconds since the epoch")
	out := flag.String("o", "dist", "directory of the release")
	flag.Parse()
	if err := run(*programs, *license, *version, time.Unix(*at, 0).UTC(), *out); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(dir, license, version string, at time.Time, out string) error {
	programs, err := find(dir)
	if err != nil {
		return err
	}
	terms, err := os.ReadFile(license)
	if err != nil {
		return fmt.Errorf("read the licence: %w", err)
	}
	for _, p := range programs {
		if err := archive(p, terms, version, at, out); err != nil {
			return fmt.Errorf("pack the plugin for %s on %s: %w", p.os, p.arch, err)
		}
	}
	if err := writeBill(programs, version, at, filepath.Join(out, "rook-clusterset-"+version+".spdx.json")); err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	return writeChecksums(out)
}

// find returns the programs below a directory, one to each platform, in the order of their platforms.
func find(dir string) ([]program, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*-*", "*"))
	if err != nil {
		return nil, fmt.Errorf("look for programs in %s: %w", dir, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no program is in %s", dir)
	}
	slices.Sort(paths)
	var programs []program
	for _, path := range paths {
		system, arch, _ := strings.Cut(filepath.Base(filepath.Dir(path)), "-")
		programs = append(programs, program{os: system, arch: arch, path: path})
	}
	return programs, nil
}

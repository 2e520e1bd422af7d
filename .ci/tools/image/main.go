// Command image packs a static program as a container image, without a container engine or a base image. What it writes
// is an OCI archive that `docker load` understands as well, and the same bytes give the same archive.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	binary := flag.String("binary", "bin/rook-clusterset", "static program")
	license := flag.String("license", "LICENSE", "licence")
	arch := flag.String("arch", "amd64", "architecture of the program")
	reference := flag.String("reference", "", "name of the image, with its tag")
	out := flag.String("o", "bin/rook-clusterset-image.tar", "archive to write")
	flag.Parse()
	if err := run(*binary, *license, *arch, *reference, *out); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(binary, license, arch, reference, out string) error {
	files, err := contents(binary, license)
	if err != nil {
		return err
	}
	image, err := build(files, arch, reference)
	if err != nil {
		return fmt.Errorf("build the image: %w", err)
	}
	if err := writeArchive(out, image, reference); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	info, err := os.Stat(out)
	if err != nil {
		return fmt.Errorf("measure %s: %w", out, err)
	}
	fmt.Printf("%s: %s@%s, %.1f MB\n", out, reference, digest, float64(info.Size())/1e6)
	return nil
}

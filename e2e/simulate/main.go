// Command simulate tells seeded stories: models of Rook and of an MCS implementation, two replicas of ours with caches that
// are behind, and their leader, in virtual time. What happens next is chosen by the seed, so that a story that ends badly can
// be told again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"
)

func main() {
	schedules := flag.Int("schedules", 2000, "how many stories")
	first := flag.Uint64("first", 1, "the seed of the first")
	seed := flag.Uint64("seed", 0, "tell the story of this seed, in words")
	workers := flag.Int("workers", runtime.NumCPU(), "how many at once")
	enough := flag.Int("bad", 5, "after how many that end badly to stop")
	profile := flag.String("profile", "", "file for a CPU profile")
	flag.Parse()
	debug.SetGCPercent(3000)
	debug.SetMemoryLimit(2 << 30)
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		_ = pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	if *seed != 0 {
		os.Exit(retell(*seed))
	}
	started := time.Now()
	s, err := playAll(context.Background(), *first, *schedules, *workers, guards{}, *enough)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	took := time.Since(started)
	fmt.Printf("%d stories, seeds %d to %d, in %s (%s for each on a core)\n", s.played, *first, *first+uint64(*schedules)-1,
		took.Round(time.Millisecond), (took * time.Duration(*workers) / time.Duration(max(1, s.played))).Round(10*time.Microsecond))
	fmt.Println(s.faultsText())
	for _, bad := range s.bad {
		fmt.Printf("seed %d: %s\n", bad.seed, bad.violation)
	}
	if len(s.bad) > 0 {
		pprof.StopCPUProfile()
		retell(s.bad[0].seed)
		os.Exit(1)
	}
}

// retell prints a story, and returns the code to exit with.
func retell(seed uint64) int {
	rules, err := newCacheRules()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	o := play(context.Background(), seed, rules, guards{}, true)
	fmt.Printf("the story of seed %d:\n%s\n", seed, strings.Join(o.story, "\n"))
	if o.violation != "" {
		fmt.Printf("seed %d: %s\n", seed, o.violation)
		return 1
	}
	return 0
}

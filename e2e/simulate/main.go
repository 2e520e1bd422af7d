// Command simulate tells seeded stories: models of Rook and of an MCS implementation, two replicas of ours with caches that
// are behind, and their leader, in virtual time. What happens next is chosen by the seed, so that a story that ends badly can
// be told again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"
)

func main() {
	schedules := flag.Int("schedules", 2000, "how many stories")
	first := flag.Uint64("first", 1, "the seed of the first")
	seed := flag.Uint64("seed", 0, "tell the story of this seed, in words")
	often := flag.String("often", "", "faults that are to be likelier, by their names with commas between; other stories come of it")
	workers := flag.Int("workers", runtime.NumCPU(), "how many at once")
	enough := flag.Int("bad", 5, "after how many that end badly to stop")
	flag.Parse()
	rules, err := newCacheRules()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	likelier := strings.FieldsFunc(*often, func(r rune) bool { return r == ',' })
	if *seed != 0 {
		os.Exit(retell(*seed, likelier, rules))
	}
	started := time.Now()
	// Whoever has no time for the rest is told of what there is.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	s := playAll(ctx, *first, likelier, rules, *schedules, *workers, *enough, func(bad outcome) {
		fmt.Fprintf(os.Stderr, "seed %d: %s\n", bad.seed, bad.violation)
	})
	stop()
	took := time.Since(started)
	fmt.Printf("%d stories, seeds %d to %d, in %s (%s for each on a core)\n", s.played, *first, *first+uint64(s.played)-1,
		took.Round(time.Millisecond), (took * time.Duration(*workers) / time.Duration(max(1, s.played))).Round(10*time.Microsecond))
	fmt.Println(s.faultsText())
	for _, bad := range s.bad {
		fmt.Printf("seed %d: %s\n", bad.seed, bad.violation)
	}
	if len(s.bad) > 0 {
		retell(s.bad[0].seed, likelier, rules)
		os.Exit(1)
	}
}

// retell prints a story, and returns the code to exit with.
func retell(seed uint64, often []string, rules *cacheRules) int {
	o := play(context.Background(), seed, often, rules, true)
	fmt.Printf("the story of seed %d:\n%s\n", seed, strings.Join(o.story, "\n"))
	if o.violation != "" {
		fmt.Printf("seed %d: %s\n", seed, o.violation)
		return 1
	}
	return 0
}

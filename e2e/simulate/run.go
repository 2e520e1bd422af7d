package main

import (
	"context"
	"fmt"
)

// stepsOfAStory is how long a story is before its end.
const stepsOfAStory = 80

// outcome is how a story ended.
type outcome struct {
	seed uint64
	// violation is empty where all went well.
	violation string
	faults    map[string]int
	story     []string
}

// play tells the story of a seed; its words are kept only if they are asked for.
func play(ctx context.Context, seed uint64, often []string, rules *cacheRules, inWords bool) (o outcome) {
	o.seed = seed
	var story *[]string
	if inWords {
		story = &o.story
	}
	defer func() {
		if cause := recover(); cause != nil {
			if inWords {
				panic(cause)
			}
			o.violation = fmt.Sprintf("panic: %v", cause)
		}
	}()
	w, err := newWorld(ctx, seed, often, rules, story)
	if err != nil {
		o.violation = err.Error()
		return o
	}
	o.faults = w.faults
	// Some stories have a cluster that is well before anything goes wrong.
	calm := 0
	if w.rng.IntN(2) == 0 {
		calm = 40
	}
	for i := range stepsOfAStory {
		w.faulty = i >= calm
		w.step(ctx)
		w.check()
		if w.violation != "" {
			break
		}
	}
	if w.violation == "" {
		w.end(ctx)
	}
	o.violation = w.violation
	return o
}

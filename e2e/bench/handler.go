package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// handlerVariable asks the test beside the handler for its timed part.
const handlerVariable = "ROOK_CLUSTERSET_BENCH"

// handlerRow stands before each row that it logs.
const handlerRow = "row: "

// measureHandler runs the benchmark that stands beside the handler, for it reaches into its package.
func measureHandler(ctx context.Context, r *measure.Report) error {
	root, err := assets.ModuleRoot(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-benchtime=300ms", "-run", "^TestTheHandlerCostsNoMoreThanOneThatDoesNothing$", "./webhook")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), handlerVariable+"=1")
	out, failed := cmd.CombinedOutput()
	rows := [][]string{{"", "", "time", "allocations", "time to that of the one that does nothing"}}
	for line := range strings.Lines(string(out)) {
		if _, logged, ok := strings.Cut(line, handlerRow); ok {
			rows = append(rows, strings.Split(strings.TrimSpace(logged), "|"))
		}
	}
	if len(rows) == 1 {
		return fmt.Errorf("run the benchmark of the handler: %w: %s", failed, out)
	}
	r.Table("The admission handler alone, for an OSD of real size whose address is known", rows...)
	if failed != nil {
		fmt.Fprintf(r.Out, "%s\n", out)
	}
	r.Verdict(failed == nil, "time of the handler at most 1.15 times that of the one that does nothing, and fewer allocations")
	return nil
}

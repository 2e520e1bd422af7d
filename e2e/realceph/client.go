package realceph

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Client runs a program of Ceph, the first of args, where a cluster can be reached with a ceph.conf and a keyring that
// are its own, and returns what the program wrote to its standard output. What was run, and what the program wrote to its
// standard error, belongs into the error.
type Client interface {
	Run(ctx context.Context, stdin io.Reader, args ...string) (string, error)
}

// run runs a program that has nothing to tell.
func run(ctx context.Context, c Client, args ...string) error {
	_, err := c.Run(ctx, nil, args...)
	return err
}

// runJSON runs a program that answers in JSON.
func runJSON(ctx context.Context, c Client, into any, args ...string) error {
	out, err := c.Run(ctx, nil, append(args, "--format", "json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		return fmt.Errorf("read what %s answered: %w", strings.Join(args, " "), err)
	}
	return nil
}

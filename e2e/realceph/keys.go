package realceph

import (
	"context"
	"fmt"
	"strings"
)

// CreateKey returns the key of an entity, which is made if it is missing: caps are pairs of a daemon type and what is
// allowed there.
func CreateKey(ctx context.Context, c Client, entity string, caps ...string) (string, error) {
	out, err := c.Run(ctx, nil, append([]string{"ceph", "auth", "get-or-create-key", entity}, caps...)...)
	if err != nil {
		return "", fmt.Errorf("create the key of %s: %w", entity, err)
	}
	return strings.TrimSpace(out), nil
}

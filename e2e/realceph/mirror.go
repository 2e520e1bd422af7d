package realceph

import (
	"context"
	"fmt"
	"strings"
)

// EnableMirroring lets the images of a pool be mirrored if they have a journal.
func EnableMirroring(ctx context.Context, c Client, pool, site string) error {
	if _, err := c.Run(ctx, nil, "rbd", "mirror", "pool", "enable", "--site-name", site, pool, "pool"); err != nil {
		return fmt.Errorf("enable the mirroring of pool %s: %w", pool, err)
	}
	return nil
}

// BootstrapToken returns what a peer needs to mirror from this cluster.
func BootstrapToken(ctx context.Context, c Client, pool, site string) (string, error) {
	out, err := c.Run(ctx, nil, "rbd", "mirror", "pool", "peer", "bootstrap", "create", "--site-name", site, pool)
	if err != nil {
		return "", fmt.Errorf("create the bootstrap token of pool %s: %w", pool, err)
	}
	return strings.TrimSpace(out), nil
}

// ImportToken makes the cluster that the token is from a peer of this one, in both directions.
func ImportToken(ctx context.Context, c Client, pool, site, token string) error {
	_, err := c.Run(ctx, strings.NewReader(token), "rbd", "mirror", "pool", "peer", "bootstrap", "import",
		"--site-name", site, "--direction", "rx-tx", pool, "-")
	if err != nil {
		return fmt.Errorf("import a bootstrap token for pool %s: %w", pool, err)
	}
	return nil
}

// MirrorState is how the mirroring of an image goes, as one side sees it.
type MirrorState struct {
	// State is up+replaying on the side that receives and up+stopped on the side that is written to.
	State       string `json:"state"`
	Description string `json:"description"`
}

// GetMirrorState returns how the mirroring of an image goes.
func GetMirrorState(ctx context.Context, c Client, pool, image string) (MirrorState, error) {
	var state MirrorState
	err := runJSON(ctx, c, &state, "rbd", "mirror", "image", "status", pool+"/"+image)
	return state, err
}

// Demote makes an image one that is not written to any more.
func Demote(ctx context.Context, c Client, pool, image string) error {
	if _, err := c.Run(ctx, nil, "rbd", "mirror", "image", "demote", pool+"/"+image); err != nil {
		return fmt.Errorf("demote image %s/%s: %w", pool, image, err)
	}
	return nil
}

// Promote makes an image one that is written to; the other side must have been demoted, and this one must know it.
func Promote(ctx context.Context, c Client, pool, image string) error {
	if _, err := c.Run(ctx, nil, "rbd", "mirror", "image", "promote", pool+"/"+image); err != nil {
		return fmt.Errorf("promote image %s/%s: %w", pool, image, err)
	}
	return nil
}

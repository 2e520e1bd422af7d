package realceph

import (
	"context"
	"fmt"
)

// MuteDebian mutes what is always amiss with Ceph of Debian: modules of the mgr that miss Python packages. Nothing here
// needs any of them.
func MuteDebian(ctx context.Context, c Client) error {
	for _, code := range []string{"MGR_MODULE_DEPENDENCY", "MGR_MODULE_ERROR", "RECENT_MGR_MODULE_CRASH"} {
		if _, err := c.Run(ctx, nil, "ceph", "health", "mute", code, "--sticky"); err != nil {
			return fmt.Errorf("mute %s: %w", code, err)
		}
	}
	return nil
}

package node

import (
	"context"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
)

// The images in pause.tar and ceph.tar, which Assets makes.
const (
	PauseImage = "localhost/pause:e2e"
	CephImage  = "localhost/ceph:e2e"
)

// Assets returns the directory of the programs and of pause.tar, cert-manager.tar, ceph.tar and ceph-root; building them
// for the first time takes minutes and tells so.
func Assets(ctx context.Context) (string, error) { return assets.Build(ctx, assets.Nodes) }

package proof_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
)

const (
	// imageSize is in MiB; each write is a part of it.
	imageSize = 64
	writeSize = 16 << 20
	// syncTimeout bounds the wait for an image to be the same on both sides.
	syncTimeout = 4 * time.Minute
)

// disk is an image that is mirrored.
type disk struct{ pool, image string }

// isMirrored writes an image in east, sees it in west, fails over, writes in west and sees it in east.
func (p *proof) isMirrored(ctx context.Context, pt point) {
	east, west, d := p.eastCeph, p.westCeph, disk{pool: pool, image: "disk"}
	east.peerWith(ctx, pt, west, d.pool)
	for _, s := range []*site{west, east} {
		s.startMirror(ctx, pt)
	}
	pt.evidence("rbd-mirror runs as a pod in each cluster")

	require.NoError(pt, realceph.CreateImage(ctx, east.shell, d.pool, d.image, imageSize))
	written := p.write(ctx, pt, east, d, 0)
	began := time.Now()
	require.NoError(pt, west.gets(ctx, d, written))
	pt.evidence("16 MiB written in east are the same in west after %.0fs, SHA-256 %s...", time.Since(began).Seconds(), written[:16])

	began = time.Now()
	failing, end := context.WithTimeout(ctx, syncTimeout)
	defer end()
	require.NoError(pt, realceph.FailOver(failing, east.shell, west.shell, d.pool, d.image))
	pt.evidence("demoted in east, promoted in west, after %.0fs", time.Since(began).Seconds())

	written = p.write(ctx, pt, west, d, writeSize)
	began = time.Now()
	require.NoError(pt, east.gets(ctx, d, written))
	pt.evidence("16 MiB written in west are the same in east after %.0fs, SHA-256 %s...", time.Since(began).Seconds(), written[:16])
}

// peerWith makes two sites mirror the images of a pool.
func (s *site) peerWith(ctx context.Context, pt point, peer *site, pool string) {
	for _, each := range []*site{s, peer} {
		require.NoError(pt, realceph.EnableMirroring(ctx, each.shell, pool, each.name))
	}
	token := need(realceph.BootstrapToken(ctx, s.shell, pool, s.name))(pt)
	require.NoError(pt, realceph.ImportToken(ctx, peer.shell, pool, peer.name, token))
	pt.evidence("a bootstrap token of %s was imported in %s", s.name, peer.name)
}

// write writes random data into the image and returns the sum of the whole image.
func (p *proof) write(ctx context.Context, pt point, s *site, d disk, offset uint64) string {
	data := make([]byte, writeSize)
	need(rand.Read(data))(pt)
	require.NoError(pt, realceph.WriteImage(ctx, s.shell, d.pool, d.image, offset, data))
	written := need(realceph.ImageSum(ctx, s.shell, d.pool, d.image))(pt)
	return written
}

// gets waits until the image has the sum.
func (s *site) gets(ctx context.Context, d disk, sum string) error {
	return until(ctx, syncTimeout, func() error {
		got, err := realceph.ImageSum(ctx, s.shell, d.pool, d.image)
		if err == nil && got != sum {
			err = fmt.Errorf("image %s/%s of %s has the sum %s, and not %s", d.pool, d.image, s.name, got, sum)
		}
		return err
	})
}

// startMirror runs the mirror daemon of a site as Rook does.
func (s *site) startMirror(ctx context.Context, pt point) {
	daemon := need(realceph.MirrorDaemon(ctx, s.shell, s.namespace, node.CephImage))(pt)
	need(s.node.Kubectl(ctx, daemon, "apply", "-f", "-"))(pt)
	require.NoError(pt, s.rolledOut(ctx, s.namespace, "deployment/rook-ceph-rbd-mirror-a"))
}

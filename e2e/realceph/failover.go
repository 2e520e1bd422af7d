package realceph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const mirrorInterval = 500 * time.Millisecond

// AwaitMirroring waits until the receiving side of an image says that it replays and has nothing left to replay. Before
// that the image must not be demoted on the other side: who promotes an image whose demotion never arrived splits it.
func AwaitMirroring(ctx context.Context, receiver Client, pool, image string) error {
	return awaitMirror(ctx, receiver, pool, image, "replays all", func(s MirrorState) bool {
		return s.State == "up+replaying" && strings.Contains(s.Description, `"entries_behind_primary":0`)
	})
}

// AwaitDemotion waits until a side has heard that the other one has demoted the image.
func AwaitDemotion(ctx context.Context, receiver Client, pool, image string) error {
	return awaitMirror(ctx, receiver, pool, image, "knows of the demotion", func(s MirrorState) bool {
		return s.State == "up+unknown" && strings.Contains(s.Description, "remote image")
	})
}

// FailOver makes the receiving side the one that is written to, with nothing lost.
func FailOver(ctx context.Context, from, to Client, pool, image string) error {
	if err := AwaitMirroring(ctx, to, pool, image); err != nil {
		return err
	}
	if err := Demote(ctx, from, pool, image); err != nil {
		return err
	}
	if err := AwaitDemotion(ctx, to, pool, image); err != nil {
		return err
	}
	return Promote(ctx, to, pool, image)
}

// AwaitImage waits until an image has that SHA-256 sum.
func AwaitImage(ctx context.Context, c Client, pool, image, want string) error {
	var got string
	err := poll(ctx, func() (bool, error) {
		var err error
		got, err = ImageSum(ctx, c, pool, image)
		return got == want, err
	})
	if err != nil {
		return fmt.Errorf("wait until image %s/%s has the sum %s and not %s: %w", pool, image, want, got, err)
	}
	return nil
}

func awaitMirror(ctx context.Context, c Client, pool, image, what string, done func(MirrorState) bool) error {
	var state MirrorState
	err := poll(ctx, func() (bool, error) {
		var err error
		state, err = GetMirrorState(ctx, c, pool, image)
		return done(state), err
	})
	if err != nil {
		return fmt.Errorf("wait until the mirror of image %s/%s %s (it is %s: %s): %w", pool, image, what, state.State, state.Description, err)
	}
	return nil
}

// poll asks until it holds or the context ends; the error of the last time belongs to it then.
func poll(ctx context.Context, holds func() (bool, error)) error {
	for {
		ok, err := holds()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(mirrorInterval):
		}
	}
}

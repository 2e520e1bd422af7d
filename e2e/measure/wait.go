package measure

import (
	"context"
	"errors"
	"time"
)

// Until looks at each interval, at once for the first time, and returns when holds does or fails.
func Until(ctx context.Context, interval time.Duration, holds func() (bool, error)) error {
	for {
		done, err := holds()
		if done || err != nil {
			return err
		}
		if err := Pause(ctx, interval); err != nil {
			return err
		}
	}
}

// Pause returns after the time, or with an error when the context ends before.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("time ran out, or somebody interrupted"), context.Cause(ctx))
	case <-time.After(d):
		return nil
	}
}

package world

import (
	"context"
	"fmt"
	"time"
)

// Eventually asks again and again until check is content, and gives its last complaint when the time is over.
func Eventually(ctx context.Context, within time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := check(ctx)
	for last != nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", within, last)
		case <-tick.C:
		}
		if err := check(ctx); err == nil || ctx.Err() == nil {
			last = err
		}
	}
	return nil
}

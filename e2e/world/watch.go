package world

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Watch calls look with the shop's objects of a kind as they are now, and with every version that is stored from then on,
// in order and none left out, until ctx ends. list says which kind; it is used up. It returns when the watch has begun;
// the channel says how it ended: nil when ctx did.
func (s *Shop) Watch(ctx context.Context, list client.ObjectList, look func(client.Object)) (<-chan error, error) {
	w, err := s.World.Client.Watch(ctx, list, client.InNamespace(s.Name))
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() {
		defer w.Stop()
		for event := range w.ResultChan() {
			if o, ok := event.Object.(client.Object); ok && event.Type != watch.Bookmark && event.Type != watch.Error {
				look(o)
				continue
			}
			if ctx.Err() == nil {
				ended <- fmt.Errorf("the watch says %s: %v", event.Type, event.Object)
				return
			}
			break
		}
		if ctx.Err() == nil {
			ended <- fmt.Errorf("the API server ended the watch")
			return
		}
		ended <- nil
	}()
	return ended, nil
}

// Throughout asks again and again and gives the first complaint; nil when there was none in all this time.
func Throughout(ctx context.Context, while time.Duration, check func(context.Context) error) error {
	over := time.NewTimer(while)
	defer over.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := check(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over.C:
			return nil
		case <-tick.C:
		}
	}
}

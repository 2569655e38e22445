package command

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
)

// redrawEvery keeps ages and remaining times moving while nothing else changes.
const redrawEvery = time.Second

func (g getter) watchOne(ctx context.Context) error {
	watched := gather.Around(ctx, g.c, g.namespace, g.name)
	read := func(ctx context.Context) (view.Tree, error) {
		return gather.Tree(ctx, g.c, g.namespace, g.name, g.env.Now())
	}
	draw := func(t view.Tree) string {
		t.Now = g.env.Now()
		return view.Render(t, g.env.options())
	}
	lines := newLines(g)
	return follow(ctx, g, watched, read, draw, func(t view.Tree) error { return lines.print([]v1alpha1.Rollout{*t.Rollout}) })
}

func (g getter) watchAll(ctx context.Context) error {
	lines := newLines(g)
	return follow(ctx, g, []gather.Watched{gather.Rollouts(g.selected()...)}, g.list, g.table, lines.print)
}

// follow draws in place on a terminal and prints lines elsewhere, until it is interrupted or the object is gone.
func follow[T any](ctx context.Context, g getter, watched []gather.Watched,
	read func(context.Context) (T, error), draw func(T) string, print func(T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	values, ended := make(chan T), make(chan error, 1)
	go func() {
		seen := false
		ended <- gather.Follow(ctx, g.c, watched, read, func(value T, err error) (bool, error) {
			switch {
			case err == nil:
				seen = true
			case !seen || apierrors.IsNotFound(err) || apierrors.IsForbidden(err):
				return false, g.asked("get").explain(ctx, err)
			default:
				// The server is away for a moment; what was drawn last still stands.
				fmt.Fprintln(g.env.Streams.ErrOut, "still trying:", err)
				return false, nil
			}
			select {
			case values <- value:
			case <-ctx.Done():
			}
			return false, nil
		})
	}()
	if width, _ := g.env.Size(); width == 0 {
		for {
			select {
			case value := <-values:
				if err := print(value); err != nil {
					return err
				}
			case err := <-ended:
				return err
			}
		}
	}
	return redraw(g, values, ended, draw)
}

func redraw[T any](g getter, values <-chan T, ended <-chan error, draw func(T) string) error {
	screen := view.NewScreen(g.env.out(), func() int { _, height := g.env.Size(); return height })
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	var last T
	known := false
	for {
		select {
		case last = <-values:
			known = true
		case <-ticker.C:
		case err := <-ended:
			return err
		}
		if !known {
			continue
		}
		if err := screen.Draw(draw(last)); err != nil {
			return err
		}
	}
}

// lines remembers what was printed of each Rollout.
type lines struct {
	g    getter
	last map[types.NamespacedName]*v1alpha1.Rollout
}

func newLines(g getter) *lines {
	return &lines{g: g, last: map[types.NamespacedName]*v1alpha1.Rollout{}}
}

func (l *lines) print(rollouts []v1alpha1.Rollout) error {
	present := map[types.NamespacedName]*v1alpha1.Rollout{}
	for i := range rollouts {
		r := &rollouts[i]
		key := types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
		present[key] = r
		for _, text := range view.Changes(l.last[key], r, l.g.env.Now()) {
			if _, err := fmt.Fprintln(l.g.env.out(), text); err != nil {
				return err
			}
		}
	}
	for key := range l.last {
		if present[key] == nil {
			if _, err := fmt.Fprintf(l.g.env.out(), "%s  %s  deleted\n", l.g.env.Now().UTC().Format("15:04:05"), key); err != nil {
				return err
			}
		}
	}
	l.last = present
	return nil
}

package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// ladder of the shops whose releases are counted.
const ladder = "[{weight: 10, bake: 3s}, {weight: 50, bake: 3s}, {weight: 100, bake: 3s}]"

// failures ships bad releases and measures how fast traffic and Git follow the verdict.
func (b *bench) failures(ctx context.Context) ([]Figure, error) {
	for i := range b.Shops {
		b.Say("opening shop %d of %d", i+1, b.Shops)
		s, err := b.open(ctx, world.ShopOptions{Name: fmt.Sprintf("shop-%d", i+1), Steps: ladder})
		if err != nil {
			return nil, err
		}
		b.shops = append(b.shops, s)
	}
	err := together(b.shops, func(s *shop) error {
		for range b.Bad {
			b.Say("%s: a bad release", s.Name)
			if err := s.ship(ctx, "shop:v3"); err != nil {
				return err
			}
			if err := s.withdrawn(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := b.audit.catchUp(); err != nil {
		return nil, err
	}
	var traffic, commit []time.Duration
	for _, s := range b.shops {
		for _, a := range s.diary.with(v1alpha1.OutcomeFailed) {
			if r, ok := b.audit.stored(a.ended, s.Name, "patch", "httproutes"); ok {
				traffic = append(traffic, r.answered.Sub(a.ended))
			}
			if at, ok := s.pushes.after(a.ended); ok {
				commit = append(commit, at.Sub(a.ended))
			}
		}
	}
	return []Figure{
		figure("verdict Fail → split cleared in the API", "≤ 250 ms", "ms", milliseconds(traffic)...),
		figure("verdict Fail → revert commit on the server", "≤ 2 s", "s", seconds(commit)...),
	}, nil
}

// release ships a good one in every shop and counts what is written.
func (b *bench) release(ctx context.Context) ([]Figure, error) {
	err := together(b.shops, func(s *shop) error {
		b.Say("%s: a good release", s.Name)
		if err := s.ship(ctx, "shop:v2"); err != nil {
			return err
		}
		if err := s.promoted(ctx, "shop:v2"); err != nil {
			return err
		}
		b.Say("%s: promoted; waits until the canary's Service is gone", s.Name)
		return s.atRest(ctx)
	})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := b.audit.catchUp(); err != nil {
		return nil, err
	}
	var steps, whole []map[string]int
	for _, s := range b.shops {
		for _, a := range s.diary.with(v1alpha1.OutcomePromoted) {
			whole = append(whole, tally(b.audit.between(a.started, now, s.Name)))
			for i := range a.steps {
				if from, until, ok := a.step(i); ok {
					steps = append(steps, tally(b.audit.between(from, until, s.Name)))
				}
			}
		}
	}
	return append(
		writes("API writes per step of a good release", "≤ 3 (2 and one per route)", steps),
		writes("API writes per good release of three steps", "", whole)...), nil
}

// writes sums tallies up: in total, and by kind, the most first.
func writes(name, target string, tallies []map[string]int) []Figure {
	kinds := map[string][]float64{}
	var totals []float64
	for i, t := range tallies {
		total := 0.0
		for kind, n := range t {
			if kinds[kind] == nil {
				kinds[kind] = make([]float64, len(tallies))
			}
			kinds[kind][i] = float64(n)
			total += float64(n)
		}
		totals = append(totals, total)
	}
	out := []Figure{figure(name, target, "", totals...)}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, figure("  "+kind, "", "", kinds[kind]...))
	}
	slices.SortStableFunc(out[1:], func(a, b Figure) int { return int(b.Median) - int(a.Median) })
	return out
}

// rest does nothing and counts what the controller does all the same.
func (b *bench) rest(ctx context.Context) ([]Figure, error) {
	b.Say("%d shops are at rest; nothing is done for %s", len(b.shops), b.Rest)
	before, err := usageOf(ctx, b.world.Belay.Metrics())
	if err != nil {
		return nil, err
	}
	from := time.Now()
	if err := b.sit(ctx); err != nil {
		return nil, err
	}
	until := time.Now()
	after, err := usageOf(ctx, b.world.Belay.Metrics())
	if err != nil {
		return nil, err
	}
	if err := b.audit.catchUp(); err != nil {
		return nil, err
	}
	var written, read, renewed, proofs float64
	for _, r := range b.audit.between(from, until, "") {
		switch {
		case r.kind == "leases":
		case r.dry:
			proofs++
		case r.writes():
			written++
			b.Say("at rest the controller wrote: %s %s in %q", r.verb, r.kind, r.namespace)
		case r.reads():
			read++
			b.Say("at rest the controller read: %s %s in %q", r.verb, r.kind, r.namespace)
		case r.verb == "watch":
			renewed++
		}
	}
	suffix := fmt.Sprintf(" at rest, %s, %d shops", b.Rest, len(b.shops))
	return []Figure{
		figure("API writes"+suffix, "0", "", written),
		figure("API reads"+suffix, "0", "", read),
		figure("  dry runs that prove Guarded", "", "", proofs),
		figure("  watches that the server ended, begun again", "", "", renewed),
		figure("  queries to Prometheus", "0", "", after.queries-before.queries),
		figure("  CPU of the controller per second", "", "ms", 1000*(after.cpu-before.cpu)/until.Sub(from).Seconds()),
	}, nil
}

// sit waits, and says so.
func (b *bench) sit(ctx context.Context) error {
	end := time.NewTimer(b.Rest)
	defer end.Stop()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-tick.C:
			b.Say("still at rest")
		}
	}
}

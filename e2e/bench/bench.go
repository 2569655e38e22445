package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/belay-dev/belay/e2e/world"
)

// Options of a run.
type Options struct {
	// Say gets a line for each thing that is done.
	Say func(format string, args ...any)
	// Shops that release at the same time.
	Shops int
	// Bad releases in each shop, one after the other.
	Bad int
	// Rest is how long nothing is done.
	Rest time.Duration
	// Rounds of the comparison with a plain Deployment.
	Rounds int
}

// bench is one run.
type bench struct {
	Options
	world    *world.World
	audit    audit
	meter    meter
	shops    []*shop
	rollouts int
}

// Run brings a world up, measures in it, and takes it down.
func Run(ctx context.Context, o Options) (Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := world.Start(ctx, world.Options{Say: o.Say, Audit: true, ClusterName: "bench"})
	if err != nil {
		return Report{}, err
	}
	defer w.Stop()
	b := &bench{Options: o, world: w, audit: audit{path: w.Cluster.AuditLog(), user: "system:serviceaccount:" + world.Namespace + ":belay"}}
	began := time.Now()
	b.meter.follow(ctx, w.Belay.Metrics())
	r := Report{Cores: runtime.NumCPU()}
	for _, measure := range []func(context.Context) ([]Figure, error){b.failures, b.release, b.rest, b.overhead, b.refused} {
		figures, err := measure(ctx)
		if err != nil {
			return r, fmt.Errorf("%w\n%s", err, w.Belay.LogTail())
		}
		r.Figures = append(r.Figures, figures...)
	}
	last, err := usageOf(ctx, w.Belay.Metrics())
	if err != nil {
		return r, err
	}
	r.Figures = append(r.Figures, b.meter.figures(last, time.Since(began))...)
	r.Rollouts, r.Seconds = b.rollouts, time.Since(began).Seconds()
	return r, nil
}

// Narrate makes an Options.Say that writes lines with the seconds since now.
func Narrate(w io.Writer) func(string, ...any) {
	began := time.Now()
	return func(format string, args ...any) {
		_, _ = fmt.Fprintf(w, "[%5.1f s] "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
}

// refused counts writes that the API server did not take, most of them because what they rested on had changed.
func (b *bench) refused(context.Context) ([]Figure, error) {
	if err := b.audit.catchUp(); err != nil {
		return nil, err
	}
	all, refused := 0, 0
	why := map[string]int{}
	for _, r := range b.audit.requests {
		if !r.writes() {
			continue
		}
		all++
		if r.code >= 400 {
			refused++
			why[fmt.Sprintf("%s %s %d", r.verb, r.kind, r.code)]++
		}
	}
	for _, what := range slices.Sorted(maps.Keys(why)) {
		b.Say("refused: %s, %d times", what, why[what])
	}
	return []Figure{
		figure("API writes over the whole run", "", "", float64(all)),
		figure("  of them refused by the server", "", "", float64(refused)),
	}, nil
}

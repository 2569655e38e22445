package backtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/latency"
	"github.com/belay-dev/belay/cmd/kubectl-belay/offline"
	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

// Ends of an attempt.
const (
	Promoted  = "Promoted"
	Failed    = "Failed"
	Undecided = "Undecided"
)

// Attempt that was replayed.
type Attempt struct {
	Start time.Time `json:"start"`
	// Ticks that it lasted.
	Ticks int    `json:"ticks"`
	End   string `json:"end"`
	// Culprit is the metric that failed it.
	Culprit string `json:"culprit,omitempty"`
	// Waited says which metrics had no Pass at the deadline of which step.
	Waited string `json:"waitedFor,omitempty"`
	// Requests of the canary, those of them that were bad, and those that were made bad.
	Requests int64 `json:"canaryRequests"`
	Bad      int64 `json:"canaryBad"`
	Spoilt   int64 `json:"madeBad,omitempty"`
}

// replay climbs the ladder again and again, one frame after the other.
type replay struct {
	plan    *Plan
	metrics []*metric
	tick    time.Duration
	past    *past
	random  *rand.Rand
	inject  *Injection
	ended   func(Attempt)
	looked  func(at time.Time, logE float64)

	judge   *offline.Judge // nil between attempts
	judged  []int          // the metrics that it has
	halves  *halves
	rung    int
	onRung  int
	changed bool
	now     Attempt
}

// add takes the next frame in, which begins at a moment.
func (r *replay) add(at time.Time, f frame) error {
	if r.judge == nil {
		if err := r.start(at); err != nil || r.judge == nil {
			return err
		}
	}
	each := make([]ticks.Tick, len(r.judged))
	for i, m := range r.judged {
		each[i] = r.split(f[m], r.metrics[m])
		each[i].WeightChanged = r.changed
	}
	r.changed = false
	r.now.Ticks++
	r.onRung++
	failed := r.judge.AddEach(each)
	r.looked(at, r.judge.LogE())
	switch {
	case failed:
		r.now.Culprit = *r.judge.Result().Culprit
		r.end(Failed)
	case r.onRung >= r.inTicks(r.bake()) && (r.judge.Verdict() == evidence.Pass || r.free()):
		r.climb()
	case r.onRung >= r.inTicks(r.deadline()):
		r.now.Waited = r.waited()
		r.end(Undecided)
	}
	return nil
}

// split also makes the fault, and counts what the attempt costs.
func (r *replay) split(pods []podTick, m *metric) ticks.Tick {
	buckets := 0
	if m.plan.Comparison.Latency {
		buckets = len(m.bounds) + 1
	}
	t := r.halves.split(pods, buckets, r.plan.ladder[r.rung].weight)
	if buckets > 0 {
		return t
	}
	if r.inject != nil {
		before := t.Canary.Bad
		r.halves.spoil(&t, r.inject.extra())
		r.now.Spoilt += t.Canary.Bad - before
	}
	r.now.Requests += t.Canary.Requests
	r.now.Bad += t.Canary.Bad
	return t
}

// start begins an attempt with whatever has data; nothing does: there is none.
func (r *replay) start(at time.Time) error {
	pods := r.past.running()
	var specs []offline.Spec
	r.judged = r.judged[:0]
	for i, m := range r.metrics {
		buckets := 0
		if m.plan.Comparison.Latency {
			buckets = len(m.bounds) + 1
		}
		requests, history := r.past.requests(i, buckets)
		if m.problem != "" || requests == 0 {
			continue
		}
		s := offline.Spec{Name: m.name(), Params: r.params(i, m, len(pods)), Unit: m.plan.Comparison.Unit}
		if buckets > 0 {
			s.Bounds, s.History = m.bounds, history
		}
		specs, r.judged = append(specs, s), append(r.judged, i)
	}
	if len(specs) == 0 {
		return nil
	}
	judge, err := offline.Of(specs...)
	if err != nil {
		return err
	}
	r.judge, r.halves = judge, newHalves(r.random, pods)
	r.rung, r.onRung, r.changed = 0, 0, false
	r.now = Attempt{Start: at}
	return nil
}

// waited names the metrics that have no Pass at this weight.
func (r *replay) waited() string {
	var names []string
	for _, m := range r.judge.Result().Metrics {
		if m.Verdict != offline.Pass {
			names = append(names, m.Name)
		}
	}
	return fmt.Sprintf("%s at %s", strings.Join(names, ", "), percent(r.plan.ladder[r.rung].weight))
}

// params with the dispersion that the controller would allow for.
func (r *replay) params(i int, m *metric, pods int) evidence.Params {
	p := m.plan.Comparison.Params
	p.TickSeconds = r.tick.Seconds()
	d := assumed(m)
	if !m.plan.Comparison.Latency && m.plan.Comparison.PodLabel != "" {
		if counts := r.past.pods(i); len(counts) > 1 {
			d = evidence.EstimateDispersion(counts)
		}
	}
	p.Phi, p.Noise = d.Phi, d.Noise(max(1, pods/2), max(1, pods-pods/2))
	return p
}

// assumed is the dispersion of pods that cannot be told apart.
func assumed(m *metric) evidence.Dispersion {
	if m.plan.Comparison.Latency {
		return latency.AssumedDispersion()
	}
	return evidence.AssumedDispersion()
}

func (r *replay) climb() {
	for r.rung++; r.rung < len(r.plan.ladder); r.rung++ {
		if step := r.plan.ladder[r.rung]; step.weight < 1 || step.bake > 0 {
			r.onRung, r.changed = 0, step.weight != r.plan.ladder[r.rung-1].weight
			return
		}
	}
	r.end(Promoted)
}

func (r *replay) end(how string) {
	r.now.End = how
	r.judge = nil
	r.ended(r.now)
}

// free: a ramp goes on without a Pass, up to its last weight.
func (r *replay) free() bool { return r.plan.ramp && r.rung < len(r.plan.ladder)-1 }

func (r *replay) bake() time.Duration { return r.plan.ladder[r.rung].bake }

func (r *replay) deadline() time.Duration {
	switch {
	case r.plan.deadline > 0:
		return r.plan.deadline
	case r.plan.ramp:
		return r.plan.rampMost
	}
	const fewest = 4
	return max(stepBakes*r.bake(), fewest*r.tick)
}

// inTicks rounds up, and is one tick at least.
func (r *replay) inTicks(d time.Duration) int { return max(1, int((d+r.tick-1)/r.tick)) }

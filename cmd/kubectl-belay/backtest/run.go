package backtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/samples"
)

// Options of Run.
type Options struct {
	Source Source
	// Until is the end of history, Last how far it goes back.
	Until time.Time
	Last  time.Duration
	Seed  uint64
	// Inject is nil without a fault.
	Inject *Injection
	// Progress is told how much of the work is done, from 0 to 1, and what is done now.
	Progress func(done float64, what string)
	// Picture asks for what an SVG is drawn of.
	Picture bool
}

// Run replays history.
func Run(ctx context.Context, p *Plan, o Options) (*Report, error) {
	if shortest := p.Length(); o.Last < 2*shortest || o.Last < hour/2 {
		return nil, fmt.Errorf("--last is %s: an attempt takes %s, and history must be twice as long and half an hour at least", short(o.Last), short(shortest))
	}
	b := &run{plan: p, o: o, start: o.Until.Add(-o.Last)}
	b.report = &Report{
		Namespace: p.Namespace, Name: p.Name, Since: b.start.UTC(), Until: o.Until.UTC(),
		Ladder: ladderText(p.ladder), Seed: o.Seed, Length: p.Length(), inject: o.Inject,
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	if err := b.replay(ctx); err != nil {
		return nil, err
	}
	if err := b.earlier(ctx); err != nil {
		return nil, err
	}
	for i, m := range p.thresholds {
		t, err := p.threshold(ctx, o.Source, m, b.start, o.Until, func() {})
		if err != nil {
			return nil, err
		}
		b.report.Thresholds = append(b.report.Thresholds, t)
		b.progress(float64(i+1)/float64(len(p.thresholds)), "threshold metrics")
	}
	b.describe()
	return b.report, nil
}

type run struct {
	plan    *Plan
	o       Options
	start   time.Time
	metrics []*metric
	grid    samples.Grid
	last    int64 // tick
	past    *past
	report  *Report
}

func (b *run) progress(done float64, what string) {
	if b.o.Progress != nil {
		b.o.Progress(done, what)
	}
}

// prepare finds the selectors, and from the latest hour how long a tick is and what buckets there are.
func (b *run) prepare(ctx context.Context) error {
	tick := time.Duration(0)
	var lag time.Duration
	for _, plan := range b.plan.compares {
		m := &metric{plan: plan, pods: map[string]bool{}}
		b.metrics = append(b.metrics, m)
		var err error
		if m.selectors, err = b.plan.selectors(plan, b.plan.vars); err != nil {
			m.problem = err.Error()
			continue
		}
		if !plan.Comparison.Latency && m.selectors.Errors == "" {
			m.problem = "a gauge: stable's halves have the same load whatever the weight, so there is nothing to replay"
			continue
		}
		s, err := m.read(ctx, b.o.Source, b.o.Until.Add(-hour), b.o.Until)
		if err != nil {
			return fmt.Errorf("metric %q: %w", m.name(), err)
		}
		tick = max(tick, samples.TickLength(plan.Interval, s.all()))
		lag = max(lag, samples.Lag(samples.ScrapeInterval(s.all())))
		if m.bounds = samples.Bounds(s.histogram, mostBuckets); plan.Comparison.Latency && len(m.bounds) == 0 {
			m.problem = "its histogram has no samples in the last hour"
		}
	}
	if len(b.metrics) == 0 {
		return nil
	}
	var err error
	if b.grid, err = samples.NewGrid(b.start, tick); err != nil {
		return err
	}
	b.last = b.grid.Complete(b.o.Until, lag) - 1
	b.past = &past{most: int(max(1, hour/tick))}
	b.report.Tick = tick
	return nil
}

// replay reads history chunk by chunk and hands it on frame by frame.
func (b *run) replay(ctx context.Context) error {
	if len(b.metrics) == 0 {
		return nil
	}
	replays := b.replays()
	step := int64(max(1, chunk/b.grid.Tick()))
	for first := int64(0); first <= b.last; first += step {
		last := min(first+step-1, b.last)
		frames, err := b.frames(ctx, first, last)
		if err != nil {
			return err
		}
		for k, f := range frames {
			for _, r := range replays {
				// As for a controller, there is an hour of the past before the first attempt.
				if len(b.past.frames) < min(b.past.most, int(b.last/4)) {
					break
				}
				if err := r.add(b.grid.Start(first+int64(k)), f); err != nil {
					return err
				}
			}
			b.past.add(f)
		}
		b.progress(float64(last+1)/float64(b.last+1), "history")
	}
	return nil
}

func (b *run) replays() []*replay {
	healthy := &b.report.Healthy
	out := []*replay{b.replayInto(1, nil, healthy)}
	if b.o.Inject != nil {
		b.report.Injected = &Outcomes{}
		out = append(out, b.replayInto(2, b.o.Inject, b.report.Injected))
	}
	return out
}

func (b *run) replayInto(stream uint64, inject *Injection, into *Outcomes) *replay {
	into.tick = b.grid.Tick()
	looked := func(time.Time, float64) {}
	if b.o.Picture {
		trace := newTrace(b.start, b.o.Until)
		into.trace, looked = trace, trace.look
	}
	return &replay{
		plan: b.plan, metrics: b.metrics, tick: b.grid.Tick(), past: b.past, inject: inject,
		random: rand.New(rand.NewPCG(b.o.Seed, stream)),
		ended:  func(a Attempt) { into.Attempts = append(into.Attempts, a) },
		looked: looked,
	}
}

// frames of some ticks of all metrics.
func (b *run) frames(ctx context.Context, first, last int64) ([]frame, error) {
	out := make([]frame, last-first+1)
	for k := range out {
		out[k] = make(frame, len(b.metrics))
	}
	for i, m := range b.metrics {
		if m.problem != "" {
			continue
		}
		s, err := m.read(ctx, b.o.Source, b.grid.ReadFrom(first), b.grid.End(last))
		if err != nil {
			return nil, fmt.Errorf("metric %q: %w", m.name(), err)
		}
		for k, pods := range m.ticks(b.grid, first, last, s) {
			out[k][i] = pods
		}
	}
	return out, nil
}

// describe says what history is like.
func (b *run) describe() {
	var alphas []evidence.Part
	for i, m := range b.metrics {
		d := assumed(m)
		if m.plan.Comparison.PodLabel != "" && !m.plan.Comparison.Latency {
			if counts := b.past.pods(i); len(counts) > 1 {
				d = evidence.EstimateDispersion(counts)
			}
		}
		b.report.Metrics = append(b.report.Metrics, describe(m, d, b.last+1))
		alphas = append(alphas, evidence.Part{Alpha: m.plan.Comparison.Params.Alpha})
	}
	b.report.threshold = evidence.Merge(alphas).Threshold
}

var errNothing = errors.New("no metric could be judged")

// Err is an error if nothing came of it.
func (r *Report) Err() error {
	if len(r.Healthy.Attempts) > 0 {
		return nil
	}
	for _, t := range r.Thresholds {
		if t.Measurements > t.NoData {
			return nil
		}
	}
	return errNothing
}

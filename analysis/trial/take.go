package trial

import (
	"fmt"
	"strings"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/samples"
)

// Take takes in what was read, all of what Reads asked for at that moment. What cannot be judged with is told by Finding,
// and read again.
func (t *Trial) Take(now time.Time, reads []Read) {
	if len(reads) == 0 {
		return
	}
	if !t.started {
		t.begin(now, gather(reads))
		return
	}
	first, last := t.next, t.grid.Index(reads[0].To)
	if last < first {
		return
	}
	in := gather(reads)
	if t.problem = t.strayed(in); t.problem != "" {
		return
	}
	counted := t.judge.count(t, first, last, in, now)
	if t.complain(counted.problems); t.problem != "" {
		return
	}
	for k := range counted.ticks {
		t.tick(k, counted)
	}
}

// strayed finds series in an arm that are those of a pod of the other one, by its name: a selector that does not tell the
// arms apart would hold stable against itself. Empty: none, or names do not tell.
func (t *Trial) strayed(in taken) string {
	if t.pods == "" || t.o.CanaryRevision == "" || t.o.StableRevision == "" || t.o.CanaryRevision == t.o.StableRevision {
		return ""
	}
	for _, arm := range []struct {
		name, other, revision string
		series                armed
	}{
		{"canary", "stable", t.o.StableRevision, in.canary},
		{"stable", "canary", t.o.CanaryRevision, in.stable},
	} {
		for _, list := range [][]samples.Series{arm.series.requests, arm.series.errors, arm.series.histogram} {
			for _, s := range list {
				if pod := s.Labels[t.pods]; strings.Contains(pod, "-"+arm.revision+"-") {
					return fmt.Sprintf("%s: series of a pod of %s (revision %s): put {{ .Revision }} or {{ .Service }} into the selector, so that it matches the pods of one arm",
						arm.name, arm.other, arm.revision)
				}
			}
		}
	}
	return ""
}

// tick judges the next one.
func (t *Trial) tick(k int, c counted) {
	at := t.weight(t.next)
	changed := t.exposure >= 0 && t.exposures[at].WeightPermille != t.exposures[t.exposure].WeightPermille
	t.exposure = at
	tick := c.ticks[k]
	tick.Baseline = t.watch.see(tick, c.canarySeen[k], c.stableSeen[k], t.exposures[at].WeightPermille)
	t.judge.add(k, changed, tick.Baseline)
	t.cost.Add(tick)
	t.next++
}

// complain keeps what is wrong with the samples: one thing that forbids judging, or what people should know.
func (t *Trial) complain(problems []samples.Problem) {
	t.problem = ""
	var warnings []string
	for _, p := range problems {
		switch {
		case p.Refuse && t.problem == "":
			t.problem = strings.TrimPrefix(p.Text, fmt.Sprintf("metric %q, ", t.o.Plan.Metric.Name)) // who reports it names the metric
		case !p.Refuse:
			warnings = append(warnings, p.Text)
		}
	}
	t.warning = strings.Join(warnings[:min(len(warnings), 3)], "; ")
}

// begin takes stable's history in: it decides how long a tick is, and how much chance has to be allowed for.
func (t *Trial) begin(now time.Time, in taken) {
	anchor := t.exposures[0].Since.Time
	all := append(append(append([]samples.Series{}, in.stable.requests...), in.stable.errors...), in.stable.histogram...)
	t.lag = samples.Lag(samples.ScrapeInterval(all))
	if t.settled = anchor.Add(t.lag); now.Before(t.settled) {
		return // a scrape may still be on its way, and a trial that begins later would see it
	}
	grid, err := samples.NewGrid(anchor, samples.TickLength(t.o.Plan.Interval, all))
	if err != nil {
		t.problem = err.Error()
		return
	}
	t.grid = grid
	t.pods = t.o.Plan.Comparison.PodLabel
	params := t.o.Plan.Comparison.Params
	params.TickSeconds = grid.Tick().Seconds()
	newJudge := countersJudge
	switch {
	case t.o.Plan.Comparison.Gauge != nil:
		newJudge = gaugeJudge
	case t.o.Plan.Comparison.Latency:
		newJudge = latencyJudge
	}
	judge, problems, err := newJudge(t, params, in, now)
	if err != nil {
		t.problem = err.Error()
		return
	}
	if t.complain(problems); t.problem != "" {
		return
	}
	t.judge, t.started = judge, true
}

// dispersion is what stable's pods say of chance, or what is assumed.
func (t *Trial) dispersion(pods [][]evidence.Counts, p evidence.Params) evidence.Params {
	d := evidence.AssumedDispersion()
	if len(pods) > 1 {
		d = evidence.EstimateDispersion(pods)
	}
	t.assumed = !d.PhiKnown || !d.NoiseKnown
	p.Phi, p.Noise = d.Phi, d.Noise(int(max(1, t.exposures[0].Pods)), int(max(1, t.o.StablePods)))
	return p
}

// before is the first tick of history.
func (t *Trial) before() int64 { return -int64(history / t.grid.Tick()) }

package trial

import (
	"math"
	"slices"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/gauge"
	"github.com/belay-dev/belay/analysis/samples"
)

// gauges judges what every pod reports at all times.
type gauges struct {
	comparison     *gauge.Comparison
	rate           bool
	canary, stable slots
	ticks          []gauge.Tick // of the last count
}

// slots are the places of pods among the samples of their arm, in the order in which they were first seen.
type slots map[string]int

func gaugeJudge(t *Trial, _ evidence.Params, _ taken, _ time.Time) (judge, []samples.Problem, error) {
	comparison, err := gauge.New(*t.o.Plan.Comparison.Gauge)
	if err != nil {
		return nil, nil, err
	}
	return &gauges{comparison: comparison, rate: t.o.Plan.Comparison.Rate, canary: slots{}, stable: slots{}}, nil, nil
}

func (g *gauges) count(t *Trial, first, last int64, in taken, _ time.Time) counted {
	n := int(last - first + 1)
	g.ticks = make([]gauge.Tick, n)
	out := counted{ticks: make([]evidence.Tick, n), canarySeen: make([]bool, n), stableSeen: make([]bool, n)}
	canary, stable := g.byPod(t, in.canary.requests), g.byPod(t, in.stable.requests)
	for k := range n {
		load := g.load(t, first+int64(k))
		from, to := t.grid.Start(first+int64(k)).UnixMilli(), t.grid.End(first+int64(k)).UnixMilli()
		tick := &g.ticks[k]
		tick.Canary = g.canary.place(canary, func(s []samples.Series) float64 { return g.value(s, from, to) / load })
		tick.Stable = g.stable.place(stable, func(s []samples.Series) float64 { return g.value(s, from, to) })
		out.ticks[k].Canary.Requests, out.ticks[k].Stable.Requests = present(tick.Canary), present(tick.Stable)
		out.canarySeen[k], out.stableSeen[k] = out.ticks[k].Canary.Requests > 0, out.ticks[k].Stable.Requests > 0
	}
	return out
}

// load is how many times as much a pod of the canary has to do as one of stable, by the weight and how many pods there are.
// What grows with requests, as CPU does, is divided by it: 2 pods with half of the traffic beside 4 pods with the other half
// are no worse for being twice as busy. It is never below 1: a part that an idle pod has anyway would be blown up with the rest,
// and a healthy canary at a small weight would fail.
func (g *gauges) load(t *Trial, tick int64) float64 {
	e := t.exposures[t.weight(tick)]
	if !g.rate || e.Pods <= 0 || t.o.StablePods <= 0 || e.WeightPermille <= 0 || e.WeightPermille >= 1000 {
		return 1
	}
	return max(1, float64(e.WeightPermille)/float64(e.Pods)*float64(t.o.StablePods)/float64(1000-e.WeightPermille))
}

// byPod puts the series of each pod together. Those that name none are one pod.
func (g *gauges) byPod(t *Trial, series []samples.Series) map[string][]samples.Series {
	out := map[string][]samples.Series{}
	for _, s := range series {
		pod := s.Labels[t.pods]
		out[pod] = append(out[pod], s)
	}
	return out
}

// place gives each pod's value in its slot, NaN for one that has none now.
func (s slots) place(pods map[string][]samples.Series, value func([]samples.Series) float64) []float64 {
	names := make([]string, 0, len(pods))
	for name := range pods {
		names = append(names, name)
	}
	slices.Sort(names)
	values := map[int]float64{}
	for _, name := range names {
		v := value(pods[name])
		slot, known := s[name]
		if !known {
			if math.IsNaN(v) {
				continue // not begun yet: whoever is seen first has the next place, also after a restart
			}
			slot = len(s)
			s[name] = slot
		}
		values[slot] = v
	}
	out := make([]float64, len(s))
	for i := range out {
		v, ok := values[i]
		if !ok {
			v = math.NaN()
		}
		out[i] = v
	}
	return out
}

// value of a pod in a tick: its series added up; NaN where one that belongs to it has none.
func (g *gauges) value(series []samples.Series, from, to int64) float64 {
	sum, seen := 0.0, false
	for _, s := range series {
		v, ok := level(s.Points, from, to)
		if g.rate {
			v, ok = growth(s.Points, from, to)
		}
		if ok {
			sum, seen = sum+v, true
		}
	}
	if !seen {
		return math.NaN()
	}
	return sum
}

// level is the last sample of a tick.
func level(points []samples.Point, from, to int64) (float64, bool) {
	for i := len(points) - 1; i >= 0; i-- {
		if p := points[i]; p.T <= to {
			return p.V, p.T > from && finite(p.V)
		}
	}
	return 0, false
}

// growth is by how much a counter grew in a second, between the last sample before the tick and the last one in it.
func growth(points []samples.Point, from, to int64) (float64, bool) {
	grown, begun, ended := 0.0, int64(0), int64(0)
	for i := 1; i < len(points); i++ {
		before, p := points[i-1], points[i]
		if p.T <= from || p.T > to || !finite(p.V) || !finite(before.V) {
			continue
		}
		if ended == 0 {
			begun = before.T
		}
		ended = p.T
		if p.V >= before.V {
			grown += p.V - before.V
		} else {
			grown += p.V // it was reset
		}
	}
	if ended == 0 || ended == begun {
		return 0, false
	}
	return 1000 * grown / float64(ended-begun), true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func present(values []float64) int64 {
	var n int64
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}

func (g *gauges) add(k int, changed bool, baseline evidence.Baseline) {
	tick := g.ticks[k]
	tick.WeightChanged, tick.Baseline = changed, baseline
	g.comparison.Add(tick)
}

func (g *gauges) said() said {
	r := g.comparison.Report()
	return said{
		verdict: r.Verdict, lower: r.Lower, upper: r.Upper, value: r.Value(), sentence: r.Finding(g.comparison.Params()),
		frozen: r.Frozen, errorsKnown: true, ticks: r.Ticks,
	}
}

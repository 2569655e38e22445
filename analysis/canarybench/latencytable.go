package canarybench

import (
	"fmt"
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/latency"
)

// Latency is how soon a slower canary is rolled back.
func (b Bench) Latency() Table {
	t := Table{
		Title: "Latency",
		Says: fmt.Sprintf("Requests until the rollback, mean of %d streams, over two bounds for r = 1 and a = 0: of these buckets, and of all latencies (eighty buckets to a "+
			"doubling), which no judge of these buckets can reach. Log-normal latencies with a slow kind; classic buckets are the twelve that libraries have by "+
			"default, native ones have eight to a doubling. A tick has a fortieth of the first bound. \"Bands\" are published confidence bands, over the bound of all "+
			"latencies, after at most fifty bounds. False rollbacks: %d looks at 100 requests a second with versions alike, %d streams.", max(1, b.Few/2), looks, b.Few),
		Columns: []string{"buckets", "slower", "weight", "bound of all latencies", "r = 1 ÷ bound of buckets", "r = 1 ÷ bound of all", "bands ÷ bound of all", "false rollbacks"},
	}
	for _, kind := range []struct {
		name   string
		bounds []float64
		whole  float64
		tail   float64
	}{{"native", Native(), 2, 2.5}, {"classic", Classic(), 2.4, 3.2}} {
		for _, weight := range []float64{0.05, 0.5} {
			b.latencies(&t, kind.name, kind.bounds, Slowing{0, 1.2}, weight, kind.whole)
			b.latencies(&t, kind.name, kind.bounds, Slowing{0.93, 1.5}, weight, kind.tail)
			b.latencies(&t, kind.name, kind.bounds, Slowing{0.97, 2}, weight, kind.tail)
		}
	}
	return t
}

func (b Bench) latencies(t *Table, kind string, bounds []float64, slowing Slowing, weight, limit float64) {
	truth := latencyTruth(bounds, slowing, 0, weight, 50*boundTicks)
	bound := Slowness{truth.Canary, truth.Stable, weight}.Bound(Alpha)
	fine := latencyTruth(geometric(80, -10, 6), slowing, 0, weight, 0)
	all := Slowness{fine.Canary, fine.Stable, weight}.Bound(Alpha)
	truth.Requests = bound / boundTicks

	what, part := fmt.Sprintf("all ×%g", slowing.Times), "all requests ×1.2"
	if slowing.From > 0 {
		what, part = fmt.Sprintf("above p%g ×%g", 100*slowing.From, slowing.Times), "the tail only"
	}
	cell := fmt.Sprintf("%s, %s, weight %s", kind, what, percent(weight))
	d, bands := b.latencyDelays(cell, truth)
	t.check(fmt.Sprintf("mean delay ÷ bound of these buckets, %s, %s, at most %g", part, kind, limit), cell, d.over(bound), limit)
	t.check(fmt.Sprintf("mean delay ÷ bound of all latencies, %s, %s, at most %g", part, kind, limit), cell, d.over(all), limit)
	wrong := "–"
	if slowing.From == 0 && weight == 0.05 {
		wrong = b.latencyNull(t, kind, bounds, weight)
	}
	t.row(kind, what, percent(weight), grouped(all), d.cell(bound), d.cell(all), bands.cell(all), wrong)
}

func newLatency(t LatencyTruth, p evidence.Params) *latency.Comparison {
	c, err := latency.New(p, t.Bounds, t.history())
	if err != nil {
		panic("canarybench: " + err.Error()) // the parameters are this package's own
	}
	return c
}

func (b Bench) latencyDelays(cell string, t LatencyTruth) (judged, banded delay) {
	seed := b.seed("latency " + cell)
	for i := range max(1, b.Few/2) {
		judge, other := newLatency(t, Bare()), newBands(len(t.Stable))
		one, two := Outcome{}, Outcome{}
		s := t.Stream(seed, uint64(i))
		for tick, more := s.Next(); more && !(one.RolledBack && two.RolledBack); tick, more = s.Next() {
			if !one.RolledBack {
				judge.Add(tick)
				one.Requests += requests(tick)
				one.RolledBack = judge.Verdict() == evidence.Fail
			}
			if !two.RolledBack {
				other.add(tick)
				two.Requests += requests(tick)
				two.RolledBack = other.apart()
			}
		}
		judged.add(one)
		banded.add(two)
	}
	return judged, banded
}

func requests(t latency.Tick) float64 { return total(t.Canary) + total(t.Stable) }

func total(counts []int64) float64 {
	sum := int64(0)
	for _, n := range counts {
		sum += n
	}
	return float64(sum)
}

const targetLatencyNull = "false rollbacks by latency, upper limit at most α = 1 %"

// latencyNull counts false rollbacks.
func (b Bench) latencyNull(t *Table, kind string, bounds []float64, weight float64) string {
	truth := latencyTruth(bounds, Slowing{0, 1}, 1000, weight, looks)
	cell := fmt.Sprintf("%s, weight %s", kind, percent(weight))
	seed, wrong := b.seed("latency null "+cell), 0
	for i := range b.Few {
		judge, s := newLatency(truth, Bare()), truth.Stream(seed, uint64(i))
		for tick, more := s.Next(); more; tick, more = s.Next() {
			if judge.Add(tick); judge.Verdict() == evidence.Fail {
				wrong++
				break
			}
		}
	}
	t.check(targetLatencyNull, cell, UpperLimit(wrong, b.Few), Alpha)
	return rate(wrong, b.Few)
}

// bands around the empirical distribution of each arm, that hold at any time with probability 1 - α (Howard and
// Ramdas, Sequential estimation of quantiles with applications to A/B testing and best-arm identification,
// Bernoulli 28 (2022), corollary 2):
//
//	sup_x |F_t(x) - F(x)| ≤ 0.85·√( (ln ln(e·t) + 0.8·ln(1612/α))/t )
//
// The canary is slower where the bands of the arms are apart, with α/2 for each.
type bands struct{ canary, stable []float64 }

func newBands(buckets int) *bands { return &bands{make([]float64, buckets), make([]float64, buckets)} }

func (b *bands) add(t latency.Tick) {
	for j := range b.canary {
		b.canary[j] += float64(t.Canary[j])
		b.stable[j] += float64(t.Stable[j])
	}
}

func (b *bands) apart() bool {
	canary, stable, nc, ns := 0.0, 0.0, sum(b.canary), sum(b.stable)
	if nc == 0 || ns == 0 {
		return false
	}
	width := bandWidth(nc) + bandWidth(ns)
	for j := range b.canary {
		canary, stable = canary+b.canary[j]/nc, stable+b.stable[j]/ns
		if stable-canary > width {
			return true
		}
	}
	return false
}

func bandWidth(t float64) float64 {
	return 0.85 * math.Sqrt((math.Log(1+math.Log(t))+0.8*math.Log(1612/(Alpha/2)))/t)
}

func sum(xs []float64) float64 {
	s := 0.0
	for _, x := range xs {
		s += x
	}
	return s
}

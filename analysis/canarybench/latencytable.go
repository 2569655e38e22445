package canarybench

import (
	"fmt"

	"github.com/belay-dev/belay/analysis/evidence"
	"github.com/belay-dev/belay/analysis/latency"
)

// Latency is how soon a slower canary is rolled back.
func (b Bench) Latency() Table {
	t := Table{
		Title: "Latency",
		Says: fmt.Sprintf("Requests until the rollback, mean of %s streams, over two bounds for r = 1 and a = 0: of these buckets, and of all latencies (eighty buckets to a "+
			"doubling), which no judge of these buckets can reach. Log-normal latencies with a slow kind; classic buckets are the twelve that libraries have by "+
			"default, native ones have eight to a doubling. A tick has a fortieth of the first bound. \"Bands\" are published confidence bands, over the bound of all "+
			"latencies. \"Defaults\" have r = 1.1, a = 0.0005 and the cap, and \"assumed\" φ = 2 and s = 0.05 as well: they answer a harder question, over the same bound. "+
			"%d streams for these and the bands, which end after fifty bounds. False rollbacks: %s looks at 100 requests a second with versions alike, %s streams.", grouped(float64(b.Few)), b.fewLatencies(), grouped(looks), grouped(float64(b.Few))),
		Columns: []string{"buckets", "slower", "weight", "bound of all latencies", "÷ bound of buckets", "÷ bound of all", "bands ÷ bound of all",
			"defaults ÷ bound of buckets", "assumed ÷ bound of buckets", "false rollbacks"},
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
	d := append(b.latencyDelays(cell, truth, b.Few, truth.judging(Bare())),
		b.latencyDelays(cell, truth, b.fewLatencies(), truth.banding, truth.judging(Usual()), truth.judging(evidence.Defaults()))...)
	t.check(fmt.Sprintf("mean delay ÷ bound of these buckets, %s, %s, at most %g", part, kind, limit), cell, d[0].over(bound), limit)
	t.check(fmt.Sprintf("mean delay ÷ bound of all latencies, %s, %s, at most %g", part, kind, limit), cell, d[0].over(all), limit)
	wrong := "–"
	if slowing.From == 0 && weight == 0.05 {
		wrong = b.latencyNull(t, kind, bounds, weight)
	}
	t.row(kind, what, percent(weight), grouped(all), d[0].cell(bound), d[0].cell(all), d[1].cell(all), d[2].cell(bound), d[3].cell(bound), wrong)
}

func newLatency(t LatencyTruth, p evidence.Params) belayLatency {
	c, err := latency.New(p, t.Bounds, t.history())
	if err != nil {
		panic("canarybench: " + err.Error()) // the parameters are this package's own
	}
	return belayLatency{c}
}

// fewLatencies are enough for what ends late or never.
func (b Bench) fewLatencies() int { return max(1, b.Few/10) }

// latencyJudge sees buckets.
type latencyJudge interface {
	Add(tick latency.Tick)
	RollsBack() bool
}

type belayLatency struct{ *latency.Comparison }

func (b belayLatency) RollsBack() bool { return b.Verdict() == evidence.Fail }

// latencyDelays of judges that see the same n streams.
func (b Bench) latencyDelays(cell string, t LatencyTruth, n int, judges ...func() latencyJudge) []delay {
	seed := b.seed("latency " + cell)
	sums, running := make([]delay, len(judges)), make([]latencyJudge, len(judges))
	for i := range n {
		for j, judge := range judges {
			running[j] = judge()
		}
		for j, o := range raceLatency(t.Stream(seed, uint64(i)), running) {
			sums[j].add(o)
		}
	}
	return sums
}

// judging with these parameters.
func (t LatencyTruth) judging(p evidence.Params) func() latencyJudge {
	return func() latencyJudge { return newLatency(t, p) }
}

// banding is what the bands are to judging.
func (t LatencyTruth) banding() latencyJudge { return newBands(len(t.Stable)) }

// raceLatency shows a stream to all judges, each until it rolls back.
func raceLatency(s *LatencyStream, judges []latencyJudge) []Outcome {
	outcomes := make([]Outcome, len(judges))
	for running := len(judges); running > 0; {
		tick, more := s.Next()
		if !more {
			break
		}
		running = 0
		for j, judge := range judges {
			o := &outcomes[j]
			if o.RolledBack {
				continue
			}
			judge.Add(tick)
			o.Requests += requests(tick)
			if o.RolledBack = judge.RollsBack(); !o.RolledBack {
				running++
			}
		}
	}
	return outcomes
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
			if judge.Add(tick); judge.RollsBack() {
				wrong++
				break
			}
		}
	}
	t.check(targetLatencyNull, cell, UpperLimit(wrong, b.Few), Alpha)
	return rate(wrong, b.Few)
}

package latency

import (
	"fmt"
	"math"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// In these tests nothing is drawn: every outcome of small worlds with four buckets is gone through.

func fourBounds() []float64   { return []float64{1, 2, 4} }
func fourHistory() []int64    { return []int64{400, 350, 200, 50} }
func fourShares() [][]float64 { return [][]float64{{0.4, 0.35, 0.2, 0.05}, {0.1, 0.2, 0.3, 0.4}} }

// day is one tick of a small world.
type day struct {
	canary, stable int
	law            []float64 // of the stable
	changed        bool
	baseline       evidence.Baseline
}

// outcome of an arm, with its probability.
type outcome struct {
	counts      []int64
	probability float64
}

// multinomial gives every outcome of n requests.
func multinomial(n int, law []float64) []outcome {
	if len(law) == 1 {
		return []outcome{{[]int64{int64(n)}, math.Pow(law[0], float64(n))}}
	}
	var all []outcome
	choose := 1.0
	for x := range n + 1 {
		for _, rest := range multinomial(n-x, law[1:]) {
			all = append(all, outcome{append([]int64{int64(x)}, rest.counts...), choose * math.Pow(law[0], float64(x)) * rest.probability})
		}
		choose *= float64(n-x) / float64(x+1)
	}
	return all
}

// rewound is the comparison as New made it.
func rewound(c *Comparison) *Comparison {
	c.judges.reject.reset()
	c.judges.startWeight(false)
	c.judges.level = newLevel(c.judges.groups.len())
	c.block.reset()
	c.ticks, c.changed, c.failed, c.passed = 0, false, -1, -1
	return c
}

// expectations of what read gives after each tick, and the probabilities that it ever reached each level.
func expectations(c *Comparison, days []day, canary func([]float64) []float64, read func(*Comparison) float64, levels []float64) (mean, ever []float64) {
	mean, ever = make([]float64, len(days)), make([]float64, len(levels))
	arms := make([][2][]outcome, len(days))
	for i, d := range days {
		arms[i] = [2][]outcome{multinomial(d.canary, canary(d.law)), multinomial(d.stable, d.law)}
	}
	course := make([]Tick, 0, len(days))
	var next func(int, float64)
	next = func(i int, probability float64) {
		if i == len(days) {
			most := 0.0
			rewound(c)
			for k, tick := range course {
				c.Add(tick)
				e := math.Exp(read(c))
				mean[k] += probability * e
				most = max(most, e)
			}
			for k, level := range levels {
				if most >= level {
					ever[k] += probability
				}
			}
			return
		}
		for _, x := range arms[i][0] {
			for _, y := range arms[i][1] {
				course = append(course, Tick{Canary: x.counts, Stable: y.counts, WeightChanged: days[i].changed, Baseline: days[i].baseline})
				next(i+1, probability*x.probability*y.probability)
				course = course[:i]
			}
		}
	}
	next(0, 1)
	return mean, ever
}

// worlds under every sort of trouble that must not matter: latencies that are not those of the history, that
// move, splits that move, a day without one arm.
func worlds() map[string][]day {
	usual, slow := fourShares()[0], fourShares()[1]
	return map[string][]day{
		"steady":    {{canary: 1, stable: 2, law: usual}, {canary: 1, stable: 2, law: usual}},
		"it moves":  {{canary: 2, stable: 1, law: usual}, {canary: 1, stable: 2, law: slow}},
		"ramp":      {{canary: 1, stable: 2, law: slow}, {canary: 2, stable: 1, law: slow, changed: true}},
		"blocks":    {{canary: 0, stable: 2, law: usual}, {canary: 2, stable: 1, law: usual}},
		"more":      {{canary: 3, stable: 5, law: usual}},
		"few of it": {{canary: 1, stable: 8, law: slow}},
	}
}

// variants of the parameters; none may break the bound.
func variants(stretch, a float64) map[string]evidence.Params {
	bare := plain(stretch, a)
	restart, capped, spread, noisy := bare, bare, bare, bare
	restart.NoRestart, restart.TickSeconds = false, 3600
	capped.NoCap, capped.NoRestart, capped.Alpha = false, false, 0.3
	spread.Phi = 2
	noisy.Noise, noisy.AcceptNoise, noisy.NoRestart, noisy.NoCap = 0.2, 0.2, false, false
	return map[string]evidence.Params{"bare": bare, "restart": restart, "cap": capped, "phi": spread, "noise": noisy}
}

// atMargin is the canary that the kernel makes of the stable, with a share a moved from the fastest group to
// the slowest, as far as there is one.
func atMargin(k *kernel, a float64) func([]float64) []float64 {
	return func(stable []float64) []float64 {
		canary := make([]float64, len(stable))
		for j := range canary {
			unit := make([]float64, len(stable))
			unit[j] = 1
			for i, p := range stable {
				canary[j] += p * k.rows[i].mean(unit)
			}
		}
		moved := min(a, canary[0])
		canary[0] -= moved
		canary[len(canary)-1] += moved
		return canary
	}
}

// faster is a canary whose every fifth request is one bucket faster.
func faster(canary []float64) []float64 {
	better := make([]float64, len(canary))
	for j, p := range canary {
		better[j] += 0.8 * p
		better[max(0, j-1)] += 0.2 * p
	}
	return better
}

func TestGroupsOfTheSmallWorldAreItsBuckets(t *testing.T) {
	c := comparison(t, plain(1, 0), fourBounds(), fourHistory())
	if n := c.judges.groups.len(); n != 4 {
		t.Fatalf("%d groups", n)
	}
}

func TestExpectationIsAtMostOne(t *testing.T) {
	levels := []float64{1.2, 1.5, 2, 3, 5, 10}
	for world, days := range worlds() {
		for _, margin := range [][2]float64{{1, 0}, {1.5, 0.1}, {0.8, 0}} {
			for variant, p := range variants(margin[0], margin[1]) {
				c := comparison(t, p, fourBounds(), fourHistory())
				what := fmt.Sprintf("%s, margin %v, %s", world, margin, variant)
				canary := atMargin(&c.judges.reject.guards[0].kernel, margin[1])
				mean, ever := expectations(c, days, canary, (*Comparison).LogE, levels)
				bounded(t, "reject, "+what, mean, ever, levels)
				if variant == "bare" {
					better := func(stable []float64) []float64 { return faster(canary(stable)) }
					mean, ever = expectations(c, days, better, (*Comparison).LogE, levels)
					bounded(t, "reject, faster, "+what, mean, ever, levels)
				}
				if world != "ramp" { // the accept side begins afresh at each weight
					slow := atMargin(&c.judges.accept[0].guards[0].kernel, margin[1])
					mean, ever = expectations(c, days, slow, (*Comparison).LogAccept, levels)
					bounded(t, "accept, "+what, mean, ever, levels)
				}
			}
		}
	}
}

func bounded(t *testing.T, what string, mean, ever, levels []float64) {
	t.Helper()
	for i, e := range mean {
		if e > 1+1e-9 {
			t.Errorf("%s: E[E] is %v after tick %d", what, e, i)
		}
	}
	for i, level := range levels {
		if ever[i] > 1/level+1e-9 {
			t.Errorf("%s: E reaches %v with probability %v", what, level, ever[i])
		}
	}
}

// Each of the accept side's exceedances alone is a fair game for a canary that is beyond the margin there and
// nowhere else: a Pass needs all of them, so it is wrong with probability β at most.
func TestAcceptSideAsksEveryExceedance(t *testing.T) {
	days := worlds()["more"]
	c := comparison(t, plain(1, 0), fourBounds(), fourHistory())
	for i, one := range c.judges.accept {
		cut := c.judges.groups.cutsAt(newCurve(fourBounds(), fourHistory()), quantiles())[i]
		// At the margin, so many more take longer than this edge. But nobody takes longer than the next, and who
		// is faster is as fast as can be.
		canary := func(stable []float64) []float64 {
			law := make([]float64, len(stable))
			for j, p := range stable {
				if j <= cut {
					law[0] += p
				} else {
					law[cut+1] += p
				}
			}
			law[0] -= one.excess
			law[cut+1] += one.excess
			return law
		}
		mean, _ := expectations(c, days, canary, func(c *Comparison) float64 { return c.judges.accept[i].logE() }, nil)
		bounded(t, fmt.Sprintf("exceedance %d of %d bets", i, len(one.bets)), mean, nil, nil)
	}
}

// The bound of a factor, 1 + u ≤ e^u, is all that is given away: at the margin, with no more than the two
// requests that there are, the expectation of each bet is near 1.
func TestBetsAreNearlyFair(t *testing.T) {
	days := []day{{canary: 1, stable: 1, law: fourShares()[0]}}
	c := comparison(t, plain(1, 0), fourBounds(), fourHistory())
	same := func(law []float64) []float64 { return law }
	mean, _ := expectations(c, days, same, (*Comparison).LogE, nil)
	if mean[0] < 0.9 || mean[0] > 1 {
		t.Errorf("E[E] is %v", mean[0])
	}
}

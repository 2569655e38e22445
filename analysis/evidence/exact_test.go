package evidence

import (
	"fmt"
	"math"
	"testing"
)

// In these tests nothing is drawn: every outcome is gone through, with its probability.

// day is one tick of a small world: requests, and the chance of each to be bad.
type day struct {
	canary, stable       int64
	pCanary, pStable     float64
	changed              bool
	canaryLaw, stableLaw []float64
}

func binomial(n int64, p float64) []float64 {
	law := make([]float64, n+1)
	for x := range law {
		choose := 1.0
		for i := range x {
			choose *= float64(n-int64(i)) / float64(i+1)
		}
		law[x] = choose * math.Pow(p, float64(x)) * math.Pow(1-p, float64(n)-float64(x))
	}
	return law
}

func poisson(mean float64, most int) []float64 {
	law := make([]float64, most+1)
	for x := range law {
		lgamma, _ := math.Lgamma(float64(x) + 1)
		law[x] = math.Exp(float64(x)*math.Log(mean) - mean - lgamma)
	}
	return law
}

// outcomes visits every course of the days.
func outcomes(days []day, visit func(course []Tick, probability float64)) {
	course := make([]Tick, 0, len(days))
	var next func(int, float64)
	next = func(i int, probability float64) {
		if i == len(days) {
			visit(course, probability)
			return
		}
		d := days[i]
		for x, px := range d.canaryLaw {
			for y, py := range d.stableLaw {
				if px*py == 0 {
					continue
				}
				tick := both(d.canary, int64(x), d.stable, int64(y))
				tick.WeightChanged = d.changed
				course = append(course, tick)
				next(i+1, probability*px*py)
				course = course[:i]
			}
		}
	}
	next(0, 1)
}

// expectations of what read gives after each tick, and the probability that it ever reached each level.
func expectations(t *testing.T, p Params, days []day, read func(*Comparison) float64, levels []float64) (mean, ever []float64) {
	t.Helper()
	mean, ever = make([]float64, len(days)), make([]float64, len(levels))
	outcomes(days, func(course []Tick, probability float64) {
		c, most := comparison(t, p), 0.0
		for i, tick := range course {
			c.Add(tick)
			e := math.Exp(read(c))
			mean[i] += probability * e
			most = max(most, e)
		}
		for i, level := range levels {
			if most >= level {
				ever[i] += probability
			}
		}
	})
	return mean, ever
}

// With Poisson counts the bound of each request's factor, 1 + u ≤ e^u, is an equation, so at the margin the
// bets of both sides are exactly fair, for every split and margin.
func TestFairAtTheMargin(t *testing.T) {
	const pStable = 0.0001
	for _, margin := range [][2]float64{{0, 0.0001}, {0.5, 0}, {1, 0}, {1, 0.0001}, {1.1, 0.00001}, {3, 0.0001}} {
		for _, split := range [][2]int64{{1000, 1000}, {300, 4000}, {4000, 300}} {
			r, a := margin[0], margin[1]
			days := []day{{
				canary: split[0], canaryLaw: poisson(float64(split[0])*(r*pStable+a), 150),
				stable: split[1], stableLaw: poisson(float64(split[1])*pStable, 20),
			}}
			what := fmt.Sprintf("E[E] for r %v, a %v, split %v, ", r, a, split)
			reject, _ := expectations(t, plain(r, a), days, (*Comparison).LogE, nil)
			near(t, what+"reject side,", reject[0], 1, 1e-9)
			accept, _ := expectations(t, plain(r, a), days, (*Comparison).LogAccept, nil)
			near(t, what+"accept side,", accept[0], 1, 1e-9)
		}
	}
}

// worlds are courses of small days under every sort of trouble that must not matter: base rates that move,
// splits that move, days without one arm.
func worlds() map[string][]day {
	return map[string][]day{
		"steady":        {{canary: 1, stable: 2, pStable: 0.1}, {canary: 1, stable: 2, pStable: 0.1}, {canary: 1, stable: 2, pStable: 0.1}},
		"base moves":    {{canary: 2, stable: 1, pStable: 0.01}, {canary: 1, stable: 2, pStable: 0.6}, {canary: 2, stable: 1, pStable: 0.2}},
		"ramp":          {{canary: 1, stable: 3, pStable: 0.2}, {canary: 2, stable: 2, pStable: 0.2, changed: true}, {canary: 2, stable: 1, pStable: 0.2, changed: true}},
		"blocks":        {{canary: 0, stable: 3, pStable: 0.3}, {canary: 2, stable: 0, pStable: 0.3}, {canary: 2, stable: 2, pStable: 0.1}},
		"many requests": {{canary: 12, stable: 20, pStable: 0.05}},
		"often bad":     {{canary: 3, stable: 3, pStable: 0.8}, {canary: 3, stable: 3, pStable: 0.9}},
	}
}

// variants of the parameters; none may break the bound.
func variants(r, a float64) map[string]Params {
	bare := plain(r, a)
	restart, capped, spread, noisy := bare, bare, bare, bare
	restart.NoRestart, restart.TickSeconds = false, 3600
	capped.NoCap, capped.NoRestart, capped.Alpha = false, false, 0.3
	spread.Phi = 2
	noisy.Noise, noisy.AcceptNoise, noisy.NoRestart, noisy.NoCap = 0.2, 0.2, false, false
	return map[string]Params{"bare": bare, "restart": restart, "cap": capped, "phi": spread, "noise": noisy}
}

// At the margin, E[E] ≤ 1 after every tick, and E ever reaches x with probability 1/x at most: on the reject
// side for a canary at the margin or better, on the accept side for one at the margin or worse.
func TestExpectationIsAtMostOne(t *testing.T) {
	levels := []float64{1.2, 1.5, 2, 3, 5, 10}
	for world, days := range worlds() {
		for _, margin := range [][2]float64{{1, 0}, {1.1, 0.0005}, {0.7, 0.1}} {
			for variant, params := range variants(margin[0], margin[1]) {
				for _, better := range []float64{1, 0.5} {
					atMargin := withCanary(days, func(p float64) float64 { return better * (margin[0]*p + margin[1]) })
					mean, ever := expectations(t, params, atMargin, (*Comparison).LogE, levels)
					bounded(t, fmt.Sprintf("reject, %s, margin %v, %s, times %v", world, margin, variant, better), mean, ever, levels)
				}
				beyond := withCanary(days, func(p float64) float64 { return margin[0]*p + margin[1] })
				if world != "ramp" { // the accept side begins afresh at each weight
					mean, ever := expectations(t, params, beyond, (*Comparison).LogAccept, levels)
					bounded(t, fmt.Sprintf("accept, %s, margin %v, %s", world, margin, variant), mean, ever, levels)
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

// withCanary gives every day the canary that margin says.
func withCanary(days []day, margin func(pStable float64) float64) []day {
	with := make([]day, len(days))
	for i, d := range days {
		d.pCanary = min(1, margin(d.pStable))
		d.canaryLaw, d.stableLaw = binomial(d.canary, d.pCanary), binomial(d.stable, d.pStable)
		with[i] = d
	}
	return with
}

// Noise: the canary's log-ratio to the margin is Z, drawn once. Given Z in cell j, the expectation is at most
// c_j; over all cells at most 1, less what is left to the cells beyond the last.
func TestExpectationIsAtMostOneOverNoise(t *testing.T) {
	const s = 0.3
	for world, days := range worlds() {
		for _, a := range []float64{0, 0.02} {
			params := variants(1.1, a)["noise"]
			params.Noise = s
			sum, before := 0.0, 1.0
			for _, cell := range NoiseCells(params.Alpha, noiseStep) {
				z := cell.Z
				noisy := withCanary(days, func(p float64) float64 { return math.Exp(z*s) * (1.1*p + a) })
				mean, _ := expectations(t, params, noisy, (*Comparison).LogE, nil)
				sum += (before - normalTail(z)) * mean[len(mean)-1]
				before = normalTail(z)
			}
			if sum > 1-before/params.Alpha+1e-9 {
				t.Errorf("%s, a %v: E[E] is %v over the cells, and %v is left for what is beyond", world, a, sum, before/params.Alpha)
			}
		}
	}
}

// What is left to the cells and beyond them is all of α.
func TestHandicapsSpendAlpha(t *testing.T) {
	for _, alpha := range []float64{0.5, 0.05, 0.01, 0.001, 1e-9} {
		for _, width := range []float64{noiseStep, 1} {
			spent, before := 0.0, 1.0
			for _, cell := range NoiseCells(alpha, width) {
				beyond := normalTail(cell.Z)
				spent += (before - beyond) * math.Exp(cell.Handicap)
				before = beyond
			}
			near(t, fmt.Sprintf("what α = %v is spent on", alpha), spent+before/alpha, 1, 1e-12)
		}
	}
}

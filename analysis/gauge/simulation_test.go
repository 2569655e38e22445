package gauge

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// world is how pods behave: each is a level of its own times a value that follows the one before it.
type world struct {
	canaryPods, stablePods int
	follow                 float64 // autocorrelation of neighbours
	spread                 float64 // standard deviation of the logarithm of a value
	canarySpread           float64 // the same of the canary; 0: as stable
	podSpread              float64 // standard deviation of the logarithm of a pod's level
	trend                  float64 // amplitude of a load that all pods share
	times                  float64 // by how much the canary is higher
	counts                 bool    // values are drawn counts, such as the depth of a queue
}

type pod struct{ level, state, spread float64 }

func (w world) pods(r *rand.Rand, n int, times, spread float64) []pod {
	pods := make([]pod, n)
	for i := range pods {
		pods[i] = pod{level: math.Log(times) + w.podSpread*r.NormFloat64(), state: r.NormFloat64(), spread: spread}
	}
	return pods
}

func (w world) samples(r *rand.Rand, pods []pod, tick int) []float64 {
	values := make([]float64, len(pods))
	for i := range pods {
		p := &pods[i]
		p.state = w.follow*p.state + math.Sqrt(1-w.follow*w.follow)*r.NormFloat64()
		values[i] = math.Exp(p.level + p.spread*p.state + w.trend*math.Sin(float64(tick)/40))
		if w.counts {
			values[i] = float64(poisson(r, values[i]))
		}
	}
	return values
}

func poisson(r *rand.Rand, mean float64) int {
	n, product := 0, r.Float64()
	for limit := math.Exp(-mean); product > limit; n++ {
		product *= r.Float64()
	}
	return n
}

func (w world) run(r *rand.Rand, p Params, ticks int) *Comparison {
	c, err := New(p)
	if err != nil {
		panic(err)
	}
	spread := w.spread
	if w.canarySpread > 0 {
		spread = w.canarySpread
	}
	canary, stable := w.pods(r, w.canaryPods, w.times, spread), w.pods(r, w.stablePods, 1, w.spread)
	for i := range ticks {
		c.Add(Tick{Canary: w.samples(r, canary, i), Stable: w.samples(r, stable, i)})
	}
	return c
}

// verdicts of so many releases.
func (w world) verdicts(p Params, times, ticks int) (fails, passes int) {
	r := rand.New(rand.NewPCG(1, 2))
	for range times {
		c := w.run(r, p, ticks)
		if c.failed >= 0 {
			fails++
		}
		if c.passed >= 0 {
			passes++
		}
	}
	return fails, passes
}

func alike() world {
	return world{canaryPods: 2, stablePods: 4, spread: 0.2, times: 1}
}

// A canary at the margin fails with probability ≤ α = 5 % and passes with probability ≤ β = 5 %: of 100, 5 each,
// and 14 would be four standard deviations more.
func TestFalseVerdicts(t *testing.T) {
	with := func(change func(*world)) world {
		w := alike()
		change(&w)
		return w
	}
	p := Defaults()
	p.Alpha, p.MarginRelative, p.Noise = 0.05, 1, 0
	noise := p
	noise.Noise = 0.1
	margin := p
	margin.MarginRelative = 1.5
	tests := map[string]struct {
		world  world
		params Params
	}{
		"independent":            {alike(), p},
		"at the margin":          {with(func(w *world) { w.times = 1.5 }), margin},
		"one pod each":           {with(func(w *world) { w.canaryPods, w.stablePods = 1, 1 }), p},
		"many pods":              {with(func(w *world) { w.canaryPods, w.stablePods = 4, 8 }), p},
		"follows 0.5":            {with(func(w *world) { w.follow = 0.5 }), p},
		"follows 0.9":            {with(func(w *world) { w.follow = 0.9 }), p},
		"follows, one pod":       {with(func(w *world) { w.canaryPods, w.stablePods, w.follow = 1, 1, 0.8 }), p},
		"pods differ":            {with(func(w *world) { w.podSpread = 0.1 }), p},
		"pods, assumed":          {with(func(w *world) { w.canaryPods, w.stablePods, w.podSpread = 2, 2, 0.1 }), noise},
		"load moves":             {with(func(w *world) { w.trend = 0.5 }), p},
		"ties":                   {with(func(w *world) { w.counts, w.follow = true, 0.5 }), p},
		"wider canary":           {with(func(w *world) { w.canarySpread = 0.6 }), p},
		"nearly always the same": {with(func(w *world) { w.spread = 0.001 }), p},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			fails, passes := tc.world.verdicts(tc.params, 100, 200)
			t.Logf("%d of 100 fail, %d pass", fails, passes)
			if fails >= 14 {
				t.Errorf("%d of 100 fail", fails)
			}
			// Passes do not look through the differences between pods, which are those of the pods that run.
			if tc.world.podSpread == 0 && passes >= 14 {
				t.Errorf("%d of 100 pass", passes)
			}
		})
	}
}

// And what is far from the margin is found.
func TestVerdictsComeSoon(t *testing.T) {
	p := Defaults()
	for name, tc := range map[string]struct {
		times   float64
		follow  float64
		verdict evidence.Verdict
		within  int
	}{
		"alike":                {1, 0, evidence.Pass, 200},
		"alike, follows":       {1, 0.5, evidence.Pass, 800},
		"half":                 {0.5, 0.5, evidence.Pass, 50},
		"twice":                {2, 0, evidence.Fail, 25},
		"twice, follows":       {2, 0.8, evidence.Fail, 400},
		"a half more, follows": {1.5, 0.5, evidence.Fail, 200},
	} {
		t.Run(name, func(t *testing.T) {
			w := alike()
			w.times, w.follow = tc.times, tc.follow
			fails, passes := w.verdicts(p, 100, tc.within)
			t.Logf("%d of 100 fail, %d pass", fails, passes)
			found, wrong := fails, passes
			if tc.verdict == evidence.Pass {
				found, wrong = passes, fails
			}
			if found < 90 || wrong > 4 {
				t.Errorf("%d of 100 have the verdict %s, %d another", found, tc.verdict, wrong)
			}
		})
	}
}

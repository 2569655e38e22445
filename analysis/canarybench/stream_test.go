package canarybench

import (
	"math"
	"strings"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// moments of the bad requests of the stable over many first ticks of many streams.
func moments(t Truth, n int) (mean, variance float64) {
	sum, squares := 0.0, 0.0
	for i := range n {
		tick, _ := t.Stream(1, uint64(i)).Next()
		x := float64(tick.Stable.Bad)
		sum, squares = sum+x, squares+x*x
	}
	mean = sum / float64(n)
	return mean, squares/float64(n) - mean*mean
}

// A thousand requests of which 2 % are bad, with a weight of 0: twenty bad ones on average.
func TestMomentsOfStreams(t *testing.T) {
	const n = 20_000
	lognormal := func(s float64) float64 { return math.Exp(s * s / 2) }
	spread := 400 * lognormal(0.3) * lognormal(0.3) * math.Expm1(0.09)
	tests := map[string]struct {
		change         func(*Truth)
		mean, variance float64
	}{
		"plain":                       {func(*Truth) {}, 20, 20},
		"clusters of 3: E[c²]/E[c]=5": {func(t *Truth) { t.Cluster = 3 }, 20, 100},
		"one pod, lasting":            {func(t *Truth) { t.PodSpread = 0.3 }, 20 * lognormal(0.3), 20*lognormal(0.3) + spread},
		"ten pods, jitter": {func(t *Truth) { t.PodJitter, t.JitterTicks, t.StablePods = 0.3, 6, 10 },
			20 * lognormal(0.3), 20*lognormal(0.3) + spread/10},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			truth := Steady(1000, 0.02, 0, 1)
			tc.change(&truth)
			mean, variance := moments(truth, n)
			if off := math.Abs(mean - tc.mean); off > 4*math.Sqrt(tc.variance/n) {
				t.Errorf("mean is %v, want %v", mean, tc.mean)
			}
			if ratio := variance / tc.variance; ratio < 0.93 || ratio > 1.07 {
				t.Errorf("variance is %v, want %v", variance, tc.variance)
			}
		})
	}
}

// The truth that a stream is drawn from can be found again: φ and s from the stable's pods.
func TestHistoryHoldsTheDispersion(t *testing.T) {
	truth := Steady(10_000, 0.01, 0.1, 1)
	truth.StablePods, truth.Cluster, truth.PodSpread = 10, 2, 0.2
	d := evidence.EstimateDispersion(truth.Stream(3, 0).History(hourTicks))
	if !d.PhiKnown || !d.NoiseKnown || d.Phi < 2.4 || d.Phi > 4 || d.PodNoise < 0.12 || d.PodNoise > 0.4 {
		t.Errorf("φ = 3 and s = 0.2 were estimated as %+v", d)
	}
}

func TestSharesOfTheTruth(t *testing.T) {
	truth := Steady(100, 0.01, 0.1, 10).worse(2, 0.005)
	truth.Onset, truth.Swing, truth.Period = 2, math.Log(2), 4
	for tick, want := range [][2]float64{{0.01, 0.01}, {0.02, 0.02}, {0.025, 0.01}, {0.015, 0.005}} {
		canary, stable := truth.shares(tick)
		if math.Abs(canary-want[0]) > 1e-12 || math.Abs(stable-want[1]) > 1e-12 {
			t.Errorf("tick %d: %v and %v, want %v", tick, canary, stable, want)
		}
	}
}

func TestLadder(t *testing.T) {
	truth := Steady(10_000, 0.01, 0.1, 2)
	truth.Ladder = append(truth.Ladder, Rung{0.5, 1}, Rung{1, 1})
	truth.Skew = 0.5
	var weights, changes []float64
	s := truth.Stream(1, 0)
	for tick, more := s.Next(); more; tick, more = s.Next() {
		all := tick.Canary.Requests + tick.Stable.Requests
		weights = append(weights, math.Round(20*float64(tick.Canary.Requests)/float64(all))/20)
		if tick.WeightChanged {
			changes = append(changes, s.Weight())
		}
	}
	if got := weights; len(got) != 4 || got[0] != 0.05 || got[2] != 0.25 || got[3] != 0.5 {
		t.Errorf("shares of requests are %v, want half of 0.1, 0.1, 0.5, 1", got)
	}
	if len(changes) != 2 || changes[0] != 0.5 || changes[1] != 1 {
		t.Errorf("the weight changed to %v, want 0.5 and 1", changes)
	}
	if tick := Steady(100, 0, 1, 1).Stream(1, 0).At(1); tick.Baseline != evidence.Gone || tick.Stable.Requests != 0 {
		t.Errorf("at weight 1 the tick is %+v, want a stable that is gone", tick)
	}
}

func TestTheSameSeedGivesTheSameStream(t *testing.T) {
	for _, name := range Names() {
		var texts [3]strings.Builder
		for i, seed := range []uint64{7, 7, 8} {
			if err := Generate(&texts[i], name, seed, 1); err != nil {
				t.Fatal(err)
			}
		}
		if texts[0].String() != texts[1].String() {
			t.Errorf("%s: two streams of one seed differ", name)
		}
		if texts[0].String() == texts[2].String() {
			t.Errorf("%s: streams of two seeds are the same", name)
		}
	}
	if err := Generate(&strings.Builder{}, "quiet", 1, 0); err == nil || !strings.Contains(err.Error(), "there are clean, moving-baseline,") {
		t.Errorf("a stream that is not there: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, n := range Truths() {
		if err := n.Truth.Validate(); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
	tests := map[string]struct {
		change func(*Truth)
		want   string
	}{
		"share":     {func(t *Truth) { t.Stable = 1.5 }, "stable bad share is 1.5: it must be from 0 to 1"},
		"cluster":   {func(t *Truth) { t.Cluster = 0 }, "cluster is 0: it must be from 1 to 1000"},
		"no number": {func(t *Truth) { t.Ratio = math.NaN() }, "ratio is NaN"},
		"no ladder": {func(t *Truth) { t.Ladder = nil }, "the ladder is empty"},
		"skew":      {func(t *Truth) { t.Skew = 30 }, "weight times skew is from 0 to 1"},
		"no ticks":  {func(t *Truth) { t.Ladder[0].Ticks = 0 }, "0 ticks at weight 0.05"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			truth := Steady(100, 0.01, 0.05, 10)
			tc.change(&truth)
			if err := truth.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

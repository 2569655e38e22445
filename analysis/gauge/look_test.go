package gauge

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func near(t rapid.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func unmoved() moved { return moved{times: 1} }

// Of the pairs of 1, 3, 5 and 2, 3, three are above and one is a tie.
func TestPreferenceByHand(t *testing.T) {
	canary, stable := []float64{1, 3, 5}, []float64{2, 3}
	near(t, "preference", preference(canary, stable, unmoved()), 3.5/6, 1e-15)
	near(t, "preference over twice as much", preference(canary, stable, moved{times: 2}), 1.0/6, 1e-15)
	near(t, "preference over 2 more", preference(canary, stable, moved{times: 1, plus: 2}), 1.5/6, 1e-15)
	if got := below(canary, stable, unmoved()); !slices.Equal(got, []float64{0, 0.75, 1}) {
		t.Errorf("placements %v", got)
	}
}

// The mean of the squares around 7/12 is (49 + 4 + 25)/144/2.
func TestVarianceByHand(t *testing.T) {
	near(t, "variance", variance([]float64{0, 0.75, 1}), 78.0/144/2, 1e-15)
	near(t, "variance of arms that do not overlap", variance([]float64{1, 1, 1}), 1.0/12, 1e-15)
}

// 30 of the canary at 3 and 40 of stable at 1 and 2, worth half: p = 1, and no placement varies.
func TestDeviationByHand(t *testing.T) {
	l := look{canary: slices.Repeat([]float64{3}, 30), stable: append(slices.Repeat([]float64{1}, 20), slices.Repeat([]float64{2}, 20)...),
		canaryWorth: 15, stableWorth: 20}
	near(t, "z", l.deviation(unmoved()), 0.5/math.Sqrt((1.0/15+1.0/20)/12), 1e-12)
	near(t, "shift", l.shift(0.5), 1.5, 0.5)
	lower, upper := l.bounds(1)
	if !(lower >= 1-1e-9 && upper <= 2+1e-9) {
		t.Errorf("from %v to %v", lower, upper)
	}
}

// The differences of 1, 4, 9 and 0, 2 are 1, -1, 4, 2, 9, 7: their median is 3.
func TestShiftIsTheMedianOfDifferences(t *testing.T) {
	l := look{canary: []float64{1, 4, 9}, stable: []float64{0, 2}}
	if d := l.shift(0.5); !(d >= 2-1e-9 && d <= 4+1e-9) {
		t.Errorf("shift is %v", d)
	}
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Float64Range(-1000, 1000), 1, 30)
		l := look{canary: sample.Draw(t, "canary"), stable: sample.Draw(t, "stable")}
		slices.Sort(l.canary)
		slices.Sort(l.stable)
		var differences []float64
		for _, x := range l.canary {
			for _, y := range l.stable {
				differences = append(differences, x-y)
			}
		}
		slices.Sort(differences)
		n, d := len(differences), l.shift(0.5)
		if d < differences[(n-1)/2]-1e-9 || d > differences[n/2]+1e-9 {
			t.Errorf("shift is %v, the middle of the differences from %v to %v", d, differences[(n-1)/2], differences[n/2])
		}
	})
}

func armOf(pods ...[]float64) *arm {
	return &arm{pods: pods, ticks: len(pods[0])}
}

// Values that follow their neighbour with 0.5 have τ = (1 + 0.5)/(1 - 0.5) = 3, with 0.8 they have 9.
func TestInflation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	following := func(follow float64, ticks int) []float64 {
		pod, state := make([]float64, ticks), 0.0
		for i := range pod {
			state = follow*state + math.Sqrt(1-follow*follow)*r.NormFloat64()
			pod[i] = state
		}
		return pod
	}
	for _, tc := range []struct{ follow, want float64 }{{0, 1}, {0.5, 3}, {0.8, 9}} {
		near(t, "τ", armOf(following(tc.follow, 20_000)).inflation(), tc.want, 0.15*tc.want)
	}
	two := armOf(following(0.5, 10_000), following(0.5, 10_000))
	near(t, "τ of two pods", two.inflation(), 3, 0.45)
	for i := range two.pods[1] {
		two.pods[1][i] += 100
	}
	near(t, "τ of two pods with levels of their own", two.inflation(), 3, 0.5)
	near(t, "τ of what never moves", armOf(slices.Repeat([]float64{7}, 50), slices.Repeat([]float64{8}, 50)).inflation(), 50, 0)
	// Holes do not matter where nothing follows anything.
	holes := following(0, 5000)
	for i := 0; i < len(holes); i += 3 {
		holes[i] = math.NaN()
	}
	near(t, "τ with holes", armOf(holes).inflation(), 1, 0.2)
	// Neighbours that are opposite are not taken as worth more than they are.
	zigzag := make([]float64, 1000)
	for i := range zigzag {
		zigzag[i] = float64(i % 2)
	}
	if tau := armOf(zigzag).inflation(); tau < 1 {
		t.Errorf("τ is %v", tau)
	}
}

func TestSpendingAddsUp(t *testing.T) {
	sum := 0.0
	for k := 1; k <= 100_000; k++ {
		sum += spent(0.01, k)
	}
	near(t, "all that is spent", sum, 0.01*(1-1.0/100_001), 1e-12)
}

// Three pods whose logarithms are -0.1, 0, 0.1 have σ = 0.1, and Student's quantile for two degrees of freedom
// and 0.5 % is 9.9248. Against one pod: exp(9.9248·0.1·√(1 + 1/3)).
func TestAllowance(t *testing.T) {
	steady := func(v float64) []float64 { return slices.Repeat([]float64{v}, noiseSamples) }
	one := armOf(steady(5))
	three := armOf(steady(math.Exp(-0.1)), steady(1), steady(math.Exp(0.1)))
	near(t, "allowance", allowance(one, three, 0.05, 0.005), math.Exp(9.9248432*0.1*math.Sqrt(4.0/3)), 1e-6)
	assumed := math.Exp(0.05 * 2.5758293)
	near(t, "allowance of two pods", allowance(one, armOf(three.pods[:2]...), 0.05, 0.005), assumed, 1e-8)
	near(t, "allowance where one has nothing", allowance(one, armOf(steady(0), steady(1), steady(2)), 0.05, 0.005), assumed, 1e-8)
	near(t, "allowance of pods that just came", allowance(one, armOf(three.pods[0][:5], three.pods[1][:5], three.pods[2][:5]), 0.05, 0.005), assumed, 1e-8)
}

func TestEnough(t *testing.T) {
	samples := func(n int) []float64 { return slices.Repeat([]float64{1}, n) }
	for name, tc := range map[string]struct {
		canary, stable           int
		canaryWorth, stableWorth float64
		want                     bool
	}{
		"just so":             {20, 20, 8, 8, true},
		"few of the canary":   {19, 90, 19, 90, false},
		"few of stable":       {90, 19, 90, 19, false},
		"canary worth little": {90, 90, 7.9, 90, false},
		"stable worth little": {90, 90, 90, 7.9, false},
	} {
		l := look{canary: samples(tc.canary), stable: samples(tc.stable), canaryWorth: tc.canaryWorth, stableWorth: tc.stableWorth}
		if l.enough() != tc.want {
			t.Errorf("%s: %v", name, l.enough())
		}
	}
}

// Pods that come later and pods that go leave holes, so that all have the same ticks.
func TestPodsKeepTheirPlace(t *testing.T) {
	var a arm
	for _, samples := range [][]float64{{1}, {2, 20}, {3}, {math.Inf(1), 40, 400}} {
		a.add(samples)
	}
	hole := math.NaN()
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	for name, tc := range map[string]struct {
		got  [][]float64
		want [][]float64
	}{
		"all":     {a.pods, [][]float64{{1, 2, 3, hole}, {hole, 20, hole, 40}, {hole, hole, hole, 400}}},
		"last":    {a.last(2).pods, [][]float64{{3, hole}, {hole, 40}, {hole, 400}}},
		"at most": {a.last(9).pods, a.pods},
	} {
		if !slices.EqualFunc(tc.got, tc.want, func(a, b []float64) bool { return slices.EqualFunc(a, b, same) }) {
			t.Errorf("%s: %v", name, tc.got)
		}
	}
	a.forget(3)
	a.add([]float64{5})
	if a.ticks != 2 || a.pods[0][1] != 5 || a.pods[1][0] != 40 || len(a.sorted()) != 3 {
		t.Errorf("%+v", a)
	}
	if m := median([]float64{1, 2, 4, 8}); m != 3 {
		t.Errorf("median %v", m)
	}
}

// A slow rise with a beat every sixth tick: the pairs of autocorrelations are positive, and the third is larger than
// the second. It counts for no more than that.
func TestPairsNeverCountForMoreThanTheOneBefore(t *testing.T) {
	pod := make([]float64, 48)
	for i := range pod {
		pod[i] = float64(i)
		if i%6 == 0 {
			pod[i] += 24
		}
	}
	a := armOf(pod)
	pods, _ := a.centredRanks()
	sum, before, lag := 0.0, math.Inf(1), 0
	rose := false
	for ; lag < 48; lag += 2 {
		pair := (products(pods, lag) + products(pods, lag+1)) / products(pods, 0)
		if pair <= 0 {
			break
		}
		rose = rose || pair > before
		before = min(before, pair)
		sum += before
	}
	if !rose {
		t.Fatal("no pair is larger than the one before it")
	}
	near(t, "τ", a.inflation(), min(48, (2*sum-1)*(1+2*math.Sqrt(2*float64(2*lag+1)/48))), 1e-9)
}

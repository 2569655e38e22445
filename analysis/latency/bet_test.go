package latency

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Canary 90 + 10, stable 290 + 10 of 400, so w = 1/4. A bet on five times as many slow ones has e^δ = 1, 5 and
// q = 1, 2, so a = 1, 5/2 and b = 1, 1/2. If a fifth of the fast ones would be slow at the margin, it pays
// b_1 = (1 - (0.8 + 0.2·5/2)/4)/(3/4) = 0.9 for those.
func TestBetByHand(t *testing.T) {
	ln := math.Log
	same := kernel{rows: []row{{first: 0}, {first: 1}}}
	fifth := kernel{rows: []row{{first: 0, above: []float64{0.2}}, {first: 1}}}
	tests := map[string]struct {
		delta  []float64
		kernel kernel
		a      float64
		want   float64
	}{
		"no margin":         {[]float64{0, ln(5)}, same, 0, 10*ln(5) - 20*ln(2)},
		"a share more":      {[]float64{0, ln(5)}, same, 0.01, 10*ln(5) - 20*ln(2) - 0.01*100*1.5},
		"a stretch":         {[]float64{0, ln(5)}, fifth, 0, 10*ln(2.5) + 290*ln(0.9) + 10*ln(0.5)},
		"nothing is slower": {[]float64{0, 0}, fifth, 0.3, 0},
		// On the accept side: q = 1, 7/8, so a = 1, 4/7 and b = 1, 8/7; the share more is a gain.
		"half as many slow": {[]float64{0, -ln(2)}, same, 0.01, 10*ln(4.0/7) + 10*ln(8.0/7) + 0.01*100*3/7},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := newExposure(2)
			e.canary, e.stable = []float64{90, 10}, []float64{290, 10}
			e.total()
			b, v, l := newBet(tc.delta), make([]float64, 2), newLogs(2)
			won := b.won(&e, v, &l)
			paid := lost(&e, v, &tc.kernel, b.payments(tc.kernel), &l)
			near(t, "ℓ", ell(won, paid, &e, v, tc.a), tc.want, 1e-12)
		})
	}
	// Alone, 10 slow of 100, where 4 % may be: ln 5 for each, and 100·(1 + 0.04·4 - 1) are expected.
	e := &exposure{canary: []float64{90, 10}, nc: 100}
	b := newBet([]float64{0, ln(5)})
	near(t, "ℓ alone", b.alone(e, []float64{0.04}), 10*ln(5)-16, 1e-12)
}

// The formula as it is written, with a matrix for the kernel.
func naiveEll(b bet, e *exposure, k kernel, a float64) float64 {
	n, w := len(b.delta), e.nc/(e.nc+e.ns)
	as := make([]float64, n)
	sum := 0.0
	for j, d := range b.delta {
		as[j] = math.Exp(d) / (1 - w + w*math.Exp(d))
		sum += e.canary[j] * math.Log(as[j])
	}
	for i := range n {
		mean, left := 0.0, 1.0
		for j := n - 1; j >= 0; j-- {
			above := 0.0
			if j > 0 {
				above = k.rows[i].longer(j - 1)
			} else {
				above = 1
			}
			here := above - (1 - left)
			mean += here * as[j]
			left -= here
		}
		sum += e.stable[i] * math.Log((1-w*mean)/(1-w))
	}
	return sum - a*e.nc*(as[n-1]-as[0])
}

func TestBetAsTheFormulaIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plain(rapid.SampledFrom([]float64{0.8, 1, 1.1, 2, 7}).Draw(t, "stretch"), rapid.SampledFrom([]float64{0, 0.001, 0.1}).Draw(t, "a"))
		h := drawHistory(t)
		c := comparison(t, p, h.bounds, h.counts)
		j := c.judges
		e := j.load(drawArm(t, len(h.bounds)+1, "canary"), drawArm(t, len(h.bounds)+1, "stable"))
		for _, s := range append(slices.Clone(j.accept), j.reject) {
			for g := range s.bets {
				b, k := s.bets[g], &s.guards[0].kernel
				got := s.ell(g, 0, b.won(e, s.v, &s.logs), e)
				want := naiveEll(b, e, *k, s.excess)
				near(t, "ℓ", got, want, 1e-9*(1+math.Abs(want)+e.nc+e.ns))
			}
		}
	})
}

// history of a test.
type history struct {
	bounds []float64
	counts []int64
}

// drawHistory draws histograms of all sorts, also with holes and with everything in one bucket.
func drawHistory(t *rapid.T) history {
	h := history{bounds: rapid.SampledFrom([][]float64{{1}, {1, 2}, fourBounds(), classic(), native()}).Draw(t, "bounds")}
	for range len(h.bounds) + 1 {
		h.counts = append(h.counts, rapid.SampledFrom([]int64{0, 0, 1, 5, 100, 10_000}).Draw(t, "history"))
	}
	h.counts[rapid.IntRange(0, len(h.bounds)).Draw(t, "most in")] += enoughHistory
	return h
}

// drawArm draws requests by bucket, at least one.
func drawArm(t *rapid.T, buckets int, what string) []int64 {
	arm := make([]int64, buckets)
	for j := range arm {
		arm[j] = rapid.SampledFrom([]int64{0, 0, 0, 1, 2, 30, 500}).Draw(t, what)
	}
	arm[rapid.IntRange(0, buckets-1).Draw(t, what+" in")]++
	return arm
}

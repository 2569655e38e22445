package canarybench

import (
	"math"
	"testing"
)

// The closed form for a = 0.
func TestInformationWithoutAbsoluteMargin(t *testing.T) {
	for _, e := range []Effect{
		{Canary: 0.01, Stable: 0.001, Weight: 0.05, Relative: 1},
		{Canary: 0.006, Stable: 0.005, Weight: 0.5, Relative: 1.1},
		{Canary: 0.002, Stable: 0.01, Weight: 0.25, Relative: 1.1},
	} {
		rate := e.Weight*e.Canary + (1-e.Weight)*e.Stable
		share, null := e.Weight*e.Canary/rate, e.Weight*e.Relative/(e.Weight*e.Relative+1-e.Weight)
		want := rate * (share*math.Log(share/null) + (1-share)*math.Log((1-share)/(1-null)))
		if got := e.Information(); math.Abs(got-want) > 1e-12 {
			t.Errorf("%+v: information is %v, want %v", e, got, want)
		}
	}
}

// What the best bet of package evidence wins on average is all that there is to know:
// max over δ of E[ℓ(δ)] per request = I.
func TestInformationIsWhatTheBestBetWins(t *testing.T) {
	for _, e := range []Effect{
		{Canary: 0.01, Stable: 0.001, Weight: 0.05, Relative: 1.1, Absolute: 0.0005},
		{Canary: 0.008, Stable: 0.005, Weight: 0.5, Relative: 1.1, Absolute: 0.0005},
		{Canary: 0.005, Stable: 0.005, Weight: 0.25, Relative: 1.1, Absolute: 0.0005}, // the accept side
	} {
		best, w, r := math.Inf(-1), e.Weight, e.Relative
		for delta := -5.0; delta < 5; delta += 1e-4 {
			s := 1 - w + r*w*math.Exp(delta)
			won := delta*w*e.Canary - (w*e.Canary+(1-w)*e.Stable)*math.Log(s/(1-w+r*w)) - e.Absolute*w*(1-w)*math.Expm1(delta)/s
			best = max(best, won)
		}
		if got := e.Information(); math.Abs(got-best) > 1e-9 {
			t.Errorf("%+v: information is %v, the best bet wins %v", e, got, best)
		}
	}
}

func TestInformationOfLatencies(t *testing.T) {
	tests := map[string]struct {
		slowness Slowness
		want     float64
	}{
		"slower": {Slowness{Canary: []float64{0.5, 0.5}, Stable: []float64{0.9, 0.1}, Weight: 0.5},
			0.25*math.Log(0.25/0.7/0.5) + 0.45*math.Log(0.45/0.7/0.5) + 0.25*math.Log(0.25/0.3/0.5) + 0.05*math.Log(0.05/0.3/0.5)},
		"faster tells nothing": {Slowness{Canary: []float64{0.9, 0.1}, Stable: []float64{0.5, 0.5}, Weight: 0.5}, 0},
		"alike":                {Slowness{Canary: []float64{0.2, 0.8}, Stable: []float64{0.2, 0.8}, Weight: 0.1}, 0},
		// The hole in the middle is pooled with what is below: only that less is below counts.
		"a hole": {Slowness{Canary: []float64{0.5, 0, 0.5}, Stable: []float64{0.5, 0.3, 0.2}, Weight: 0.5},
			0.25*math.Log(0.25/0.65/0.5) + 0.4*math.Log(0.4/0.65/0.5) + 0.25*math.Log(0.25/0.35/0.5) + 0.1*math.Log(0.1/0.35/0.5)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tc.slowness.Information(); math.Abs(got-tc.want) > 1e-12 {
				t.Errorf("information is %v, want %v", got, tc.want)
			}
		})
	}
}

// At the limit, as few events or fewer have a probability of 5 %.
func TestUpperLimit(t *testing.T) {
	for _, tc := range []struct{ events, n int }{{0, 100}, {1, 50}, {7, 2000}, {99, 100}} {
		p, sum := UpperLimit(tc.events, tc.n), 0.0
		for k := 0; k <= tc.events; k++ {
			a, _ := math.Lgamma(float64(tc.n + 1))
			b, _ := math.Lgamma(float64(k + 1))
			c, _ := math.Lgamma(float64(tc.n - k + 1))
			sum += math.Exp(a - b - c + float64(k)*math.Log(p) + float64(tc.n-k)*math.Log1p(-p))
		}
		if math.Abs(sum-0.05) > 1e-9 {
			t.Errorf("%d of %d: the limit is %v, where as few have a probability of %v", tc.events, tc.n, p, sum)
		}
	}
	if p := UpperLimit(5, 5); p != 1 {
		t.Errorf("5 of 5: the limit is %v, want 1", p)
	}
}

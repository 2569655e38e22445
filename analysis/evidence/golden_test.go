package evidence

import (
	"fmt"
	"math"
	"testing"
)

// ℓ where it can be done by hand.
func TestTermByHand(t *testing.T) {
	ln := math.Log
	tests := map[string]struct {
		term  term
		delta float64
		a, b  float64 // ℓ = a - margin·b
	}{
		// S/(n_s+n_c) = (100+100·3)/200 = 2, so A = 3·ln 3 - 4·ln 2, B = 100·100·2/400.
		"twice as much as expected": {compared(Counts{100, 3}, Counts{100, 1}, 1), ln(3), ln(27.0 / 16), 50},
		// S/(n_s+n_c) = (100+100/3)/200 = 2/3, so A = -3·ln 3 - 4·ln(2/3), B = 100·100·(-2/3)/(400/3).
		"better": {compared(Counts{100, 3}, Counts{100, 1}, 1), -ln(3), ln(3.0 / 16), -50},
		// r·n_c takes the place of n_c, but in B it stands once as it is: 50·100·2/(100+2·50·3).
		"relative margin": {compared(Counts{50, 3}, Counts{100, 1}, 2), ln(3), ln(27.0 / 16), 25},
		// One sample: A = 3·ln 2, B = 200·1.
		"absolute level": {alone(Counts{200, 3}), ln(2), 3 * ln(2), 200},
		// r = 0 in the two-sample form is the one-sample form, whatever the stable does.
		"no relative margin": {compared(Counts{200, 3}, Counts{500, 9}, 0), ln(2), 3 * ln(2), 200},
		// Nothing was bad: A = 0, B = 100·300·1/(300+100·2).
		"nothing bad": {compared(Counts{100, 0}, Counts{300, 0}, 1), ln(2), 0, 60},
		// e^-40 is as good as nothing: A = -2·40 - 3·ln(300/400), B = -100·300/300.
		"as if the canary had no errors": {compared(Counts{100, 2}, Counts{300, 1}, 1), -40, -80 - 3*ln(0.75), -100},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := tc.term.parts(newNode(tc.delta))
			near(t, "A", a, tc.a, 1e-12)
			near(t, "B", b, tc.b, 1e-12)
		})
	}
}

// Canary 2 of 100, stable 1 of 300, r = 1, a = 0. With k = 3 and q = (300 + 100·e^δ)/400, e^ℓ = e^{2δ}/q³:
//
//	δ_g = 0.15·(4/0.15)^{g/8}    q           e^ℓ
//	0.150000                     1.040459    1.198434
//	0.226119                     1.063431    1.307002
//	0.340866                     1.101541    1.479347
//	0.513842                     1.167925    1.754172
//	0.774597                     1.292429    2.180649
//	1.167674                     1.553627    2.755426
//	1.760223                     2.203434    3.159443
//	2.653468                     4.300803    2.535855
//	4.000000                     14.399538   0.998413
//
// The mean of the last column is 1.929860, and its logarithm 0.657448.
func TestMixtureByHand(t *testing.T) {
	c := added(t, plain(1, 0), both(100, 2, 300, 1))
	near(t, "ln E", c.LogE(), 0.6574475253117052, 1e-12)
	near(t, "ln E of the accept side", c.LogAccept(), -1.0138080570400245, 1e-12)
	c = added(t, plain(1.1, 0.0005), both(100, 2, 300, 1))
	near(t, "ln E with margins", c.LogE(), 0.5271766353947936, 1e-12)
	near(t, "ln E of the accept side with margins", c.LogAccept(), -0.9931237316712305, 1e-12)
}

// Three ticks, the last at a new weight: from the formulas, in another language.
func TestRestartsAndNoise(t *testing.T) {
	ticks := []Tick{both(250, 3, 4750, 20), both(250, 6, 4750, 22), both(1250, 9, 3750, 19)}
	ticks[2].WeightChanged = true
	p := Defaults()
	p.Phi, p.Noise = 1, 0
	near(t, "ln E with restarts", added(t, p, ticks...).LogE(), 0.9049989373544729, 1e-12)
	c := added(t, Defaults(), ticks...)
	near(t, "ln E with the defaults", c.LogE(), -0.5426382763932689, 1e-12)
	near(t, "ln E of the accept side with the defaults", c.LogAccept(), -0.9656667130626626, 1e-12)
	lower, upper := c.Interval()
	near(t, "lower", lower, -0.009898710234582924, 1e-10)
	near(t, "upper", upper, 0.024451912078098683, 1e-10)
}

// Every bet wins more than the cap lets through, which for α = 1 % is a factor of 100^¾ = 31.62. With the
// reserve R₀ = ½ and h = 1/360:
//
//	tick    R           ΣM = (ΣM + h·R)·31.62    E
//	0       0.498611       15.855309              16.353920
//	1       0.497226      501.432687             501.929913
func TestCapTakesTwoTicks(t *testing.T) {
	p := Defaults()
	p.Phi, p.Noise = 1, 0
	c := comparison(t, p)
	for i, want := range []float64{16.3539199350109, 501.9299134907407} {
		// So many that also the bet on 1.16 times the margin would win more than a factor of 10.
		c.Add(both(100_000, 50_000, 100_000, 1))
		near(t, fmt.Sprintf("E after tick %d", i), math.Exp(c.LogE()), want, 1e-9)
		if failed := c.Verdict() == Fail; failed != (i == 1) {
			t.Errorf("after tick %d: %s", i, c.Verdict())
		}
	}
	for name, seconds := range map[string]float64{"noise": 10, "noise and ticks of an hour": 3600} {
		p := Defaults()
		p.TickSeconds = seconds
		c := comparison(t, p)
		for i := range 2 {
			tick := both(100_000, 50_000, 100_000, 1)
			tick.WeightChanged = i == 1
			c.Add(tick)
			if failed := c.Verdict() == Fail; failed != (i == 1) {
				t.Errorf("with %s, after tick %d: %s", name, i, c.Verdict())
			}
		}
	}
}

// The canary's 361 of 5,012 against 48 of 15,110: by bisection of the formula, in another language.
func TestIntervalOfOneTick(t *testing.T) {
	lower, upper := added(t, plain(1, 0), both(5012, 361, 15110, 48)).Interval()
	near(t, "lower", lower, 0.05550304351878522, 1e-10)
	near(t, "upper", upper, 0.08471091961804723, 1e-10)
}

// No error in either arm. On the accept side B = -n_c at δ = -40, so that bet alone gives
// E ≥ 0.3·e^{a·n_c/φ}, and Pass comes at n_c = φ·ln(20/0.3)/a at the latest.
func TestHowManyGoodRequestsPass(t *testing.T) {
	p := Defaults()
	latest := int64(p.Phi*math.Log(20/0.3)/p.MarginAbsolute) + 1
	c := comparison(t, p)
	for requests := int64(0); requests < latest; requests += 100 {
		c.Add(both(100, 0, 1900, 0))
	}
	if c.Verdict() != Pass {
		t.Errorf("%s after %d requests without an error", c.Verdict(), latest)
	}
	if r := c.Report(); r.Canary.Requests < latest*9/10 {
		t.Errorf("Pass after %d requests: the other bets should not matter so much", r.Canary.Requests)
	}
}

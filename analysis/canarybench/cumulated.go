package canarybench

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// cumulated is a judge that looks, after every tick, at all counts so far.
type cumulated struct {
	canary, stable evidence.Counts
	reject         func(canary, stable evidence.Counts) bool
	rejected       bool
}

func (c *cumulated) Add(t evidence.Tick) {
	c.canary, c.stable = plus(c.canary, t.Canary), plus(c.stable, t.Stable)
	if !c.rejected && c.canary.Requests > 0 && c.stable.Requests > 0 {
		c.rejected = c.reject(c.canary, c.stable)
	}
}

func (c *cumulated) RollsBack() bool { return c.rejected }

func cumulating(name string, reject func(canary, stable evidence.Counts) bool) Rule {
	return Rule{name, func(Truth, evidence.Dispersion) Judge { return &cumulated{reject: reject} }}
}

// RepeatedZ is the test of two shares of the textbooks, one-sided with α, at every tick:
//
//	z = (x_c/n_c - x_s/n_s)/√( p·(1-p)·(1/n_c + 1/n_s) ),    p = (x_c + x_s)/(n_c + n_s)
//
// It is right for one look.
func RepeatedZ(alpha float64) Rule {
	enough := distuv.UnitNormal.Quantile(1 - alpha)
	return cumulating("repeated z-test", func(c, s evidence.Counts) bool {
		p := plus(c, s).BadShare()
		variance := p * (1 - p) * (1/float64(c.Requests) + 1/float64(s.Requests))
		return variance > 0 && c.BadShare()-s.BadShare() > enough*math.Sqrt(variance)
	})
}

// MSPRT is the mixture sequential probability ratio test of Johari, Koomen, Pekelis and Walsh, Always Valid
// Inference: Continuous Monitoring of A/B Tests, Operations Research 70 (2022), equation for two streams with a
// normal mixture N(0, τ²) over the difference d, whose variance is v:
//
//	Λ = √( v/(v + τ²) ) · exp( τ²·d²/(2·v·(v + τ²)) ),    reject when Λ ≥ 1/α
//
// with v = p_c(1-p_c)/n_c + p_s(1-p_s)/n_s from the counts so far. It is two-sided; only a worse canary is
// rolled back. τ is the size of the differences that one expects.
func MSPRT(alpha, tau float64) Rule {
	enough := -math.Log(alpha)
	return cumulating("mSPRT", func(c, s evidence.Counts) bool {
		d, v := difference(c, s)
		if d <= 0 || v == 0 {
			return false
		}
		return (math.Log(v/(v+tau*tau))+tau*tau*d*d/(v*(v+tau*tau)))/2 >= enough
	})
}

// Sequence is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
// Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 52 (2024), in the
// one-sided form: the canary is rolled back when the lower bound for the difference is above 0,
//
//	d > σ·√( 2·(t·ρ² + 1)/(t²·ρ²) · ln( 1 + √(t·ρ² + 1)/(2α) ) )
//
// with t requests and σ²/t = v as above, and ρ such that the bound is tightest at about `tuned` requests:
// ρ² = ( -2·ln(2α) + ln(-2·ln(2α) + 1) )/tuned.
func Sequence(alpha, tuned float64) Rule {
	l := -2 * math.Log(2*alpha)
	squared := (l + math.Log(l+1)) / tuned // ρ²
	return cumulating("confidence sequence", func(c, s evidence.Counts) bool {
		d, v := difference(c, s)
		t := float64(c.Requests+s.Requests) * squared
		return d > math.Sqrt(v*2*(t+1)/t*math.Log1p(math.Sqrt(t+1)/(2*alpha))) && v > 0
	})
}

// difference of the bad shares, and its variance.
func difference(c, s evidence.Counts) (d, variance float64) {
	pc, ps := c.BadShare(), s.BadShare()
	return pc - ps, pc*(1-pc)/float64(c.Requests) + ps*(1-ps)/float64(s.Requests)
}

package evidence

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The judge once more, as docs/analysis.md writes it: number by number, without sharing anything with the code.

func naiveEll(delta float64, canary, stable Counts, r, a float64) float64 {
	nc, ns, x := float64(canary.Requests), float64(stable.Requests), float64(canary.Bad)
	k := x + float64(stable.Bad)
	if r == 0 {
		return delta*x - a*nc*(math.Exp(delta)-1)
	}
	s := ns + r*nc*math.Exp(delta)
	return delta*x - k*math.Log(s/(ns+r*nc)) - a*nc*ns*(math.Exp(delta)-1)/s
}

// naiveLogE is ln E of both sides after blocks that both have requests of both arms.
func naiveLogE(p Params, ticks []Tick) (reject, accept float64) {
	reject, accept = math.Inf(1), math.Inf(1)
	for _, guard := range naiveGuards(p.Noise, p.Alpha) {
		e := naiveReject(p, ticks, p.MarginRelative*math.Exp(guard[0]), p.MarginAbsolute*math.Exp(guard[0]))
		reject = min(reject, math.Log(guard[1]*e))
	}
	for _, guard := range naiveGuards(p.AcceptNoise, p.Beta) {
		e := naiveAccept(p, ticks, p.MarginRelative*math.Exp(-guard[0]), p.MarginAbsolute*math.Exp(-guard[0]))
		accept = min(accept, math.Log(guard[1]*e))
	}
	return reject, accept
}

func naiveReject(p Params, ticks []Tick, r, a float64) float64 {
	reserve, limit := 0.5, math.Pow(p.Alpha, -0.75)
	if p.NoRestart {
		reserve = 0
	}
	if p.NoCap {
		limit = math.Inf(1)
	}
	bets := make([]float64, 9)
	for g := range bets {
		bets[g] = (1 - reserve) / 9
	}
	sum := 0.0
	for i, tick := range ticks {
		h := 1 - math.Pow(1-1.0/360, p.TickSeconds/10)
		if tick.WeightChanged && i > 0 {
			h = 0.5
		}
		sum = 0
		for g := range bets {
			delta := 0.15 * math.Pow(4/0.15, float64(g)/8)
			won := math.Exp(naiveEll(delta, tick.Canary, tick.Stable, r, a) / p.Phi)
			bets[g] = (bets[g] + h*reserve/9) * min(won, limit)
			sum += bets[g]
		}
		reserve *= 1 - h
	}
	return reserve + sum
}

// The accept side begins afresh where the weight changes, the first tick included.
func naiveAccept(p Params, ticks []Tick, r, a float64) float64 {
	total := func(delta float64) float64 {
		sum := 0.0
		for _, tick := range ticks {
			if tick.WeightChanged {
				sum = 0
			}
			sum += naiveEll(delta, tick.Canary, tick.Stable, r, a) / p.Phi
		}
		return sum
	}
	e := 0.3 * math.Exp(total(-40))
	for g := range 9 {
		e += 0.7 / 9 * math.Exp(total(-0.05*math.Pow(3/0.05, float64(g)/8)))
	}
	return e
}

// naiveGuards are pairs of z·s and c.
func naiveGuards(s, chance float64) [][2]float64 {
	if s == 0 {
		return [][2]float64{{0, 1}}
	}
	below := func(z float64) float64 { return (1 + math.Erf(z/math.Sqrt2)) / 2 }
	last := 1
	for 1-below(float64(last)/2) > chance/4 {
		last++
	}
	spent := 0.0
	for j := 1; j <= last; j++ {
		cell := below(float64(j) / 2)
		if j > 1 {
			cell -= below(float64(j-1) / 2)
		}
		spent += cell * math.Exp(math.Pow(float64(j)/2-0.25, 2)/2)
	}
	scale := (1 - (1-below(float64(last)/2))/chance) / spent
	guards := make([][2]float64, 0, last)
	for j := 1; j <= last; j++ {
		guards = append(guards, [2]float64{s * float64(j) / 2, scale * math.Exp(math.Pow(float64(j)/2-0.25, 2)/2)})
	}
	return guards
}

func TestAgainstTheFormulasAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ticks := drawParams(t), drawTicks(t, 12)
		c := comparison(t, p)
		for _, tick := range ticks {
			c.Add(tick)
		}
		reject, accept := naiveLogE(p, ticks)
		if near := math.Abs(c.LogE() - reject); !(near < 1e-7) {
			t.Errorf("ln E is %v, want %v", c.LogE(), reject)
		}
		if near := math.Abs(c.LogAccept() - accept); !(near < 1e-7) {
			t.Errorf("ln E of the accept side is %v, want %v", c.LogAccept(), accept)
		}
	})
}

func drawParams(t *rapid.T) Params {
	p := Defaults()
	p.Alpha = rapid.Float64Range(0.0001, 0.2).Draw(t, "alpha")
	p.Beta = rapid.Float64Range(0.001, 0.2).Draw(t, "beta")
	p.MarginRelative = rapid.SampledFrom([]float64{0, 0.8, 1, 1.1, 2}).Draw(t, "r")
	p.MarginAbsolute = rapid.SampledFrom([]float64{0, 0.0005, 0.02}).Draw(t, "a")
	if p.MarginRelative == 0 {
		p.MarginAbsolute = max(p.MarginAbsolute, 0.001)
	}
	p.Phi = rapid.SampledFrom([]float64{1, 1.5, 2, 7}).Draw(t, "phi")
	p.Noise = rapid.SampledFrom([]float64{0, 0.05, 0.3}).Draw(t, "noise")
	p.AcceptNoise = rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "noise of the accept side")
	p.TickSeconds = rapid.SampledFrom([]float64{1, 10, 60}).Draw(t, "tick")
	p.NoRestart, p.NoCap = rapid.Bool().Draw(t, "no restart"), rapid.Bool().Draw(t, "no cap")
	return p
}

// drawTicks draws ticks in which both arms have requests, with some good ones left in each.
func drawTicks(t *rapid.T, most int) []Tick {
	arm := rapid.Custom(func(t *rapid.T) Counts {
		n := rapid.Int64Range(2, 2000).Draw(t, "requests")
		return Counts{n, min(n-1, rapid.SampledFrom([]int64{0, 0, 1, 2, 5, 30}).Draw(t, "bad"))}
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Tick {
		return Tick{Canary: arm.Draw(t, "canary"), Stable: arm.Draw(t, "stable"),
			WeightChanged: rapid.IntRange(0, 5).Draw(t, "weight changed") == 0}
	}), 1, most).Draw(t, "ticks")
}

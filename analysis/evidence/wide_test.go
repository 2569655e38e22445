package evidence

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// logAdd is ln(e^x + e^y).
func logAdd(x, y float64) float64 { return logSum([]float64{x, y}) }

func TestWideByHand(t *testing.T) {
	if nothing := wideOf(0).log(); !math.IsInf(nothing, -1) {
		t.Errorf("nothing is e^%v", nothing)
	}
	near(t, "three", wideOf(3).log(), math.Log(3), 1e-15)
	three := wideOf(3)
	three.times(10_000)
	three.times(-10_000)
	near(t, "there and back", three.log(), math.Log(3), 1e-12)
	three.times(math.Inf(-1))
	if nothing := three.log(); !math.IsInf(nothing, -1) {
		t.Errorf("three times nothing is e^%v", nothing)
	}
	three.plus(0.5, wideOf(8))
	near(t, "nothing and a half of eight", three.log(), math.Log(4), 1e-15)
	three.plus(0.5, wideOf(0))
	near(t, "and nothing", three.log(), math.Log(4), 1e-15)
}

// Sums and products as logarithms have them, near the edges of a step above all.
func TestWideAsLogarithms(t *testing.T) {
	exponent := rapid.OneOf(rapid.Float64Range(-3, 3), rapid.Float64Range(-300, 300), rapid.Float64Range(-1e6, 1e6),
		rapid.SampledFrom([]float64{0, 127.9, 128, 128.1, 255.9, 256, 256.1, 384, -128, -128.1, -256, -384, 1e9, -1e9}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := wideOf(1), wideOf(0)
		logA, logB, largest := 0.0, math.Inf(-1), 1.0
		for range rapid.IntRange(1, 40).Draw(t, "operations") {
			x := exponent.Draw(t, "x")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				a.times(x)
				logA += x
			case 1:
				b.times(x)
				logB += x
			default:
				share := rapid.Float64Range(1e-6, 1).Draw(t, "share")
				b.plus(share, a)
				logB = logAdd(logB, logA+math.Log(share))
			}
			largest = max(largest, math.Abs(logA), math.Abs(x))
			if !(math.Abs(a.log()-logA) <= 1e-14*largest*40) {
				t.Fatalf("%v is e^%v, want e^%v", a, a.log(), logA)
			}
			if math.IsInf(logB, -1) != (b.part == 0) || !math.IsInf(logB, -1) && !(math.Abs(b.log()-logB) <= 1e-14*(largest+math.Abs(logB))*40) {
				t.Fatalf("%v is e^%v, want e^%v", b, b.log(), logB)
			}
		}
	})
}

// What a bet lost in one half of the time it wins back in the other, also where another one was far ahead in between.
func TestMixtureForgetsNoBet(t *testing.T) {
	m := NewMixture([]float64{0.5, 0.5}, 0)
	for range 1000 {
		m.Win(0, -50)
		m.Win(1, 50)
	}
	near(t, "ln E of the winner", m.LogE(), 50_000-math.Ln2, 1e-6)
	for range 2000 {
		m.Win(0, 50)
		m.Win(1, -50)
	}
	near(t, "ln E of the other", m.LogE(), 50_000-math.Ln2, 1e-6)
}

package evidence

import (
	"math"
	"slices"
)

// Part is one metric's share in a verdict over several.
type Part struct {
	Name  string
	Alpha float64
	LogE  float64
}

// Merged is what several comparisons say together.
type Merged struct {
	// LogE is the logarithm of Σ ω_m E_m, Threshold what it must reach: ln(1/Σα).
	LogE, Threshold float64
	Fail            bool
	// Culprit is the part with the largest ω_m E_m, and Share how much of the sum that is.
	Culprit string
	Share   float64
}

// Merge weighs the evidence of several metrics by their alphas:
//
//	ω_m = α_m/Σα,    Fail when Σ ω_m·E_m ≥ 1/Σα
//
// A mean of supermartingales is one, whatever they have to do with each other, so a healthy canary is
// ever rejected with probability ≤ Σα. A part that reaches its own 1/α_m reaches this threshold
// alone; two that nearly do reach it together. The order of parts changes no bit of the result;
// of two equal parts, the culprit is the one whose name is first.
func Merge(parts []Part) Merged {
	m := Merged{LogE: logZero()}
	alphas, weighted := make([]float64, 0, len(parts)), make([]float64, 0, len(parts))
	top := -1
	for i, p := range parts {
		alphas, weighted = append(alphas, p.Alpha), append(weighted, p.weighted())
		if top < 0 || p.accuses(parts[top]) {
			top = i
		}
	}
	if top < 0 {
		m.Threshold = math.Inf(1)
		return m
	}
	slices.Sort(alphas)
	slices.Sort(weighted)
	whole := 0.0
	for _, alpha := range alphas {
		whole += alpha
	}
	sum := logSum(weighted) // ln Σ α_m·E_m, which is compared with 1
	m.LogE, m.Threshold = sum-math.Log(whole), -math.Log(whole)
	m.Fail = sum >= 0
	m.Culprit, m.Share = parts[top].Name, math.Exp(parts[top].weighted()-sum)
	return m
}

func (p Part) weighted() float64 { return math.Log(p.Alpha) + p.LogE }

func (p Part) accuses(other Part) bool {
	a, b := p.weighted(), other.weighted()
	return a > b || a == b && p.Name < other.Name
}

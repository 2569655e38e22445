package gauge

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// noisePods is from how many of stable's pods on their differences are measured, and noiseSamples how many
	// samples each of them needs.
	noisePods    = 3
	noiseSamples = 12
)

// allowance is the factor by which pods of one version may differ for good, with a probability of at least
// 1 - chance: one sits on a slower node, one has more in its cache. Where stable has three pods or more, the
// logarithms of their medians are a sample of what pods do, and the canary's mean is a draw from the same:
//
//	exp( t·σ·√(1/m_c + 1/m_s) )
//
// with σ their standard deviation and t the quantile of Student's distribution for m_s - 1 degrees of
// freedom: of three pods little is known, and the factor is large. Otherwise it is exp(z·noise).
func allowance(canary, stable *arm, noise, chance float64) float64 {
	logs := stable.logMedians()
	pods := float64(len(canary.logMedians()))
	if len(logs) < noisePods || pods == 0 {
		return math.Exp(noise * normalQuantile(chance))
	}
	mean, squares, n := 0.0, 0.0, float64(len(logs))
	for _, l := range logs {
		mean += l / n
	}
	for _, l := range logs {
		squares += (l - mean) * (l - mean)
	}
	sigma := math.Sqrt(squares / (n - 1))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(1 - chance)
	return math.Exp(min(maxLog, t*sigma*math.Sqrt(1/pods+1/n)))
}

// maxLog keeps a factor a number.
const maxLog = 100

// logMedians of the pods with enough samples; none if one of them is not positive, as then there is no ratio.
func (a *arm) logMedians() []float64 {
	var logs []float64
	for _, pod := range a.pods {
		samples := reported(pod)
		if len(samples) < noiseSamples {
			continue
		}
		slices.Sort(samples)
		m := median(samples)
		if m <= 0 {
			return nil
		}
		logs = append(logs, math.Log(m))
	}
	return logs
}

// normalQuantile is the z that a standard normal variable exceeds with such a chance.
func normalQuantile(chance float64) float64 { return math.Sqrt2 * math.Erfcinv(2*chance) }

package latency

import "github.com/belay-dev/belay/analysis/evidence"

// DefaultNoise is what is assumed of pods: the standard deviation of the logarithm of the stretch between two
// sets of them. It is less than what is assumed of bad requests: one customer or one stuck connection changes
// the few bad requests of a pod, and hardly changes how long its thousands of others take. It is an
// assumption, and a compromise: noise costs three times itself on top of the margin, so that with a stretch
// of 1.1 and a noise of 0.05 nothing below 1.28 would be found, however long one looks; with 0.02 that
// is 1.17. Where pods are known to differ by more, as on nodes of several kinds, more must be said.
const DefaultNoise = 0.02

// AssumedDispersion of latencies.
func AssumedDispersion() evidence.Dispersion {
	return evidence.Dispersion{Phi: evidence.DefaultPhi, PodNoise: DefaultNoise}
}

// Defaults of a comparison of latencies.
func Defaults() evidence.Params {
	p := evidence.Defaults()
	p.Noise = DefaultNoise
	return p
}

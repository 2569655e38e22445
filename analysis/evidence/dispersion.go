package evidence

import "math"

// Dispersion is by how much bad requests scatter more than chance alone makes them.
type Dispersion struct {
	// Phi is the short-range dispersion: the variance of a pod's bad requests over a few ticks,
	// divided by their mean. Bad requests that come in clusters of five have φ = 5.
	Phi float64
	// PodNoise is the standard deviation of what lasts: the log of a pod's bad share against that of
	// equal pods.
	PodNoise float64
	// PhiKnown and NoiseKnown say which of the two was measured; the other is what is assumed.
	PhiKnown, NoiseKnown bool
}

// AssumedDispersion is for metrics whose pods cannot be told apart.
func AssumedDispersion() Dispersion {
	return Dispersion{Phi: DefaultPhi, PodNoise: DefaultNoise}
}

// Noise is s for a canary of some pods against a stable of some pods: means over more pods scatter
// less. What is assumed is assumed of the arms.
func (d Dispersion) Noise(canaryPods, stablePods int) float64 {
	switch {
	case !d.NoiseKnown:
		return d.PodNoise
	case canaryPods < 1 || stablePods < 1:
		return DefaultNoise
	}
	return min(maxNoise, d.PodNoise*math.Sqrt(1/float64(canaryPods)+1/float64(stablePods)))
}

const (
	// dispersionBlocks is into how many blocks the window is cut at least where short-range dispersion
	// is measured; what lasts longer than such a block counts as lasting.
	dispersionBlocks = 8
	// phiErrors and phiFreedom are how many bad requests and degrees of freedom an estimate of φ needs.
	phiErrors, phiFreedom = 50, 30
	// noiseSeen is by how many standard deviations noise must be visible before an estimate replaces the
	// assumption, unless so much was seen that noise as large as assumed could not have hidden.
	noiseSeen = 3
)

// EstimateDispersion measures both from what the stable's own pods did: pods[i][t] is pod i in tick t of
// one grid, no requests where it did not run. It compares pods with each other within blocks of ticks,
// so what moves all pods together does not count.
//
// For blocks of b ticks, with k_B bad requests in block B, q_i the share of its requests that pod i had,
// and m_B pods with requests,
//
//	φ(b) = Σ_B Σ_i (x_iB - k_B·q_i)²/q_i  /  Σ_B (m_B - 1)·k_B
//
// which is 1 on average if each bad request hits pods by their share of requests, and E[c²]/E[c] if bad
// requests come in clusters of size c within a block. A lasting difference between pods with standard
// deviation σ adds σ²·μ(b), where μ(b) = Σ k_B²/Σ m_B·k_B is the number of bad requests of a pod in a
// block: it grows with the block, and clusters do not. So the slope between the longest blocks is σ², and
// what is left in the short ones is φ.
func EstimateDispersion(pods [][]Counts) Dispersion {
	d := AssumedDispersion()
	ticks := longest(pods)
	if ticks < dispersionBlocks {
		return d
	}
	whole, short := scatterOf(pods, ticks), scatterOf(pods, ticks/dispersionBlocks)
	if short.errors < phiErrors || short.freedom < phiFreedom {
		return d
	}
	slope, grows := slopeBetween(short, whole)
	d.Phi, d.PhiKnown = largestPhi(pods, ticks/dispersionBlocks, slope), true
	// The slope is known up to about its standard deviation, which goes on top of it.
	doubt := d.Phi * math.Sqrt(2/whole.freedom) / whole.errorsPerPod()
	if grows && (doubt <= DefaultNoise*DefaultNoise || slope >= noiseSeen*doubt) {
		d.PodNoise, d.NoiseKnown = min(maxNoise, math.Sqrt(slope+doubt)), true
	}
	return d
}

func longest(pods [][]Counts) int {
	ticks := 0
	for _, pod := range pods {
		ticks = max(ticks, len(pod))
	}
	return ticks
}

// slopeBetween is by how much φ(b) rises with μ(b), if the longer blocks do have more bad requests: where
// all of them came at one time, there is nothing to tell what lasts from what does not.
func slopeBetween(short, whole scatter) (slope float64, grows bool) {
	if whole.errorsPerPod() < 1.5*short.errorsPerPod() {
		return 0, false
	}
	return max(0, (whole.phi()-short.phi())/(whole.errorsPerPod()-short.errorsPerPod())), true
}

// largestPhi over blocks of 1, 2, 4 … ticks: clusters may be longer than a tick.
func largestPhi(pods [][]Counts, most int, slope float64) float64 {
	phi := 1.0
	for b := 1; b <= most; b *= 2 {
		s := scatterOf(pods, b)
		phi = max(phi, s.phi()-slope*s.errorsPerPod())
	}
	return min(maxPhi, phi)
}

// scatter holds the sums of φ(b).
type scatter struct {
	squares float64 // Σ_B Σ_i (x_iB - k_B·q_i)²/q_i
	weight  float64 // Σ_B (m_B - 1)·k_B
	errors  float64 // Σ_B k_B
	spread  float64 // Σ_B k_B²/m_B
	freedom float64 // Σ_B (m_B - 1) over blocks with bad requests
}

func (s scatter) phi() float64          { return s.squares / s.weight }
func (s scatter) errorsPerPod() float64 { return s.spread / s.errors }

func scatterOf(pods [][]Counts, b int) scatter {
	ticks := longest(pods)
	var s scatter
	sums := make([]Counts, len(pods))
	for start := 0; start+b <= ticks; start += b {
		for i, pod := range pods {
			sums[i] = Counts{}
			for t := start; t < min(start+b, len(pod)); t++ {
				sums[i] = sums[i].plus(pod[t].sane())
			}
		}
		s.add(sums)
	}
	return s
}

// add takes one block in.
func (s *scatter) add(pods []Counts) {
	var all Counts
	running := 0.0
	for _, pod := range pods {
		all = all.plus(pod)
		if pod.Requests > 0 {
			running++
		}
	}
	if running < 2 || all.Bad == 0 {
		return
	}
	k := float64(all.Bad)
	for _, pod := range pods {
		if pod.Requests == 0 {
			continue
		}
		q := float64(pod.Requests) / float64(all.Requests)
		off := float64(pod.Bad) - k*q
		s.squares += off * off / q
	}
	s.weight += (running - 1) * k
	s.errors += k
	s.spread += k * k / running
	s.freedom += running - 1
}

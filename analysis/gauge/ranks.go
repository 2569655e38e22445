package gauge

// moved is what the samples of stable are compared as: each times a factor, plus a shift. The factor is
// positive, so the order stays.
type moved struct{ times, plus float64 }

func (m moved) of(v float64) float64 { return v*m.times + m.plus }

// below gives for every sample of xs the share of the ys, moved, that are below it, and half of those that
// equal it: its placement. Both are sorted.
func below(xs, ys []float64, m moved) []float64 {
	placements := make([]float64, 0, len(xs))
	less, notMore := 0, 0
	for _, x := range xs {
		for less < len(ys) && m.of(ys[less]) < x {
			less++
		}
		for notMore < len(ys) && m.of(ys[notMore]) <= x {
			notMore++
		}
		placements = append(placements, float64(less+notMore)/2/float64(len(ys)))
	}
	return placements
}

// preference is the share of pairs in which the canary's sample is above the moved one of stable, where a tie
// is half: U/(m·n), U of Mann and Whitney with midranks.
func preference(canary, stable []float64, m moved) float64 {
	less, notMore := 0, 0
	sum := 0.0
	for _, x := range canary {
		for less < len(stable) && m.of(stable[less]) < x {
			less++
		}
		for notMore < len(stable) && m.of(stable[notMore]) <= x {
			notMore++
		}
		sum += float64(less+notMore) / 2
	}
	return sum / float64(len(canary)) / float64(len(stable))
}

// evenVariance is that of a placement if both arms are alike: of a uniform distribution.
const evenVariance = 1.0 / 12

// variance of placements, but not less than if both arms were alike: arms that do not overlap have
// placements of 0 and 1 only, and a few samples of them prove less than a variance of 0 says.
func variance(placements []float64) float64 {
	mean := 0.0
	for _, p := range placements {
		mean += p / float64(len(placements))
	}
	sum := 0.0
	for _, p := range placements {
		sum += (p - mean) * (p - mean)
	}
	return max(evenVariance, sum/max(1, float64(len(placements)-1)))
}

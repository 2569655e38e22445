package latency

// pool of neighbours that have one ratio.
type pool struct {
	a, b float64
	n    int
}

func (p pool) ratio() float64 { return p.a / p.b }

// monotone gives the non-decreasing sequence nearest to a/b, with weights b: neighbours out of order are
// pooled to Σa/Σb until none are. Among all bets that never rise less for a slower group, that is the best
// one for requests that are distributed as a against requests that are distributed as b.
func monotone(a, b []float64) []float64 {
	var pools []pool
	for i := range a {
		pools = append(pools, pool{a[i], b[i], 1})
		for n := len(pools); n > 1 && pools[n-2].ratio() >= pools[n-1].ratio(); n-- {
			last, before := pools[n-1], pools[n-2]
			pools[n-2] = pool{before.a + last.a, before.b + last.b, before.n + last.n}
			pools = pools[:n-1]
		}
	}
	ratios := make([]float64, 0, len(a))
	for _, p := range pools {
		for range p.n {
			ratios = append(ratios, p.ratio())
		}
	}
	return ratios
}

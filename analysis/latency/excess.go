package latency

import "github.com/belay-dev/belay/analysis/evidence"

// excess follows the requests that took longer than one bound: a comparison of bad requests, where bad is
// what took longer. Several share α, so that all bounds hold together.
type excess struct {
	Excess
	bucket   int // that ends at the bound
	interval evidence.Interval
}

func newExcess(quantile float64, bounds []float64, bucket int, p evidence.Params, of int) excess {
	return excess{
		Excess:   Excess{Quantile: quantile, Bound: bounds[bucket]},
		bucket:   bucket,
		interval: evidence.NewInterval(p.Alpha/float64(of), p.Phi),
	}
}

// add a block in which the arms have nc and ns requests.
func (e *excess) add(canary, stable counts, nc, ns int64) {
	c, s := evidence.Counts{Requests: nc, Bad: canary.above(e.bucket)}, evidence.Counts{Requests: ns, Bad: stable.above(e.bucket)}
	e.interval.Add(c, s)
	e.Canary, e.Stable = plus(e.Canary, c), plus(e.Stable, s)
}

func plus(a, b evidence.Counts) evidence.Counts {
	return evidence.Counts{Requests: addCapped(a.Requests, b.Requests), Bad: addCapped(a.Bad, b.Bad)}
}

func (e *excess) startWeight(keepInterval bool) {
	e.Canary, e.Stable = evidence.Counts{}, evidence.Counts{}
	if !keepInterval {
		e.interval.Reset()
	}
}

// report is what is known of the excess, and how strong the evidence is that there is one.
func (e *excess) report() (Excess, float64) {
	r := e.Excess
	r.Lower, r.Upper = e.interval.Bounds()
	return r, e.interval.LogE(0)
}

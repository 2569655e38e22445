package latency

// exposure is what a block says before it is asked about speed: how many requests each arm had in each group.
type exposure struct {
	canary, stable         []float64 // x_c, x_s by group
	canarySums, stableSums []float64 // of the groups before one
	nc, ns                 float64
}

func newExposure(groups int) exposure {
	return exposure{
		canary: make([]float64, groups), canarySums: make([]float64, groups+1),
		stable: make([]float64, groups), stableSums: make([]float64, groups+1),
	}
}

// total adds up what is in the groups.
func (e *exposure) total() {
	e.nc, e.ns = addUp(e.canarySums, e.canary), addUp(e.stableSums, e.stable)
}

func addUp(sums, xs []float64) float64 {
	for i, x := range xs {
		sums[i+1] = sums[i] + x
	}
	return sums[len(xs)]
}

package samples

import (
	"math"
	"slices"
	"strconv"
)

// Bounds proposes buckets to count in, from what was observed before an attempt: the buckets of classic
// histograms as they are; those of native ones made wider, two and two, until there are at most so many (two
// are always allowed). They are chosen once for an attempt.
func Bounds(series []Series, most int) []float64 {
	if hasNative(series) {
		return nativeBounds(series, most)
	}
	var out []float64
	for i := range series {
		bound, err := strconv.ParseFloat(series[i].Labels[bucketLabel], 64)
		if err == nil && !math.IsNaN(bound) && !math.IsInf(bound, 0) {
			out = append(out, bound)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// nativeBounds looks at the buckets of all samples. Those of a native histogram end at powers of
// 2^(2^-schema), so that two of them make one of the next schema.
func nativeBounds(series []Series, most int) []float64 {
	low, high, widest := math.Inf(1), 0.0, 0.0
	for i := range series {
		for _, p := range series[i].Histograms {
			for _, b := range p.Buckets {
				if b.Count <= 0 || b.Lower <= 0 || math.IsInf(b.Upper, 1) {
					continue
				}
				low, high = min(low, b.Upper), max(high, b.Upper)
				widest = max(widest, math.Log2(b.Upper/b.Lower))
			}
		}
	}
	if high == 0 {
		return nil
	}
	// The width of a bucket in octaves, a power of two.
	step := math.Exp2(math.Round(math.Log2(widest)))
	from := func() float64 { return math.Ceil(math.Log2(low)/step - 1e-6) }
	to := func() float64 { return math.Ceil(math.Log2(high)/step - 1e-6) }
	// A bucket below 1 and one above it stay two, however wide they are.
	for to()-from()+1 > float64(max(most, 2)) {
		step *= 2
	}
	var out []float64
	for n := from(); n <= to(); n++ {
		out = append(out, math.Exp2(n*step))
	}
	return out
}

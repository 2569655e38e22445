package latency

import "math"

// curve is how long requests take, as far as the counts of a histogram say: the share S(t) of requests that
// take longer than t. Between two bounds the logarithm of its odds, ln S/(1-S), is a straight line over ln t.
// For what latencies look like (a hump with a long tail, over many orders of magnitude) that is far nearer
// to the truth than an even spread inside a bucket, and it needs no table.
type curve struct {
	times []float64 // ln t at the bounds
	odds  []float64 // ln S/(1-S) there, never rising
}

// leastSlope is how fast the odds fall at least outside of the outermost bounds: as 1/t.
const leastSlope = 1

// newCurve of the counts of a histogram. Half a request is put on either side of each bound, so that no
// odds are infinite.
func newCurve(bounds []float64, history []int64) curve {
	c := curve{times: make([]float64, len(bounds)), odds: make([]float64, len(bounds))}
	below, above := 0.5, 0.5
	for j := len(bounds) - 1; j >= 0; j-- {
		above += float64(history[j+1])
		c.odds[j] = math.Log(above)
	}
	for j, b := range bounds {
		below += float64(history[j])
		c.odds[j] -= math.Log(below)
		c.times[j] = math.Log(b)
	}
	return c
}

// above is S(t), for t from 0 to +∞.
func (c curve) above(t float64) float64 {
	switch {
	case t <= 0:
		return 1
	case math.IsInf(t, 1):
		return 0
	}
	return 1 / (1 + math.Exp(-c.oddsAt(math.Log(t))))
}

// oddsAt is ln S/(1-S) at ln t.
func (c curve) oddsAt(time float64) float64 {
	last := len(c.times) - 1
	switch {
	case time <= c.times[0]:
		return c.odds[0] + c.slope(0)*(time-c.times[0])
	case time >= c.times[last]:
		return c.odds[last] + c.slope(last-1)*(time-c.times[last])
	}
	j := 1
	for c.times[j] < time {
		j++
	}
	part := (time - c.times[j-1]) / (c.times[j] - c.times[j-1])
	return c.odds[j-1] + part*(c.odds[j]-c.odds[j-1])
}

// slope of the line from bound j on, as it is continued beyond the bounds.
func (c curve) slope(j int) float64 {
	if j < 0 || j+1 >= len(c.times) {
		return -leastSlope
	}
	return min(-leastSlope, (c.odds[j+1]-c.odds[j])/(c.times[j+1]-c.times[j]))
}

// quantile is the t that a share q of the requests does not take longer than.
func (c curve) quantile(q float64) float64 {
	odds := oddsAbove(q)
	last := len(c.odds) - 1
	switch {
	case odds >= c.odds[0]:
		return math.Exp(c.times[0] + (odds-c.odds[0])/c.slope(0))
	case odds <= c.odds[last]:
		return math.Exp(c.times[last] + (odds-c.odds[last])/c.slope(last-1))
	}
	j := 1
	for c.odds[j] > odds {
		j++
	}
	part := (odds - c.odds[j-1]) / (c.odds[j] - c.odds[j-1])
	return math.Exp(c.times[j-1] + part*(c.times[j]-c.times[j-1]))
}

// oddsAbove a quantile, as a logarithm.
func oddsAbove(q float64) float64 { return math.Log((1 - q) / q) }

package latency

import "math"

// kernel says where the requests of a group end up if each took r times as long:
//
//	U_{i,m} = P( r·L > edge m | L in group i )
//
// as the curve has it, which is all that is known of where in a bucket its requests lie. For r = 1 nothing
// moves and nothing is assumed.
type kernel struct {
	rows []row
}

// row is what becomes of one group: it ends up in the groups first to first + len(above), and in one after
// first + k with probability above[k].
type row struct {
	first int
	above []float64
}

func newKernel(g groups, c curve, stretch float64) kernel {
	var k kernel
	for i := range g.len() {
		var r row
		for m, edge := range g.edges {
			switch u := landsAbove(g, c, i, edge/stretch); {
			case u >= 1:
				r.first = m + 1
			case u > 0:
				r.above = append(r.above, u)
			}
		}
		k.rows = append(k.rows, r)
	}
	return k
}

// landsAbove is the share of group i that takes longer than t.
func landsAbove(g groups, c curve, i int, t float64) float64 {
	low, high := g.span(i)
	switch {
	case t <= low:
		return 1
	case t >= high:
		return 0
	}
	top := c.above(high)
	whole := c.above(low) - top
	if whole > 1e-12 {
		return max(0, min(1, (c.above(t)-top)/whole))
	}
	// The curve is level here, so it does not tell.
	if low == 0 || math.IsInf(high, 1) {
		return 0.5
	}
	return math.Log(high/t) / math.Log(high/low)
}

// mean of v over where group i ends up.
func (r row) mean(v []float64) float64 {
	sum := v[r.first]
	for k, u := range r.above {
		sum += u * (v[r.first+k+1] - v[r.first+k])
	}
	return sum
}

// last group that a row reaches.
func (r row) last() int { return r.first + len(r.above) }

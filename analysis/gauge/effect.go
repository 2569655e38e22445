package gauge

import "math"

// shift is the d at which the canary would be preferred to stable + d with a share p of the pairs: for p = ½
// the estimate of Hodges and Lehmann, the median of all differences between a sample of the canary and one
// of stable. The preference falls as d rises, so it is halved down to.
func (l *look) shift(p float64) float64 {
	low := l.canary[0] - l.stable[len(l.stable)-1]
	high := l.canary[len(l.canary)-1] - l.stable[0]
	for range halvings {
		middle := low/2 + high/2
		if preference(l.canary, l.stable, moved{times: 1, plus: middle}) > p {
			low = middle
		} else {
			high = middle
		}
	}
	return low/2 + high/2
}

const halvings = 45

// bounds of the shift: where the canary would be z standard errors above and below. Where so little is known
// that any preference is within z standard errors, they are the largest differences that were seen.
func (l *look) bounds(z float64) (lower, upper float64) {
	off := z * l.standardError(moved{times: 1, plus: l.shift(0.5)})
	return l.shift(math.Min(1, 0.5+off)), l.shift(math.Max(0, 0.5-off))
}

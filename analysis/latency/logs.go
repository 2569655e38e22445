package latency

import "math"

// logs is a sum Σ n·ln(1 + x) that is put together first and worked out then, in one go: with a native
// histogram a tick is a thousand logarithms.
type logs struct {
	n, x []float64
}

func newLogs(most int) logs {
	return logs{n: make([]float64, 0, most), x: make([]float64, 0, most)}
}

func (l *logs) clear() { l.n, l.x = l.n[:0], l.x[:0] }

// add n·ln(1 + x). Without requests there is nothing to add.
func (l *logs) add(n, x float64) {
	if n > 0 {
		l.n, l.x = append(l.n, n), append(l.x, x)
	}
}

// small is up to where a short series has all digits of ln(1 + x).
const small = 0.125

// sum works it out. x is small where the canary has a small share of the traffic, and then, with
// s = x/(2 + x),
//
//	ln(1 + x) = 2·artanh s = 2·(s + s³/3 + s⁵/5 + …)
//
// of which what follows s¹³ is less than the last digit.
func (l *logs) sum() float64 {
	sum := 0.0
	for i, x := range l.x {
		if !(x > -small && x < small) {
			sum += l.n[i] * math.Log(1+x)
			continue
		}
		s := x / (2 + x)
		z := s * s
		z2 := z * z
		low, middle, high := 1+z*(1.0/3), 1.0/5+z*(1.0/7), 1.0/9+z*(1.0/11)+z2*(1.0/13)
		sum += l.n[i] * 2 * s * (low + z2*(middle+z2*high))
	}
	return sum
}

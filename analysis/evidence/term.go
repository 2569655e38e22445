package evidence

import "math"

// node is a candidate δ for the log-ratio between canary and margin, with what is computed of it
// again and again.
type node struct {
	delta float64
	exp   float64 // e^δ
	expm1 float64 // e^δ - 1
}

func newNode(delta float64) node {
	return node{delta: delta, exp: math.Exp(delta), expm1: math.Expm1(delta)}
}

// term holds the counts of one block in the form in which ℓ needs them.
type term struct {
	bad   float64 // x_c, bad requests of the canary
	total float64 // k = x_c + x_s
	// w = r·n_c/(n_s + r·n_c) is the canary's share of the bad requests if its ratio is just r, and
	// v = 1 - w. Both are kept: each is exact also where it is tiny.
	w, v     float64
	exposure float64 // n_c·v
}

// compared is the term of a block in which both arms have requests.
func compared(canary, stable Counts, r float64) term {
	nc, ns := float64(canary.Requests), float64(stable.Requests)
	sum := ns + r*nc
	v := ns / sum
	return term{
		bad:      float64(canary.Bad),
		total:    float64(canary.Bad) + float64(stable.Bad),
		w:        r * nc / sum,
		v:        v,
		exposure: nc * v,
	}
}

// alone is the term of the canary against an absolute level. It is what compared becomes with r = 0.
func alone(canary Counts) term {
	return term{bad: float64(canary.Bad), v: 1, exposure: float64(canary.Requests)}
}

// parts of ℓ, which is linear in the absolute margin: ℓ(δ) = A - a·B.
//
//	S    = n_s + r·n_c·e^δ
//	ℓ(δ) = δ·x_c - k·ln( S / (n_s + r·n_c) ) - a·n_c·n_s·(e^δ - 1)/S
//
// With w and v as above, S/(n_s + r·n_c) = v + w·e^δ = 1 + w·(e^δ - 1) =: q, so that
//
//	A = δ·x_c - k·ln q          B = n_c·v·(e^δ - 1)/q
//
// and with r = 0, where w = 0 and v = 1, the one-sample form δ·x_c - a·n_c·(e^δ - 1).
// Given the past, E[e^ℓ] ≤ 1 whenever p_c ≤ r·p_s + a (δ > 0) or p_c ≥ r·p_s + a (δ < 0).
func (t term) parts(n node) (a, b float64) {
	q := t.v + t.w*n.exp
	a = n.delta * t.bad
	if t.total > 0 {
		a -= t.total * logOf(q, t.w*n.expm1)
	}
	return a, t.exposure * n.expm1 / q
}

// ell is ℓ(δ) against the absolute margin, or level, a.
func (t term) ell(n node, a float64) float64 {
	fit, price := t.parts(n)
	return fit - a*price
}

// logOf is ln q where q = 1 + d, from whichever of the two still has the digits.
func logOf(q, d float64) float64 {
	if math.Abs(d) < 0.5 {
		return math.Log1p(d)
	}
	return math.Log(q)
}

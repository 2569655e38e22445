package latency

import "math"

// bet is one entry of the dictionary: δ_j for each group, by which it says that the canary has e^δ_j times as
// many requests there as it would have at the margin. On the reject side δ rises with j, on the accept side
// it falls.
type bet struct {
	delta []float64
	minus []float64 // e^-δ - 1
	plus  []float64 // e^δ
	run   []int     // run of equal δ that a group is in
	ends  []int     // where each run ends
}

func newBet(delta []float64) bet {
	b := bet{delta: delta}
	for j, d := range delta {
		b.minus = append(b.minus, math.Expm1(-d))
		b.plus = append(b.plus, math.Exp(d))
		if j == 0 || d != delta[j-1] {
			b.ends = append(b.ends, j)
		}
		b.run = append(b.run, len(b.ends)-1)
		b.ends[len(b.ends)-1] = j + 1
	}
	return b
}

// won is what the bet wins of the canary's requests, Σ x_c,j·ln a_j with
//
//	a_j = e^{δ_j}/q_j,    q_j = 1 - w + w·e^{δ_j},    w = n_c/(n_c + n_s)
//
// and it writes v_j = (a_j - 1)·n_c/n_s, of which lost is made.
func (b *bet) won(e *exposure, v []float64, l *logs) float64 {
	w := e.nc / (e.nc + e.ns)
	rest := e.ns / (e.nc + e.ns)
	l.clear()
	from := 0
	for _, end := range b.ends {
		// a_j = 1/(1 + (1-w)·(e^-δ - 1)), and (1-w)·n_c/n_s = w.
		less := rest * b.minus[from]
		odds := -w * b.minus[from] / (1 + less)
		l.add(e.canarySums[end]-e.canarySums[from], less)
		for ; from < end; from++ {
			v[from] = odds
		}
	}
	return -l.sum()
}

// lost is what the bet pays for the stable's requests, Σ x_s,i·ln b_i, where each, r times as long, would
// have been in the groups that the kernel says:
//
//	b_i = ( 1 - w·Σ_j T_ij·a_j )/(1 - w) = 1 - Σ_j T_ij·v_j
func lost(e *exposure, v []float64, k *kernel, due []payment, l *logs) float64 {
	l.clear()
	for _, d := range due {
		n := e.stableSums[d.to] - e.stableSums[d.from]
		if d.mixed {
			l.add(n, -k.rows[d.from].mean(v))
		} else {
			l.add(n, -v[d.at])
		}
	}
	return l.sum()
}

// payment is for the stable's requests of the groups from to to - 1.
type payment struct {
	from, to int
	at       int  // where v is what they pay
	mixed    bool // one group, which would be in several that do not pay the same
}

// payments against one kernel: neighbours that pay the same are one.
func (b *bet) payments(k kernel) []payment {
	var due []payment
	of := -1 // run of the last payment
	for i, row := range k.rows {
		run := b.run[row.first]
		switch {
		case b.run[row.last()] != run:
			due, of = append(due, payment{from: i, to: i + 1, mixed: true}), -1
		case run == of:
			due[len(due)-1].to++
		default:
			due, of = append(due, payment{from: i, to: i + 1, at: row.first}), run
		}
	}
	return due
}

// ell of a block:
//
//	ℓ = Σ_j x_c,j·ln a_j + Σ_i x_s,i·ln b_i - a·n_c·(a_J - a_1)
//
// With r = 1 and a = 0 it is Σ_j [ δ_j·x_c,j - (x_c,j + x_s,j)·ln q_j ]. won and lost are the sums.
func ell(won, lost float64, e *exposure, v []float64, a float64) float64 {
	return won + lost - a*e.ns*(v[len(v)-1]-v[0])
}

// alone is ℓ of the canary's requests where the stable's are not there, against the shares S_m that may take
// longer than edge m:
//
//	ℓ = Σ_j δ_j·x_c,j - n_c·( e^{δ_1} + Σ_m S_m·(e^{δ_{m+1}} - e^{δ_m}) - 1 )
func (b *bet) alone(e *exposure, shares []float64) float64 {
	sum, expected := 0.0, b.plus[0]
	for j, d := range b.delta {
		sum += d * e.canary[j]
	}
	for m, s := range shares {
		expected += s * (b.plus[m+1] - b.plus[m])
	}
	return sum - e.nc*(expected-1)
}

package canarybench

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/belay-dev/belay/analysis/evidence"
)

// kayenta compares, every hour, the canary's bad shares of the minutes with the stable's: a Mann-Whitney test
// with a confidence interval of 98 % for the shift (Hodges and Lehmann). The metric is High, and the only one,
// so that the score is 0, when the interval lies above a quarter of the estimated shift.
//
// https://spinnaker.io/docs/guides/user/canary/judge/ for the rule; the quarter and the 98 % are the defaults of
// the judge NetflixACAJudge-v1.0.
type kayenta struct {
	minutes
	canary, stable []float64
	shifts         []float64
	hour           int // minutes of it
	high           bool
}

// Kayenta is the rank test of an hour.
func Kayenta() Rule {
	return Rule{"Kayenta", func(Truth, evidence.Dispersion) Judge { return &kayenta{} }}
}

const (
	kayentaConfidence = 0.98
	kayentaTolerance  = 0.25
)

func (k *kayenta) Add(t evidence.Tick) {
	minute, over := k.add(t)
	if !over {
		return
	}
	// A minute without requests has no share, and is removed.
	if minute.canary.Requests > 0 {
		k.canary = append(k.canary, minute.canary.BadShare())
	}
	if minute.stable.Requests > 0 {
		k.stable = append(k.stable, minute.stable.BadShare())
	}
	if k.hour++; k.hour < hourTicks/minuteTicks {
		return
	}
	k.high = k.high || k.isHigh()
	k.canary, k.stable, k.hour = k.canary[:0], k.stable[:0], 0
}

// isHigh uses the normal approximation, with ties, of how many of the m·n differences lie below the shift.
func (k *kayenta) isHigh() bool {
	m, n := float64(len(k.canary)), float64(len(k.stable))
	if m == 0 || n == 0 {
		return false
	}
	k.shifts = k.shifts[:0]
	for _, c := range k.canary {
		for _, s := range k.stable {
			k.shifts = append(k.shifts, c-s)
		}
	}
	slices.Sort(k.shifts)
	z := distuv.UnitNormal.Quantile((1 + kayentaConfidence) / 2)
	rank := math.Floor(m*n/2 - z*math.Sqrt(m*n*(m+n+1)/12))
	if rank < 0 {
		return false
	}
	middle := len(k.shifts) / 2
	estimate := (k.shifts[middle] + k.shifts[len(k.shifts)-1-middle]) / 2
	return k.shifts[int(rank)] > kayentaTolerance*math.Abs(estimate)
}

func (k *kayenta) RollsBack() bool { return k.high }

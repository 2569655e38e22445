package evidence

import (
	"fmt"
	"math"
)

// Counts of one arm: requests that ended, and how many of them were bad.
type Counts struct {
	Requests int64
	Bad      int64
}

// BadShare is the fraction of bad requests, 0 without requests.
func (c Counts) BadShare() float64 {
	if c.Requests <= 0 {
		return 0
	}
	return float64(c.Bad) / float64(c.Requests)
}

// plus adds without overflowing.
func (c Counts) plus(d Counts) Counts {
	return Counts{Requests: addCapped(c.Requests, d.Requests), Bad: addCapped(c.Bad, d.Bad)}
}

// sane makes counts of two series fit each other: an error that was scraped before its request is a
// request all the same, and less than nothing is nothing.
func (c Counts) sane() Counts {
	bad := max(c.Bad, 0)
	return Counts{Requests: max(c.Requests, bad), Bad: bad}
}

func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Baseline says what the stable's counts of a tick are worth.
type Baseline int8

const (
	// Measured: the stable's counts are what it did.
	Measured Baseline = iota
	// Missing: the stable has traffic, but its series are not there. The canary is judged against
	// the stable's level of the last hour; nothing is accepted.
	Missing
	// Gone: the stable has no traffic left, as at weight 100. The comparison is frozen: it keeps the
	// verdict and the interval of the last weight, and only the reject side goes on, against the
	// stable's level of the last hour.
	Gone
)

// Tick is what both arms did over the same interval of the grid.
type Tick struct {
	Canary, Stable Counts
	// WeightChanged: this is the first tick at a new weight.
	WeightChanged bool
	Baseline      Baseline
}

// Validate refuses counts that no counter can show. Add does not need it: there, a negative count is
// none, and more bad requests than requests are requests. It is for ticks that a person wrote.
func (t Tick) Validate() error {
	for _, arm := range []struct {
		name string
		Counts
	}{{"canary", t.Canary}, {"stable", t.Stable}} {
		switch {
		case arm.Requests < 0:
			return fmt.Errorf("%s requests is %d: a count is 0 or more", arm.name, arm.Requests)
		case arm.Bad < 0:
			return fmt.Errorf("%s errors is %d: a count is 0 or more", arm.name, arm.Bad)
		case arm.Bad > arm.Requests:
			return fmt.Errorf("%s errors is %d of %d requests: there cannot be more errors than requests", arm.name, arm.Bad, arm.Requests)
		}
	}
	return nil
}

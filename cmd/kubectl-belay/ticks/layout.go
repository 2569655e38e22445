package ticks

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const absent = -1

// layout says where in a record what stands.
type layout struct {
	names                []string
	time, weight, arm    int
	canary, stable       armColumns // the same in long form
	bounds               []float64  // of the histogram, ascending, the last is +Inf; none without
	counters, withStable bool
}

// armColumns are those of one arm.
type armColumns struct {
	requests, errors int
	buckets          []bucketColumn
}

type bucketColumn struct {
	bound float64
	at    int
}

const known = `known are: time (or tick), weight; wide: canary_requests, canary_errors, stable_requests, stable_errors, canary_le_BOUND, stable_le_BOUND; long: arm, requests, errors, le_BOUND`

// layoutOf reads the header. alone says that the canary is judged without stable, whose columns may then be missing.
func layoutOf(names []string, alone bool) (layout, error) {
	none := armColumns{requests: absent, errors: absent}
	l := layout{names: names, time: absent, weight: absent, arm: absent, canary: none, stable: none}
	long := slices.Contains(names, "arm")
	for i, name := range names {
		if slices.Index(names, name) != i {
			return l, fmt.Errorf("column %q stands there twice", name)
		}
		if err := l.place(name, i, long); err != nil {
			return l, err
		}
	}
	if long {
		l.stable = l.canary
	}
	return l, l.complete(long, alone)
}

// place finds out what a column is.
func (l *layout) place(name string, at int, long bool) error {
	switch name {
	case "time", "tick":
		if l.time != absent {
			return errors.New("there are both time and tick: one of them is enough")
		}
		l.time = at
		return nil
	case "weight":
		l.weight = at
		return nil
	case "arm":
		l.arm = at
		return nil
	}
	arm, rest := &l.canary, name
	if !long {
		prefix, after, _ := strings.Cut(name, "_")
		rest = after
		switch prefix {
		case "canary":
		case "stable":
			arm = &l.stable
		default:
			return unknown(name, "")
		}
	}
	return arm.place(name, rest, at)
}

func (a *armColumns) place(name, rest string, at int) error {
	bound, isBucket := strings.CutPrefix(rest, "le_")
	switch {
	case rest == "requests":
		a.requests = at
	case rest == "errors":
		a.errors = at
	case isBucket:
		le, err := strconv.ParseFloat(bound, 64)
		if err != nil || math.IsNaN(le) || math.IsInf(le, -1) {
			return unknown(name, fmt.Sprintf("%q is no bound of a bucket, which is a number or +Inf; ", bound))
		}
		a.buckets = append(a.buckets, bucketColumn{le, at})
	default:
		return unknown(name, "")
	}
	return nil
}

func unknown(name, why string) error {
	return fmt.Errorf("column %q is unknown: %s%s", name, why, known)
}

// complete finds what is missing.
func (l *layout) complete(long, alone bool) error {
	if long && l.time == absent {
		return errors.New("there is arm and no time: in long form the lines of a tick are found by the same time (or tick)")
	}
	l.counters = l.canary.requests != absent || l.canary.errors != absent
	l.withStable = l.stable.requests != absent || l.stable.errors != absent || len(l.stable.buckets) > 0
	both := "requests and errors"
	if !long {
		both = "canary_requests, canary_errors, stable_requests and stable_errors"
	}
	switch {
	case !l.counters && len(l.canary.buckets) == 0:
		return fmt.Errorf("there are no counts of the canary among the columns %s: %s", strings.Join(l.names, ", "), known)
	case !l.counters, l.canary.whole() && (alone && !l.withStable || l.stable.whole()):
		return l.buckets()
	}
	return fmt.Errorf("some of the columns %s are missing: all of them are needed (with --margin-percent=-100 the stable's are not)", both)
}

func (a armColumns) whole() bool { return a.requests != absent && a.errors != absent }

// buckets sorts those of both arms and sees that they are the same.
func (l *layout) buckets() error {
	byBound := func(a, b bucketColumn) int { return cmp.Compare(a.bound, b.bound) }
	slices.SortFunc(l.canary.buckets, byBound)
	slices.SortFunc(l.stable.buckets, byBound)
	l.bounds = boundsOf(l.canary.buckets)
	other := boundsOf(l.stable.buckets)
	switch {
	case !slices.Equal(l.bounds, other):
		return fmt.Errorf("canary has the buckets %v and stable has %v: both arms need the same", l.bounds, other)
	case len(l.bounds) == 0:
		return nil
	case !math.IsInf(l.bounds[len(l.bounds)-1], 1):
		return errors.New("there is no bucket le_+Inf: it holds all requests, and is needed as Prometheus writes it")
	case len(l.bounds) < 2:
		return errors.New("there is no bucket but le_+Inf: at least one bound is needed to tell fast from slow")
	}
	for i, bound := range l.bounds[1:] {
		if bound == l.bounds[i] {
			return fmt.Errorf("bucket le_%v stands there twice", bound)
		}
	}
	return nil
}

func boundsOf(buckets []bucketColumn) []float64 {
	var out []float64
	for _, b := range buckets {
		out = append(out, b.bound)
	}
	return out
}

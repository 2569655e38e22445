package ticks

import (
	"fmt"

	"github.com/belay-dev/belay/analysis/evidence"
)

// counts of one arm, with the requests of each bucket taken apart.
func (r record) counts(arm armColumns, buckets []int64) (evidence.Counts, error) {
	var c evidence.Counts
	if arm.requests != absent {
		var err error
		if c.Requests, err = r.count(arm.requests); err != nil {
			return c, err
		}
		if c.Bad, err = r.count(arm.errors); err != nil {
			return c, err
		}
		if c.Bad > c.Requests {
			return c, r.wrong(arm.errors, fmt.Sprintf("it must not be more than %s, which is %d", r.layout.names[arm.requests], c.Requests))
		}
	}
	below := int64(0)
	for i, b := range arm.buckets {
		n, err := r.count(b.at)
		if err != nil {
			return c, err
		}
		if n < below {
			return c, r.wrong(b.at, fmt.Sprintf("it must not be less than %s, which is %d: a bucket also holds the requests of all faster ones, as in Prometheus",
				r.layout.names[arm.buckets[i-1].at], below))
		}
		buckets[i], below = n-below, n
	}
	return c, nil
}

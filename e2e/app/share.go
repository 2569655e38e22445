package main

import (
	"math"
	"sync/atomic"
)

// share picks an exact part of all requests, as evenly as it goes: 20 percent is every fifth.
type share struct {
	percent float64
	seen    atomic.Int64
}

// next says whether the next request is picked.
func (s *share) next() bool {
	n := float64(s.seen.Add(1))
	return math.Floor(n*s.percent/100) > math.Floor((n-1)*s.percent/100)
}

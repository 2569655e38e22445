package samples

import (
	"slices"
	"time"
)

// intervalStep is what distances between samples are rounded to: scrapes are late by some milliseconds.
const intervalStep = 100 * time.Millisecond

// ScrapeInterval is the longest distance at which any of the series is sampled, where the distance of one
// series is the median over its samples: a scrape that failed does not make it longer. 0: no series has two
// samples.
func ScrapeInterval(series ...[]Series) time.Duration {
	var longest int64
	for _, list := range series {
		for i := range list {
			longest = max(longest, medianDistance(timesOf(&list[i])))
		}
	}
	if longest == 0 {
		return 0
	}
	return max((time.Duration(longest) * time.Millisecond).Round(intervalStep), intervalStep)
}

// TickLength is max(interval, 2 × the longest scrape interval of either arm): with less than two scrapes to
// a tick, the counters of one arm would move before the other's. It is chosen once for an attempt, from
// what was sampled before it: a grid that changes would count some requests twice.
func TickLength(interval time.Duration, series ...[]Series) time.Duration {
	return min(max(interval, 2*ScrapeInterval(series...), ShortestTick), LongestTick)
}

// lagMargin is for the way from the scrape to the answer, and for clocks that differ a little.
const lagMargin = time.Second

// Lag is how long after its time a sample may still arrive. A sample has the time at which its scrape began
// and is stored when it ended, which is after a scrape interval at the latest: no time-out may be longer.
// Where samples travel on before they are read (remote write), the source's own delay comes on top.
func Lag(scrape time.Duration) time.Duration {
	return max(scrape, 0) + lagMargin
}

func timesOf(s *Series) []int64 {
	times := make([]int64, 0, len(s.Points)+len(s.Histograms))
	for _, p := range s.Points {
		times = append(times, p.T)
	}
	for _, p := range s.Histograms {
		times = append(times, p.T)
	}
	slices.Sort(times)
	return slices.Compact(times)
}

func medianDistance(times []int64) int64 {
	if len(times) < 2 {
		return 0
	}
	distances := make([]int64, len(times)-1)
	for i := range distances {
		distances[i] = times[i+1] - times[i]
	}
	slices.Sort(distances)
	return distances[len(distances)/2]
}

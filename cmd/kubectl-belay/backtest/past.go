package backtest

import (
	"maps"
	"slices"

	"github.com/belay-dev/belay/analysis/evidence"
)

// past holds the last frames, as many as the controller reads before an attempt.
type past struct {
	frames []frame
	most   int
}

func (p *past) add(f frame) {
	if len(p.frames) == p.most {
		copy(p.frames, p.frames[1:])
		p.frames = p.frames[:p.most-1]
	}
	p.frames = append(p.frames, f)
}

// pods that had requests, in the order of their names, each with its counts tick by tick.
func (p *past) pods(metric int) [][]evidence.Counts {
	byPod := map[string][]evidence.Counts{}
	for t, f := range p.frames {
		for _, pod := range f[metric] {
			if byPod[pod.pod] == nil {
				byPod[pod.pod] = make([]evidence.Counts, len(p.frames))
			}
			byPod[pod.pod][t] = pod.counts
		}
	}
	var counts [][]evidence.Counts
	for _, name := range slices.Sorted(maps.Keys(byPod)) {
		counts = append(counts, byPod[name])
	}
	return counts
}

// running are the pods of the last few frames of all metrics.
func (p *past) running() []string {
	const few = 10
	seen := map[string]bool{}
	for _, f := range p.frames[max(0, len(p.frames)-few):] {
		for _, metric := range f {
			for _, pod := range metric {
				if pod.pod != "" {
					seen[pod.pod] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// requests of a metric, and of a histogram how many were in each bucket.
func (p *past) requests(metric, buckets int) (all int64, each []int64) {
	each = make([]int64, buckets)
	for _, f := range p.frames {
		for _, pod := range f[metric] {
			all += pod.counts.Requests
			for j, n := range pod.buckets {
				each[j] += n
				all += n
			}
		}
	}
	return all, each
}

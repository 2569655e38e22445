package canarybench

import (
	"math"

	"github.com/belay-dev/belay/analysis/evidence"
)

// arm is the pods of one version.
type arm struct{ pods []pod }

// pod has a bad share of e^(lasting + jitter) times that of its version.
type pod struct{ lasting, jitter float64 }

func (s *Stream) arm(pods int) arm {
	a := arm{pods: make([]pod, pods)}
	for i := range a.pods {
		a.pods[i] = s.pod()
	}
	return a
}

func (s *Stream) pod() pod {
	var p pod
	if s.truth.PodSpread > 0 {
		p.lasting = s.truth.PodSpread * s.chance.NormFloat64()
	}
	if s.truth.PodJitter > 0 {
		p.jitter = s.truth.PodJitter * s.chance.NormFloat64()
	}
	return p
}

// scatter is what an arm's bad share is multiplied by in the present tick: pods have equal shares of its
// requests.
func (s *Stream) scatter(a *arm) float64 {
	if s.truth.PodSpread == 0 && s.truth.PodJitter == 0 {
		return 1
	}
	sum := 0.0
	for i := range a.pods {
		sum += s.factor(&a.pods[i])
	}
	return sum / float64(len(a.pods))
}

// factor of a pod in the present tick; its jitter moves on.
func (s *Stream) factor(p *pod) float64 {
	now := p.lasting + p.jitter
	if s.truth.PodJitter > 0 {
		kept := s.truth.forgotten()
		p.jitter = kept*p.jitter + math.Sqrt(1-kept*kept)*s.truth.PodJitter*s.chance.NormFloat64()
	}
	return math.Exp(now)
}

// History of the stable's pods over some ticks before the first, when they had all requests. It is what
// φ and s are estimated from.
func (s *Stream) History(ticks int) [][]evidence.Counts {
	pods := make([][]evidence.Counts, len(s.stable.pods))
	requests := s.truth.Requests / float64(len(pods))
	for i := range pods {
		pods[i] = make([]evidence.Counts, ticks)
	}
	for t := range ticks {
		_, share := s.truth.shares(t)
		for i := range pods {
			now := min(1, share*s.factor(&s.stable.pods[i]))
			bad := s.bad(requests * now)
			pods[i][t] = evidence.Counts{Requests: bad + s.poisson(requests*(1-now)), Bad: bad}
		}
	}
	return pods
}

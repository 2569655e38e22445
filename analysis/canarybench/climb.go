package canarybench

import "github.com/belay-dev/belay/analysis/evidence"

// climber is a rule on a ladder: how long a step bakes, and when it may be left.
type climber struct {
	Rule
	bake int // ticks at each weight
	// needsPass: a step without Pass is not left, and after three times its bake it is Inconclusive.
	needsPass bool
}

// climbers: five minutes at each weight, an hour for a test of hours.
func climbers() []climber {
	const bake = 5 * minuteTicks
	peers := others()
	return []climber{
		{BelayEstimated("Belay, estimated", Usual()), bake, true},
		{Belay("Belay, assumed", evidence.Defaults()), bake, true},
		{peers[0], bake, false},
		{peers[1], bake, false},
		{peers[2], hourTicks, false},
		{peers[3], bake, false},
		{peers[4], bake, false},
		{peers[5], bake, false},
	}
}

// climb is what became of one release.
type climb struct {
	Outcome
	promoted     bool // reached 100 %
	inconclusive bool // a step took more than three times its bake; it waits there, and is still judged
	promotedAt   int  // ticks
}

// steps before the last, which is everything.
func steps() []float64 { return []float64{0.05, 0.25, 0.5, 1} }

// climb the ladder until a rollback, or for so many ticks.
func (c climber) climb(s *Stream, d evidence.Dispersion, ticks int) climb {
	judge := c.New(s.truth, d)
	var out climb
	ladder := steps()
	for at, here := 0, 0; out.Ticks < ticks; here++ {
		if at < len(ladder)-1 && here >= c.bake && (!c.needsPass || passes(judge)) {
			at, here = at+1, 0
			if at == len(ladder)-1 {
				out.promoted, out.promotedAt = true, out.Ticks
			}
		}
		out.inconclusive = out.inconclusive || (at < len(ladder)-1 && here >= 3*c.bake)
		canary, stable := s.truth.shares(s.tick)
		tick := s.At(ladder[at])
		tick.WeightChanged = here == 0 && at > 0
		judge.Add(tick)
		out.add(tick, canary-stable)
		if out.RolledBack = judge.RollsBack(); out.RolledBack {
			break
		}
	}
	return out
}

func passes(j Judge) bool {
	b, is := j.(belay)
	return is && b.Verdict() == evidence.Pass
}

// climbs gives n releases to every climber, each its own course of the same truth.
func (b Bench) climbs(cell string, t Truth, ticks int, each func(climber int, c climb)) {
	seed := b.seed(cell)
	for i := range b.Few {
		for j, c := range climbers() {
			s := t.Stream(seed, uint64(i))
			each(j, c.climb(s, evidence.EstimateDispersion(s.History(historyTicks)), ticks))
		}
	}
}

package latency

import "github.com/belay-dev/belay/analysis/evidence"

// judges are what is made of the history: all that knows where the stable's latencies lie.
type judges struct {
	groups groups
	reject side
	accept []side // one for each exceedance that is judged; each must pass
	excess []excess
	level  level
	block  exposure
}

// quantiles whose exceedance people see, and a Pass speaks of.
func quantiles() []float64 { return []float64{0.50, 0.90, tail} }

func newJudges(p evidence.Params, bounds []float64, history []int64) *judges {
	c := newCurve(bounds, history)
	g := newGroups(bounds, c)
	n := null{curve: c, groups: g, stretch: p.MarginRelative, excess: p.MarginAbsolute}
	j := &judges{
		groups: g, level: newLevel(g.len()),
		block: newExposure(g.len()),
	}
	bets, mass := n.rejectBets()
	j.reject = newSide(bets, mass, n, rejectRules(p))
	cuts := g.cutsAt(c, quantiles())
	for _, cut := range cuts {
		bucket := g.cuts[cut]
		quantile := nearestQuantile(c.odds[bucket])
		at := n.toPass(quantile, cut)
		bets, mass := at.acceptBets(cut)
		j.accept = append(j.accept, newSide(bets, mass, at, acceptRules(p)))
		j.excess = append(j.excess, newExcess(quantile, bounds, bucket, p, len(cuts)))
	}
	return j
}

// tail is the quantile at which a Pass asks for less.
const tail = 0.99

// toPass is the margin of the accept side at one exceedance. In the tail, as many again as took longer by the
// history may be added: that one request in a hundred is hardly slower takes ten times the requests that
// the other exceedances need, and a release cannot wait for that. The reject side knows no such mercy.
func (n null) toPass(quantile float64, cut int) null {
	if quantile == tail {
		n.excess += n.curve.above(n.groups.edges[cut])
	}
	return n
}

// nearestQuantile to a bound with such odds.
func nearestQuantile(odds float64) float64 {
	var all []float64
	for _, q := range quantiles() {
		all = append(all, oddsAbove(q))
	}
	return quantiles()[nearestOdds(all, odds)]
}

// load fills the block with counts.
func (j *judges) load(canary, stable counts) *exposure {
	j.groups.fill(j.block.canary, canary)
	j.groups.fill(j.block.stable, stable)
	j.block.total()
	return &j.block
}

// compare takes in a block with both arms.
func (j *judges) compare(canary, stable counts, h float64) {
	e := j.load(canary, stable)
	j.reject.compare(e, h)
	for i := range j.accept {
		j.accept[i].compare(e, 0)
	}
	nc, ns := canary.requests(), stable.requests()
	for i := range j.excess {
		j.excess[i].add(canary, stable, nc, ns)
	}
}

// remember what the stable did.
func (j *judges) remember(stable counts, seconds float64) {
	j.groups.fill(j.block.stable, stable)
	j.level.add(j.block.stable, seconds)
}

// judge the canary against the stable's last hour, if there was one.
func (j *judges) judge(canary counts, h func() float64) {
	hour, known := j.level.hour()
	if !known {
		return
	}
	e := j.load(canary, nil)
	if e.nc > 0 {
		j.reject.judge(e, hour, h())
	}
}

// startWeight: a Pass and its interval belong to a weight.
func (j *judges) startWeight(keepInterval bool) {
	for i := range j.accept {
		j.accept[i].reset()
	}
	for i := range j.excess {
		j.excess[i].startWeight(keepInterval)
	}
}

// logAccept is the least evidence of the exceedances: who says "no slower" says it of each of them.
func (j *judges) logAccept() float64 {
	least := j.accept[0].logE()
	for i := range j.accept[1:] {
		least = min(least, j.accept[1+i].logE())
	}
	return least
}

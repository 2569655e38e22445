package samples

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// reading is one pass over the samples of both arms.
type reading struct {
	grid        Grid
	first, last int64
	ticks       int
	podLabel    string
	now         int64
	targets     targets
	problems    *problems
}

// armReading is its part for one arm.
type armReading struct {
	*reading
	name string
	// pods of this arm, and of the other one.
	pods, others map[string]time.Time
	streams      map[string][]*stream // by selector
	bounds       []ownBounds          // of its classic histograms
}

func newReading(g Grid, first, last int64, metric, podLabel string, now time.Time) *reading {
	r := &reading{grid: g, first: first, last: last, podLabel: podLabel, targets: targets{}, problems: &problems{metric: metric}}
	if last >= first {
		r.ticks = int(last - first + 1)
	}
	if !now.IsZero() {
		r.now = now.UnixMilli()
	}
	return r
}

func (r *reading) arm(name string, pods, others map[string]time.Time) *armReading {
	return &armReading{reading: r, name: name, pods: pods, others: others, streams: map[string][]*stream{}}
}

// apart tells of series that both arms have, as a canary that is compared with itself is always fine, and
// if there are none at all.
func (r *reading) apart(what string, canary, stable []Series) {
	if len(canary)+len(stable) == 0 {
		r.problems.tell(spot{what: what, kind: Nothing}, "")
	}
	keys := make(map[string]bool, len(canary))
	for i := range canary {
		keys[key(canary[i].Labels)] = true
	}
	for i := range stable {
		if keys[key(stable[i].Labels)] {
			r.problems.tell(spot{what: what, kind: SameSeries}, describe(stable[i].Labels))
		}
	}
}

func (a *armReading) teller(what string, labels map[string]string) func(Kind) {
	return func(kind Kind) { a.problems.tell(spot{arm: a.name, what: what, kind: kind}, describe(labels)) }
}

// acceptable looks at the series as a whole. Too many are not counted.
func (a *armReading) acceptable(what string, series []Series) bool {
	if len(series) > MaxSeries {
		a.problems.tell(spot{arm: a.name, what: what, kind: TooManySeries}, tooMany(series, a.podLabel))
		return false
	}
	a.once(what, series)
	for i := range series {
		pod := series[i].Labels[a.podLabel]
		_, own := a.pods[pod]
		if _, other := a.others[pod]; other && !own && a.podLabel != "" {
			a.teller(what, series[i].Labels)(OtherArm)
		}
	}
	return true
}

// whoScraped are labels in which two copies of a series differ.
func whoScraped() []string {
	return []string{"job", "endpoint", "prometheus", "prometheus_replica", "__replica__"}
}

// once tells of series of one target that differ only in who scraped them, at the same time.
func (a *armReading) once(what string, series []Series) {
	type span struct{ from, to int64 }
	seen := make(map[string][]span, len(series))
	for i := range series {
		times := timesOf(&series[i])
		if series[i].Labels["instance"] == "" || len(times) == 0 {
			continue
		}
		now, k := span{times[0], times[len(times)-1]}, key(series[i].Labels, whoScraped()...)
		for _, before := range seen[k] {
			if now.from < before.to && before.from < now.to {
				a.teller(what, series[i].Labels)(Twice)
			}
		}
		seen[k] = append(seen[k], now)
	}
}

// take adds a stream to those of a selector.
func (a *armReading) take(what string, s *stream) {
	if len(s.times) == 0 {
		return
	}
	if s.unsteady() {
		a.teller(what, s.labels)(NotACounter)
	}
	if a.now != 0 && s.times[len(s.times)-1] > a.now {
		a.teller(what, s.labels)(Future)
	}
	a.targets.see(s, a.grid.Gap().Milliseconds())
	a.streams[what] = append(a.streams[what], s)
}

func (a *armReading) podOf(labels map[string]string) string {
	if a.podLabel == "" {
		return ""
	}
	return labels[a.podLabel]
}

// gains calls add with what each value of the stream gained in each tick.
func (a *armReading) gains(s *stream, add func(tick, i int, gained int64)) {
	gap := a.grid.Gap().Milliseconds()
	for k, t := range s.times {
		index := a.grid.index(t)
		if index < a.first || index > a.last {
			continue
		}
		tick := int(index - a.first)
		switch {
		case s.follows(k, gap):
			s.increase(k, func(i int, gained int64) { add(tick, i, gained) })
		case a.fromZero(s, k, a.grid.start(index)):
			for i, v := range s.value(k) {
				add(tick, i, v)
			}
		}
	}
}

// seen says in which ticks a stream of the selector has a sample.
func (a *armReading) seen(what string) []bool {
	out := make([]bool, a.ticks)
	for _, s := range a.streams[what] {
		for _, t := range s.times {
			if index := a.grid.index(t); index >= a.first && index <= a.last {
				out[index-a.first] = true
			}
		}
	}
	return out
}

// tooMany is the message for an arm with too many series. The rule that it shows adds up what one target
// has; sums over targets would fall whenever a target ends, and count everything again.
func tooMany(series []Series, podLabel string) string {
	values := map[string]map[string]bool{}
	name := series[0].Labels[NameLabel]
	for i := range series {
		for label, value := range series[i].Labels {
			if label == NameLabel || label == "le" || label == podLabel || slices.Contains(targetLabels[:], label) {
				continue
			}
			if values[label] == nil {
				values[label] = map[string]bool{}
			}
			values[label][value] = true
		}
	}
	many := make([]string, 0, len(values))
	for label := range values {
		many = append(many, label)
	}
	slices.SortFunc(many, func(x, y string) int {
		if d := len(values[y]) - len(values[x]); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	if len(many) == 0 || len(values[many[0]]) < 2 {
		return fmt.Sprintf("the selector matches more than %d series: narrow it", MaxSeries)
	}
	return fmt.Sprintf("the selector matches more than %d series: narrow it, or add the recording rule "+
		"{record: %s:target, expr: sum without (%s) (%s)} and name its metric; a rule must not add up over pods or instances",
		MaxSeries, name, many[0], name)
}

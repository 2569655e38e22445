package samples

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind of a problem.
type Kind string

// Kinds of problems.
const (
	// TooManySeries: more than MaxSeries in one arm. They were not counted.
	TooManySeries Kind = "TooManySeries"
	// Nothing: neither arm has a series. It may be that there was no request yet.
	Nothing Kind = "Nothing"
	// SameSeries: a series belongs to both arms.
	SameSeries Kind = "SameSeries"
	// Twice: a series is there twice, from two jobs or two replicas of the source.
	Twice Kind = "Twice"
	// OtherArm: a series comes from a pod of the other arm.
	OtherArm Kind = "OtherArm"
	// NotACounter: a value falls as often as it rises.
	NotACounter Kind = "NotACounter"
	// MoreErrors: there are clearly more errors than requests.
	MoreErrors Kind = "MoreErrors"
	// OtherBuckets: histograms have different buckets.
	OtherBuckets Kind = "OtherBuckets"
	// OtherKind: one arm has native histograms only, the other classic ones.
	OtherKind Kind = "OtherKind"
	// NoBuckets: a series is no bucket of a classic histogram, or its histogram has no bucket +Inf.
	NoBuckets Kind = "NoBuckets"
	// FallingBuckets: a wider bucket holds less than a narrower one.
	FallingBuckets Kind = "FallingBuckets"
	// NotACount: a sample is NaN, infinite, negative or too large.
	NotACount Kind = "NotACount"
	// NotWhole: a sample is not a whole number.
	NotWhole Kind = "NotWhole"
	// OutOfOrder: samples are not in the order of time.
	OutOfOrder Kind = "OutOfOrder"
	// Conflict: two samples of one moment differ.
	Conflict Kind = "Conflict"
	// Future: a sample is later than the present.
	Future Kind = "Future"
)

// meaning of a kind.
type meaning struct {
	refuse bool
	text   string // with %s where the series belongs
}

func (k Kind) meaning() meaning {
	all := map[Kind]meaning{
		Nothing:        {false, "the selector matches nothing in either arm: unless there was no request yet, compare it with the names and labels that the metrics source has"},
		SameSeries:     {true, "%s belongs to canary and stable: name the arm in the selector, with {{ .Service }}, {{ .Revision }} or {{ .Arm }}"},
		Twice:          {true, "%s is there twice, from two scrape jobs or two replicas of the metrics source, so that every request counts twice: narrow the selector to one of them, as with job=\"...\""},
		OtherArm:       {true, "%s comes from a pod of the other arm: narrow the selector, with {{ .Service }} or {{ .Revision }}, so that each arm sees its own pods only"},
		NotACounter:    {true, "%s falls again and again, as a gauge does: compare needs counters, which only rise until their process restarts"},
		MoreErrors:     {true, "there are more errors than requests: let the errors selector match a part of what the requests selector matches"},
		OtherBuckets:   {true, "%s has other buckets than the histograms beside it: give both revisions the same buckets, or use native histograms"},
		OtherKind:      {true, "one arm has native histograms and the other classic ones, which cannot be compared: have both revisions scraped alike"},
		NoBuckets:      {true, "%s is not a bucket of a histogram: name a histogram without its suffix, and keep its label le with all values up to +Inf"},
		FallingBuckets: {false, "%s has samples in which a wider bucket holds less than a narrower one: they are left out; correct what exports it, or the rule that records it"},
		NotACount:      {false, "%s has samples that are no counts (NaN, infinite, negative or beyond 2^63): they are left out; correct what exports it"},
		NotWhole:       {false, "%s has samples that are not whole numbers: they are rounded; count requests, not rates or sums of shares"},
		OutOfOrder:     {false, "%s has samples that are not in the order of time: they are sorted; look for two writers of one series"},
		Conflict:       {false, "%s has different samples at one moment: the first is taken; look for two writers of one series"},
		Future:         {false, "%s has samples of the future: set the clocks of the metrics source and of the controller by one source"},
	}
	return all[k]
}

// Problem is one thing that is wrong with the samples of a metric.
type Problem struct {
	Kind Kind
	// Refuse: the metric must not be judged before a person has changed something. Otherwise what could
	// be counted was, and this is a warning.
	Refuse bool
	Metric string
	// Arm is canary or stable, or empty.
	Arm string
	// Series is one of those that have it, the first in the order of labels.
	Series string
	// Text is a sentence that may stand in a status: the same problem gives the same text.
	Text string
}

// problems gathers them, one of each kind for each arm and selector.
type problems struct {
	metric string
	found  map[spot]string // the series, or a whole text for TooManySeries
}

type spot struct {
	arm, what string
	kind      Kind
}

// tell notes a problem. Of several series the least is kept, so that the text does not depend on order.
func (p *problems) tell(at spot, series string) {
	if p.found == nil {
		p.found = map[spot]string{}
	}
	if before, ok := p.found[at]; !ok || series < before {
		p.found[at] = series
	}
}

func (p *problems) list() []Problem {
	spots := slices.SortedFunc(maps.Keys(p.found), func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.arm, b.arm), cmp.Compare(a.what, b.what), cmp.Compare(a.kind, b.kind))
	})
	out := make([]Problem, 0, len(spots))
	for _, at := range spots {
		series := p.found[at]
		problem := Problem{Kind: at.kind, Metric: p.metric, Arm: at.arm, Series: series}
		switch m := at.kind.meaning(); {
		case at.kind == TooManySeries:
			problem.Refuse, problem.Series, problem.Text = true, "", series
		case strings.Contains(m.text, "%s"):
			problem.Refuse, problem.Text = m.refuse, fmt.Sprintf(m.text, series)
		default:
			problem.Refuse, problem.Text = m.refuse, m.text
		}
		problem.Text = fmt.Sprintf("metric %q, %s: %s", p.metric, strings.TrimSpace(at.arm+" "+at.what), problem.Text)
		out = append(out, problem)
	}
	return out
}

// describe writes a series without the labels that hold addresses, which have no place in a status.
func describe(labels map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != NameLabel && name != "instance" && name != "job" {
			pairs = append(pairs, fmt.Sprintf("%s=%q", name, labels[name]))
		}
	}
	return labels[NameLabel] + "{" + strings.Join(pairs, ",") + "}"
}

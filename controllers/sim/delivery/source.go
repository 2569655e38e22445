package delivery

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/controllers/sim/schedule"
)

// SourceOptions of NewSource. Schedule is required, and one of Counted and Truth.
type SourceOptions struct {
	Schedule *schedule.Schedule
	// Counted is what the data plane counted.
	Counted func(Question) (requests, failed int)
	// Truth is what a revision is like, where nothing counts.
	Truth func(Question) Quality
	// Through has a process do something: now, later when it is halted, never when it is dead. Nil: always now.
	Through func(owner string, do func())
}

// Quality of a revision.
type Quality int

// Qualities of a revision.
const (
	Unknown Quality = iota // nothing was measured
	Good
	Bad
	Unclear // neither below the one limit nor above the other
)

// Source is the source of metrics. Its methods, and its Faults, are for the schedule's goroutine only; providers are for every
// other.
type Source struct {
	// Faults at this moment.
	Faults SourceFaults

	opts  SourceOptions
	asked int
}

// SourceFaults are shares of the answers; of those that are none of it, all is well.
type SourceFaults struct {
	// Least and Most that an answer takes. Zero: 2 ms to 40 ms.
	Least, Most time.Duration
	// Silent never answer. Slow answer after 11 to 60 seconds, when nobody waits any more, Late after up to 9.
	Silent, Slow, Late float64
	// Broken are errors that may pass. Misconfigured are errors that a person has to correct.
	Broken, Misconfigured float64
	// NaN, Empty and Several answer that instead of one number. Lying says the opposite of the truth.
	NaN, Empty, Several, Lying float64
	// Behind is how far back the newest sample lies.
	Behind time.Duration
}

// NewSource makes a source.
func NewSource(o SourceOptions) *Source {
	if o.Through == nil {
		o.Through = straight
	}
	return &Source{opts: o}
}

// Asked counts the queries so far.
func (s *Source) Asked() int { return s.asked }

// Provider is the access of one process.
func (s *Source) Provider(owner string) analysis.Provider {
	return &provider{source: s, line: line{
		schedule: s.opts.Schedule, owner: owner, through: s.opts.Through,
		ended: func(ctx context.Context) error {
			return &analysis.Error{Kind: analysis.Transient, Text: "the metrics source did not answer in time", Err: context.Cause(ctx)}
		},
	}}
}

type provider struct {
	source *Source
	line   line
}

// Query implements analysis.Provider.
func (p *provider) Query(ctx context.Context, query string, at time.Time) (analysis.Result, error) {
	q, err := read(query, at)
	if err != nil {
		return analysis.Result{}, err
	}
	var says manner
	fate := func() journey {
		p.source.asked++
		var j journey
		says, j = p.source.draw()
		return j
	}
	return travel(ctx, p.line, "asks "+query, fate, func() (analysis.Result, error) { return p.source.answer(q, says) })
}

// manner is how a query is answered.
type manner int

const (
	truly manner = iota
	broken
	misconfigured
	notANumber
	nothing
	several
	lying
)

// draw decides how a query is answered, and when.
func (s *Source) draw() (manner, journey) {
	f, schedule := s.Faults, s.opts.Schedule
	if f.Most == 0 {
		f.Least, f.Most = 2*time.Millisecond, 40*time.Millisecond
	}
	j := journey{there: schedule.Between(f.Least, f.Most)}
	says := truly
	roll := schedule.Rand().Float64()
	for _, fault := range []struct {
		share float64
		does  func()
	}{
		{f.Silent, func() { j.lost = true }},
		{f.Slow, func() { j.back = schedule.Between(11*time.Second, time.Minute) }},
		{f.Late, func() { j.back = schedule.Between(0, 9*time.Second) }},
		{f.Broken, func() { says = broken }},
		{f.Misconfigured, func() { says = misconfigured }},
		{f.NaN, func() { says = notANumber }},
		{f.Empty, func() { says = nothing }},
		{f.Several, func() { says = several }},
		{f.Lying, func() { says = lying }},
	} {
		if roll -= fault.share; roll < 0 {
			fault.does()
			break
		}
	}
	return says, j
}

func (s *Source) answer(q Question, says manner) (analysis.Result, error) {
	switch says {
	case broken:
		return analysis.Result{}, &analysis.Error{Kind: analysis.Transient, Text: "the metrics source answers with an error"}
	case misconfigured:
		return analysis.Result{}, &analysis.Error{Kind: analysis.Configuration, Text: "the metrics source refuses the query"}
	case notANumber:
		return series(math.NaN()), nil
	case nothing:
		return analysis.Result{}, nil
	}
	value, is := s.value(q)
	switch {
	case says == several:
		return series(value, 1-value), nil
	case !is:
		return analysis.Result{}, nil
	case says == lying:
		value = opposite(value)
	}
	return series(value), nil
}

// value is the share of failed requests. It is false where nothing was ever measured.
func (s *Source) value(q Question) (float64, bool) {
	q.From, q.To = q.From.Add(-s.Faults.Behind), q.To.Add(-s.Faults.Behind)
	if s.opts.Counted != nil {
		requests, failed := s.opts.Counted(q)
		if requests == 0 {
			return math.NaN(), true // 0/0
		}
		return float64(failed) / float64(requests), true
	}
	switch s.opts.Truth(q) {
	case Good:
		return 0.001, true
	case Bad:
		return 0.2, true
	case Unclear:
		return 0.03, true
	}
	return 0, false
}

// opposite of a share.
func opposite(value float64) float64 {
	if value > 0.03 {
		return 0
	}
	return 0.2
}

func series(values ...float64) analysis.Result {
	var out analysis.Result
	for i, v := range values {
		s := analysis.Series{Value: v}
		if len(values) > 1 {
			s.Labels = map[string]string{"pod": fmt.Sprint(i)}
		}
		out.Series = append(out.Series, s)
	}
	return out
}

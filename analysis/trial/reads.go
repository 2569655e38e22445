package trial

import (
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
)

// Read is one selector over (From, To]. Whoever runs the trial fills in Series.
type Read struct {
	Selector string
	From, To time.Time
	Series   []samples.Series

	stable bool
	what   series
}

// series says what a read is for.
type series int

const (
	requests series = iota
	errors
	histogram
)

// taken are the series of both arms.
type taken struct{ canary, stable armed }

type armed struct{ requests, errors, histogram []samples.Series }

// Reads says what has to be read now, oldest first; none: nothing new can be known.
func (t *Trial) Reads(now time.Time) []Read {
	due := t.Due()
	if due.IsZero() || now.Before(due) {
		return nil
	}
	if !t.started {
		anchor := t.exposures[0].Since.Time
		return arm(nil, t.o.Stable, true, anchor.Add(-history), anchor)
	}
	from, to := t.grid.ReadFrom(t.next), t.grid.End(t.last(now))
	return arm(arm(nil, t.o.Canary, false, from, to), t.o.Stable, true, from, to)
}

// last is the last tick whose samples have all arrived.
func (t *Trial) last(now time.Time) int64 { return t.grid.Complete(now, t.lag) - 1 }

func arm(out []Read, s analysis.Selectors, stable bool, from, to time.Time) []Read {
	add := func(selector string, what series) {
		out = append(out, Read{Selector: selector, From: from, To: to, stable: stable, what: what})
	}
	if s.Requests != "" {
		add(s.Requests, requests)
	}
	if s.Errors != "" {
		add(s.Errors, errors)
	}
	for _, h := range s.Histograms {
		add(h, histogram)
	}
	return out
}

func gather(reads []Read) taken {
	var out taken
	for _, r := range reads {
		a := &out.canary
		if r.stable {
			a = &out.stable
		}
		switch r.what {
		case requests:
			a.requests = append(a.requests, r.Series...)
		case errors:
			a.errors = append(a.errors, r.Series...)
		case histogram:
			a.histogram = append(a.histogram, r.Series...)
		}
	}
	return out
}

package ticks

import (
	"fmt"
	"math"
)

// order sees that time goes on, and step by step.
type order struct {
	options  Options
	seen     int
	last     moment
	lastLine int
	step     float64
	told     bool
}

// next takes the time of the next tick.
func (o *order) next(rec record, now moment) error {
	at := rec.layout.time
	step := now.seconds - o.last.seconds
	switch {
	case o.seen == 0:
	case now.dated != o.last.dated:
		return rec.wrong(at, fmt.Sprintf("line %d has the other kind of time, and all lines have dates or all have numbers", o.lastLine))
	case step <= 0:
		return rec.wrong(at, fmt.Sprintf("it must be later than that of line %d: ticks come in their order, each once", o.lastLine))
	case o.seen == 1:
		o.step = step
		o.compare(rec, now.dated)
	case !o.told && step > 1.5*o.step:
		o.told = true
		o.warn(fmt.Sprintf("line %d comes %s after line %d, and those before came in steps of %s: what no line tells of is no tick; write lines with 0 requests where nothing came",
			rec.line, length(step, now.dated), o.lastLine, length(o.step, now.dated)))
	}
	o.seen = min(o.seen+1, 2)
	o.last, o.lastLine = now, rec.line
	return nil
}

// compare holds the first step against the length of a tick, where its unit is known.
func (o *order) compare(rec record, dated bool) {
	if dated && o.options.Seconds > 0 && math.Abs(o.step-o.options.Seconds) > o.options.Seconds/2 {
		o.warn(fmt.Sprintf("line %d comes %s after line %d, and a tick is said to be %s: say --tick=%s", rec.line, length(o.step, true), o.lastLine, length(o.options.Seconds, true), length(o.step, true)))
	}
}

func (o *order) warn(text string) {
	if o.options.Warn != nil {
		o.options.Warn(text)
	}
}

func length(seconds float64, dated bool) string {
	text := fmt.Sprintf("%.6g", seconds)
	if dated {
		text += "s"
	}
	return text
}

package ticks

import (
	"fmt"
	"io"

	"github.com/belay-dev/belay/analysis/evidence"
)

// Options of reading.
type Options struct {
	// Alone says that the canary is judged without stable, whose columns may then be missing.
	Alone bool
	// Seconds is how long a tick is said to be.
	Seconds float64
	// Warn is told, once each, what is allowed and probably not meant.
	Warn func(string)
}

// Tick is what stands of one tick. Its slices are valid until the next call.
type Tick struct {
	// Line is the last of the input's lines that it comes from, Time what they say about when; empty without.
	Line int
	Time string
	// Weight is a percentage; Weighed says that the input has it.
	Weight        float64
	Weighed       bool
	WeightChanged bool
	// Canary and Stable are counts, where Reader.Counters.
	Canary, Stable evidence.Counts
	// CanaryBuckets and StableBuckets are requests per bucket of Reader.Bounds, each without those of the buckets below.
	CanaryBuckets, StableBuckets []int64
}

// Reader reads ticks one after the other.
type Reader struct {
	source  source
	layout  layout
	options Options
	order   order

	tick    Tick
	weighed bool      // a weight was seen
	weight  float64   // the last one
	pending *halfTick // long form: a line that was read and belongs to the next tick
	spare   *halfTick
}

// NewReader reads the header.
func NewReader(in io.Reader, o Options) (*Reader, error) {
	s, err := open(in)
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(s.columns(), o.Alone)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", s.line(), err)
	}
	r := &Reader{source: s, layout: l, options: o, order: order{options: o}}
	r.tick.CanaryBuckets = make([]int64, len(l.bounds))
	r.tick.StableBuckets = make([]int64, len(l.bounds))
	r.pending, r.spare = newHalfTick(l), newHalfTick(l)
	return r, nil
}

// Counters says whether there are requests and errors.
func (r *Reader) Counters() bool { return r.layout.counters }

// Bounds of the latency histogram, the last one +Inf; none where there is no histogram.
func (r *Reader) Bounds() []float64 { return r.layout.bounds }

// Next returns the next tick, and io.EOF after the last.
func (r *Reader) Next() (Tick, error) {
	var err error
	if r.layout.arm == absent {
		err = r.wide()
	} else {
		err = r.long()
	}
	if err != nil {
		return Tick{}, err
	}
	r.tick.WeightChanged = r.weighed && r.tick.Weight != r.weight
	r.weighed, r.weight = r.tick.Weighed, r.tick.Weight
	return r.tick, nil
}

func (r *Reader) record() (record, error) {
	cells, err := r.source.next()
	return record{&r.layout, cells, r.source.line()}, err
}

// wide reads a tick that is one record.
func (r *Reader) wide() error {
	rec, err := r.record()
	if err != nil {
		return err
	}
	if err := r.when(rec); err != nil {
		return err
	}
	if r.tick.Canary, err = rec.counts(r.layout.canary, r.tick.CanaryBuckets); err != nil || !r.layout.withStable {
		return err
	}
	r.tick.Stable, err = rec.counts(r.layout.stable, r.tick.StableBuckets)
	return err
}

// when reads what belongs to no arm.
func (r *Reader) when(rec record) error {
	r.tick.Line = rec.line
	if at := r.layout.weight; at != absent {
		weight, err := rec.weight(at)
		if err != nil {
			return err
		}
		r.tick.Weight, r.tick.Weighed = weight, true
	}
	if at := r.layout.time; at != absent {
		m, err := rec.moment(at)
		if err != nil {
			return err
		}
		if err := r.order.next(rec, m); err != nil {
			return err
		}
		r.tick.Time = string(rec.cells[at])
	}
	return nil
}

package ticks

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/belay-dev/belay/analysis/evidence"
)

// halfTick is one line of the long form.
type halfTick struct {
	read    bool
	rec     record
	canary  bool
	counts  evidence.Counts
	buckets []int64
}

func newHalfTick(l layout) *halfTick {
	return &halfTick{buckets: make([]int64, len(l.bounds)), rec: record{cells: make([][]byte, len(l.names))}}
}

// half reads the next line, and keeps its cells over the next one.
func (r *Reader) half(h *halfTick) error {
	h.read = false
	rec, err := r.record()
	if err != nil {
		return err
	}
	h.rec.layout, h.rec.line = rec.layout, rec.line
	for i, cell := range rec.cells {
		h.rec.cells[i] = append(h.rec.cells[i][:0], cell...)
	}
	switch arm := string(rec.cells[r.layout.arm]); arm {
	case "canary", "stable":
		h.canary = arm == "canary"
	default:
		return rec.wrong(r.layout.arm, "it must be canary or stable")
	}
	h.counts, err = rec.counts(r.layout.canary, h.buckets)
	h.read = err == nil
	return err
}

// long reads the lines of a tick: one or two, with the same time. An arm without a line had no requests.
func (r *Reader) long() error {
	if !r.pending.read {
		if err := r.half(r.pending); err != nil {
			return err
		}
	}
	if err := r.when(r.pending.rec); err != nil {
		return err
	}
	r.tick.Canary, r.tick.Stable = evidence.Counts{}, evidence.Counts{}
	clear(r.tick.CanaryBuckets)
	clear(r.tick.StableBuckets)
	first := r.pending
	r.take(first)
	err := r.half(r.spare)
	switch {
	case errors.Is(err, io.EOF):
		first.read = false
		return nil
	case err != nil:
		return err
	}
	r.pending, r.spare = r.spare, first
	if !sameCell(first.rec, r.pending.rec, r.layout.time) {
		return nil
	}
	return r.second(first)
}

// second takes the other line of the tick in, and lets it not be the next one.
func (r *Reader) second(first *halfTick) error {
	next := r.pending
	if next.canary == first.canary {
		return next.rec.wrong(r.layout.arm, "this arm has a line with this time already")
	}
	if at := r.layout.weight; at != absent && !sameCell(first.rec, next.rec, at) {
		return next.rec.wrong(at, fmt.Sprintf("the other arm has %s at this time, and both must have the same", first.rec.cells[at]))
	}
	r.take(next)
	r.tick.Line = next.rec.line
	next.read = false
	return nil
}

func sameCell(a, b record, at int) bool { return bytes.Equal(a.cells[at], b.cells[at]) }

func (r *Reader) take(h *halfTick) {
	if h.canary {
		r.tick.Canary = h.counts
		copy(r.tick.CanaryBuckets, h.buckets)
		return
	}
	r.tick.Stable = h.counts
	copy(r.tick.StableBuckets, h.buckets)
}

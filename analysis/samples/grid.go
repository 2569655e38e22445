package samples

import (
	"fmt"
	"time"
)

// Shortest and longest tick of a grid. The judges' parameters speak of an hour at most.
const (
	ShortestTick = 100 * time.Millisecond
	LongestTick  = time.Hour
)

// minGap is how long Prometheus itself takes a series for alive that it does not see.
const minGap = 5 * time.Minute

// Grid is the line of ticks on which both arms are counted. Tick i is the time after Start(i), up to and
// including End(i) = Start(i+1). Indices below 0 are the time before the anchor.
type Grid struct{ anchor, tick int64 }

// NewGrid begins tick 0 at the anchor. Both are cut to whole milliseconds, as samples have them.
func NewGrid(anchor time.Time, tick time.Duration) (Grid, error) {
	if tick < ShortestTick || tick > LongestTick {
		return Grid{}, fmt.Errorf("a tick of %s is out of range: allowed are %s to %s", tick, ShortestTick, LongestTick)
	}
	return Grid{anchor: anchor.UnixMilli(), tick: tick.Milliseconds()}, nil
}

// Tick is the length of each tick.
func (g Grid) Tick() time.Duration { return time.Duration(g.tick) * time.Millisecond }

// Start of a tick. A sample at this very moment belongs to the tick before.
func (g Grid) Start(i int64) time.Time { return time.UnixMilli(g.start(i)).UTC() }

// End of a tick. A sample at this very moment belongs to it.
func (g Grid) End(i int64) time.Time { return g.Start(i + 1) }

// Index of the tick in which a moment lies.
func (g Grid) Index(t time.Time) int64 { return g.index(t.UnixMilli()) }

// Gap is for how long a series may be unseen and still be the same one.
func (g Grid) Gap() time.Duration { return max(minGap, 2*g.Tick()) }

// ReadFrom says where to begin to read so that the tick and all later ones are known: samples after this
// moment.
func (g Grid) ReadFrom(first int64) time.Time { return g.Start(first).Add(-g.Gap()) }

// Complete returns how far the grid is known at a moment: all ticks with a smaller index are complete, and
// no sample can arrive for them any more. lag is how late a sample may arrive (see Lag).
func (g Grid) Complete(now time.Time, lag time.Duration) int64 {
	// A sample at the end of a tick still belongs to it.
	return g.index(now.UnixMilli() - max(lag, 0).Milliseconds() + 1)
}

func (g Grid) start(i int64) int64 { return g.anchor + i*g.tick }

func (g Grid) index(ms int64) int64 {
	d := ms - g.anchor - 1
	i := d / g.tick
	if d%g.tick < 0 {
		i--
	}
	return i
}

package samples

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGrid(t *testing.T) {
	g := tens(t)
	for _, tc := range []struct {
		ms   int64
		want int64
	}{{0, -1}, {1, 0}, {10_000, 0}, {10_001, 1}, {-1, -1}, {-9_999, -1}, {-10_000, -2}, {-10_001, -2}} {
		if got := g.Index(anchor.Add(time.Duration(tc.ms) * time.Millisecond)); got != tc.want {
			t.Errorf("%d ms is in tick %d, want %d", tc.ms, got, tc.want)
		}
	}
	if got := g.ReadFrom(6); !got.Equal(anchor.Add(time.Minute - 5*time.Minute)) {
		t.Errorf("tick 6 is read from %s", got)
	}
}

func TestSeriesMayBeUnseenForTwoTicks(t *testing.T) {
	g, err := NewGrid(anchor, 4*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for seconds, want := range map[float64]int64{480: 5, 481: 0} {
		in := Counters{Canary: Arm{Requests: []Series{line("r", 0, 10, seconds, 15)}}}
		var sum int64
		for _, tick := range Count(g, 0, 3, in).Ticks {
			sum += tick.Canary.Requests
		}
		if sum != want {
			t.Errorf("seen after %g s, it gained %d, want %d", seconds, sum, want)
		}
	}
}

func TestGridIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, err := NewGrid(time.UnixMilli(rapid.Int64Range(0, 1e13).Draw(t, "anchor")), time.Duration(rapid.Int64Range(100, 3_600_000).Draw(t, "tick"))*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(rapid.Int64Range(0, 1e13).Draw(t, "at"))
		i := g.Index(at)
		if !at.After(g.Start(i)) || at.After(g.End(i)) {
			t.Fatalf("%s is not in (%s, %s]", at, g.Start(i), g.End(i))
		}
		lag := time.Duration(rapid.Int64Range(0, 60_000).Draw(t, "lag")) * time.Millisecond
		n := g.Complete(at, lag)
		if g.End(n - 1).Add(lag).After(at) {
			t.Fatalf("tick %d ends at %s and is read at %s, %s too early", n-1, g.End(n-1), at, lag)
		}
		if !g.End(n).Add(lag).After(at) {
			t.Fatalf("tick %d is complete and not read", n)
		}
	})
}

func TestTicksOutOfRange(t *testing.T) {
	for _, tick := range []time.Duration{0, -time.Second, 99 * time.Millisecond, time.Hour + 1} {
		if _, err := NewGrid(anchor, tick); err == nil {
			t.Errorf("a tick of %s is accepted", tick)
		}
	}
}

func TestScrapeIntervalAndTick(t *testing.T) {
	regular := []Series{line("r", 0, 1, 15.003, 1, 29.999, 1, 45.002, 1)}
	failed := []Series{line("r", 0, 1, 5, 1, 10, 1, 40, 1, 45, 1)}
	native := []Series{{Histograms: []HistogramPoint{{T: at(0)}, {T: at(0.5)}, {T: at(1)}}}}
	tests := map[string]struct {
		series       [][]Series
		scrape, tick time.Duration
	}{
		"none":              {nil, 0, 10 * time.Second},
		"one sample":        {[][]Series{{line("r", 0, 1)}}, 0, 10 * time.Second},
		"late by millis":    {[][]Series{regular}, 15 * time.Second, 30 * time.Second},
		"a failed scrape":   {[][]Series{failed}, 5 * time.Second, 10 * time.Second},
		"the longest":       {[][]Series{failed, regular}, 15 * time.Second, 30 * time.Second},
		"native histograms": {[][]Series{native}, 500 * time.Millisecond, 10 * time.Second},
		"hardly apart":      {[][]Series{{line("r", 0, 1, 0.001, 1)}}, 100 * time.Millisecond, 10 * time.Second},
		"for ever apart":    {[][]Series{{line("r", 0, 1, 7200, 1)}}, 2 * time.Hour, time.Hour},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ScrapeInterval(tc.series...); got != tc.scrape {
				t.Errorf("scraped every %s, want %s", got, tc.scrape)
			}
			if got := TickLength(10*time.Second, tc.series...); got != tc.tick {
				t.Errorf("a tick of %s, want %s", got, tc.tick)
			}
		})
	}
	if got := Lag(15 * time.Second); got != 16*time.Second {
		t.Errorf("lag %s", got)
	}
}

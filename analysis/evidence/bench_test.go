package evidence

import "testing"

// A tick costs a few microseconds, and looking as much again; 20 are allowed.
func BenchmarkAdd(b *testing.B) {
	benchmark(b, func(*Comparison) {})
}

func BenchmarkAddAndReport(b *testing.B) {
	benchmark(b, func(c *Comparison) { c.Report() })
}

func benchmark(b *testing.B, look func(*Comparison)) {
	c := comparison(b, Defaults())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Add(Tick{Canary: Counts{250, int64(i % 5)}, Stable: Counts{4750, int64(i % 40)}})
		look(c)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	c := comparison(t, Defaults())
	tick := Tick{Canary: Counts{250, 3}, Stable: Counts{4750, 24}}
	changed := Tick{Canary: Counts{250, 3}, Stable: Counts{4750, 24}, WeightChanged: true}
	gone := Tick{Canary: Counts{5000, 27}, Baseline: Gone}
	if allocations := testing.AllocsPerRun(100, func() {
		c.Add(tick)
		c.Add(changed)
		c.Add(gone)
		c.Report()
	}); allocations != 0 {
		t.Errorf("%v allocations for three ticks and a report", allocations)
	}
}

package latency

import (
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// A tick with a look at it may cost 20 µs. What a native histogram costs is the same with more groups.
func BenchmarkClassic(b *testing.B) { benchmark(b, classic(), func(*Comparison) {}) }
func BenchmarkNative(b *testing.B)  { benchmark(b, native(), func(*Comparison) {}) }
func BenchmarkClassicAndReport(b *testing.B) {
	benchmark(b, classic(), func(c *Comparison) { c.Report() })
}
func BenchmarkNativeAndReport(b *testing.B) {
	benchmark(b, native(), func(c *Comparison) { c.Report() })
}

func benchmark(b *testing.B, bounds []float64, look func(*Comparison)) {
	stable := law(bounds, usual().above)
	c := comparison(b, evidence.Defaults(), bounds, expected(stable, 1e6))
	tick := Tick{Canary: expected(stable, 500), Stable: expected(stable, 9500)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tick.Canary[5] = int64(i % 7)
		c.Add(tick)
		look(c)
	}
}

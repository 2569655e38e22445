package cluster_test

import (
	"syscall"
	"time"

	"maps"
	"slices"
	"testing"
)

// BenchmarkRoll is a plain rolling update of four pods from v1 to v2, from the write to the last pod's end.
func BenchmarkRoll(b *testing.B) {
	s := newScene(b, 1).withShop()
	images := []string{"web:v2", "web:v1"}
	events, n := s.schedule.Ran(), 0
	before := busy(b)
	for b.Loop() {
		s.ship(images[n%2])
		s.settle()
		n++
	}
	b.ReportMetric(float64((busy(b)-before).Microseconds())/1000/float64(n), "cpu-ms/op")
	b.ReportMetric(float64(s.schedule.Ran()-events)/float64(n), "events/op")
	for _, kind := range slices.Sorted(maps.Keys(s.written)) {
		b.ReportMetric(float64(s.written[kind])/float64(n), kind+"s/op")
	}
	if s.ready(images[(n-1)%2]) != 4 || len(s.Pods()) != 4 {
		b.Fatalf("pods %+v", s.Pods())
	}
}

// busy is the processor time of this process: what else runs on the machine does not count.
func busy(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

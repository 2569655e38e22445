package cluster_test

import "testing"

// BenchmarkRoll is a plain rolling update of four pods from v1 to v2, from the write to the last pod's end.
func BenchmarkRoll(b *testing.B) {
	s := newScene(b, 1).withShop()
	images := []string{"web:v2", "web:v1"}
	events, n := s.schedule.Ran(), 0
	for b.Loop() {
		s.ship(images[n%2])
		s.settle()
		n++
	}
	b.ReportMetric(float64(s.schedule.Ran()-events)/float64(n), "events/op")
	writes := 0
	for _, count := range s.written {
		writes += count
	}
	b.ReportMetric(float64(writes)/float64(n), "writes/op")
	if s.ready(images[(n-1)%2]) != 4 || len(s.Pods()) != 4 {
		b.Fatalf("pods %+v", s.Pods())
	}
}

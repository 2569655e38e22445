package samples

import (
	"fmt"
	"testing"
)

// BenchmarkCount reads what a controller reads for a tick: five minutes of a scrape every 15 s, of 200 series an arm.
func BenchmarkCount(b *testing.B) {
	for _, series := range []int{20, 200, MaxSeries} {
		b.Run(fmt.Sprintf("%d_series", series), func(b *testing.B) {
			in := Counters{Metric: "m", PodLabel: "pod"}
			for i := range series {
				for _, arm := range []string{"canary", "stable"} {
					s := line(fmt.Sprintf("r arm=%s pod=%s-%d instance=%d code=%d job=j", arm, arm, i%10, i%10, i))
					for k := range 22 {
						s.Points = append(s.Points, Point{T: at(float64(15*k - 300)), V: float64(i + 7*k)})
					}
					if arm == "canary" {
						in.Canary.Requests = append(in.Canary.Requests, s)
					} else {
						in.Stable.Requests = append(in.Stable.Requests, s)
					}
				}
			}
			g, err := NewGrid(anchor, 30e9)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				Count(g, 0, 0, in)
			}
		})
	}
}

package prometheus

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis/samples"
)

// FuzzRaw lets a source answer anything: there is an error, or samples of the time that was asked for, which can be counted
// without a count below zero.
func FuzzRaw(f *testing.F) {
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"c","le":"1"},"values":[[1772366399,"1"],[1772366400,"1e300"]]}]}}`)
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"le":"+Inf"},"values":[[1772366400,"5"],[1772366399,"-1"],[1772366399,"NaN"]]}]}}`)
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":[[1772366400,{"count":"3","sum":"NaN","buckets":[[0,"-Inf","1","1"],[0,"1","2","-2"]]}]]}]}}`)
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":[[1772366399,null]],"values":[]}]}}`)
	f.Add(`{"status":"success","data":{"resultType":"vector","result":[]}}`)
	f.Add(`{"status":"success","data":{"resultType":"matrix","result":null}}`)
	to := time.Unix(1_772_366_400, 0)
	from := to.Add(-10 * time.Second)
	body := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	f.Cleanup(server.Close)
	p, err := New(Config{Name: "main", Address: server.URL})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.Close)
	grid, err := samples.NewGrid(from, 5*time.Second)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answered string) {
		body = answered
		series, err := p.Raw(t.Context(), `c`, from, to)
		if err != nil {
			return
		}
		for _, s := range series {
			for _, point := range s.Points {
				if point.T <= from.UnixMilli() {
					t.Errorf("a sample at %d is too early", point.T)
				}
			}
		}
		for _, tick := range samples.Count(grid, 0, 1, samples.Counters{Canary: samples.Arm{Requests: series, Errors: series}}).Ticks {
			if err := tick.Validate(); err != nil {
				t.Error(err)
			}
		}
		for _, bounds := range [][]float64{samples.Bounds(series, 10), {0.5, 1}, nil} {
			for _, counts := range samples.Histograms(grid, 0, 1, samples.Latencies{Bounds: bounds, Stable: samples.HistogramArm{Series: series}}).Stable {
				for _, n := range counts {
					if n < 0 {
						t.Errorf("buckets %d", counts)
					}
				}
			}
		}
	})
}

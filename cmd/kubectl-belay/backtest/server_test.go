package backtest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// sampled is one series of the server: a value every scrape since noon.
type sampled struct {
	labels map[string]string
	values []float64
}

const scrape = 10 * time.Second

// fake speaks the part of Prometheus' API that is used: range selectors, and one query for all ranges.
type fake struct {
	t      *testing.T
	series []sampled
	ranged func(at time.Time) float64 // NaN: no series
	asked  int
}

func (s *fake) open() string {
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return server.URL
}

func (s *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked++
	var result any
	var err error
	switch r.URL.Path {
	case "/api/v1/query":
		result, err = s.raw(r.FormValue("query"), r.FormValue("time"))
	case "/api/v1/query_range":
		result, err = s.evaluated(r)
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"status": "error", "errorType": "bad_data", "error": err.Error()}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

type stream struct {
	Metric map[string]string `json:"metric"`
	Values [][2]any          `json:"values"`
}

func point(at time.Time, value float64) [2]any {
	return [2]any{float64(at.UnixMilli()) / 1000, strconv.FormatFloat(value, 'g', -1, 64)}
}

// raw answers a range selector with the samples as they are.
func (s *fake) raw(query, at string) ([]stream, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return nil, err
	}
	m, ok := expr.(*parser.MatrixSelector)
	if !ok {
		return nil, fmt.Errorf("%s is no range selector", query)
	}
	seconds, err := strconv.ParseFloat(at, 64)
	if err != nil {
		return nil, err
	}
	end := time.UnixMilli(int64(math.Round(seconds * 1000)))
	selector := m.VectorSelector.(*parser.VectorSelector)
	out := []stream{}
	for _, one := range s.series {
		if !matches(one.labels, selector.LabelMatchers) {
			continue
		}
		found := stream{Metric: one.labels}
		for i, v := range one.values {
			if t := noon.Add(time.Duration(i) * scrape); t.After(end.Add(-m.Range)) && !t.After(end) && !math.IsNaN(v) {
				found.Values = append(found.Values, point(t, v))
			}
		}
		if len(found.Values) > 0 {
			out = append(out, found)
		}
	}
	return out, nil
}

func matches(of map[string]string, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(of[m.Name]) {
			return false
		}
	}
	return true
}

func (s *fake) evaluated(r *http.Request) ([]stream, error) {
	var numbers [3]float64
	for i, name := range []string{"start", "end", "step"} {
		var err error
		if numbers[i], err = strconv.ParseFloat(r.FormValue(name), 64); err != nil {
			return nil, err
		}
	}
	if s.ranged == nil {
		return nil, fmt.Errorf("unknown: %s", r.FormValue("query"))
	}
	out := stream{Metric: map[string]string{}}
	for at := numbers[0]; at <= numbers[1]; at += numbers[2] {
		t := time.UnixMilli(int64(math.Round(at * 1000)))
		if v := s.ranged(t); !math.IsNaN(v) {
			out.Values = append(out.Values, point(t, v))
		}
	}
	if len(out.Values) == 0 {
		return []stream{}, nil
	}
	return []stream{out}, nil
}

// shop is a service with some pods, each with so many requests per scrape, of which a share is bad.
type shop struct {
	pods     int
	requests float64
	bad      func(pod int, at time.Time) float64
	hours    int
}

func steady(share float64) func(int, time.Time) float64 {
	return func(int, time.Time) float64 { return share }
}

// series counts what chance makes of it, the same for a seed.
func (s shop) series(seed uint64) []sampled {
	random := rand.New(rand.NewPCG(seed, 7))
	var out []sampled
	for pod := range s.pods {
		name := func(metric, code, le string) map[string]string {
			l := map[string]string{"__name__": metric, "service": "checkout", "pod": fmt.Sprintf("checkout-abc-%d", pod), "hash": "abc"}
			if code != "" {
				l["code"] = code
			}
			if le != "" {
				l["le"] = le
			}
			return l
		}
		good, bad := sampled{labels: name("requests_total", "200", "")}, sampled{labels: name("requests_total", "500", "")}
		var buckets []sampled
		les := []string{"0.1", "0.5", "1", "+Inf"}
		for _, le := range les {
			buckets = append(buckets, sampled{labels: name("seconds_bucket", "", le)})
		}
		sums := make([]float64, len(les))
		var g, b float64
		for i := range s.hours*360 + 1 {
			at := noon.Add(time.Duration(i) * scrape)
			n := int(s.requests) + random.IntN(3)
			for range n {
				if random.Float64() < s.bad(pod, at) {
					b++
				} else {
					g++
				}
				slow := random.ExpFloat64() / 8
				for j, limit := range []float64{0.1, 0.5, 1, math.Inf(1)} {
					if slow <= limit {
						sums[j]++
					}
				}
			}
			good.values, bad.values = append(good.values, g), append(bad.values, b)
			for j := range buckets {
				buckets[j].values = append(buckets[j].values, sums[j])
			}
		}
		out = append(append(out, good, bad), buckets...)
	}
	return out
}

package prometheus

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
)

// counting is a server with one counter that rises by one in every second. It answers range selectors, with the sample at the
// first moment or without it, and remembers what it was asked.
type counting struct {
	closed bool
	mu     sync.Mutex
	asked  []time.Duration
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	window, err := model.ParseDuration(strings.TrimSuffix(query[strings.LastIndexByte(query, '[')+1:], "]"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var end float64
	if _, err := fmt.Sscan(r.FormValue("time"), &end); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.asked = append(c.asked, time.Duration(window))
	c.mu.Unlock()
	first, last := int64(end)-int64(time.Duration(window)/time.Second), int64(end)
	if !c.closed {
		first++
	}
	var values []string
	for t := first; t <= last; t++ {
		values = append(values, fmt.Sprintf(`[%d,"%d"]`, t, t))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"c"},"values":[`+strings.Join(values, ",")+`]}]}}`)
}

func TestRawInPieces(t *testing.T) {
	from := time.Unix(1_772_366_400, 0)
	for name, tc := range map[string]struct {
		span     time.Duration
		maxBytes int64
		closed   bool
		largest  time.Duration
	}{
		"at once":                         {time.Hour, 0, false, time.Hour},
		"six hours at most":               {7 * time.Hour, 0, false, 6 * time.Hour},
		"both ends are in an answer":      {7 * time.Hour, 0, true, 6 * time.Hour},
		"smaller, if an answer is large":  {time.Hour, 40_000, false, time.Hour},
		"smaller, both ends in an answer": {time.Hour, 40_000, true, time.Hour},
		"as small as can be":              {time.Minute, 500, false, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			server := &counting{closed: tc.closed}
			p := source(t, Config{Name: "main", Address: serve(t, server.ServeHTTP), MaxBytes: tc.maxBytes})
			got, err := p.Raw(t.Context(), `c`, from, from.Add(tc.span))
			if err != nil {
				t.Fatal(err)
			}
			want := samples.Series{Labels: map[string]string{samples.NameLabel: "c"}}
			for at := from.Unix() + 1; at <= from.Add(tc.span).Unix(); at++ {
				want.Points = append(want.Points, samples.Point{T: at * 1000, V: float64(at)})
			}
			if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
				t.Errorf("got %d series, the first with %d samples, want %d", len(got), len(got[0].Points), len(want.Points))
			}
			if server.asked[0] != tc.largest {
				t.Errorf("asked for %s first, want %s", server.asked[0], tc.largest)
			}
		})
	}
}

func TestRawThatIsTooMuch(t *testing.T) {
	from := time.Unix(1_772_366_400, 0)
	many := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			one := fmt.Sprintf(`{"metric":{"a":"b"},"values":[[%d,"1"]]}`, from.Unix()+1)
			_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[`+strings.Repeat(one+",", n-1)+one+`]}}`)
		}
	}
	tests := map[string]struct {
		config  Config
		handler http.HandlerFunc
		want    string
	}{
		"bytes":  {Config{MaxBytes: 50}, (&counting{}).ServeHTTP, `metrics source "main" answers with more than 50 bytes for 10s of c{a="b"}: narrow the selector, or name a recording rule with fewer labels`},
		"series": {Config{}, many(maxRawSeries + 1), `c{a="b"} matches more than 20000 series: narrow the selector, or name a recording rule with fewer labels`},
		"samples for the server": {Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		}, `answers with more than`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.config.Name, tc.config.Address = "main", serve(t, tc.handler)
			_, err := source(t, tc.config).Raw(t.Context(), `c{a="b"}`, from, from.Add(time.Minute))
			if !analysis.IsConfiguration(err) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %s", err, tc.want)
			}
		})
	}
}

func TestReaderOfProviders(t *testing.T) {
	all, err := NewProviders(File{Providers: []Config{{Name: "main", Address: "http://127.0.0.1:1", Namespaces: []string{"shop"}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(all.Close)
	if r, err := all.Reader("", "shop"); err != nil || r == nil {
		t.Errorf("got %v, %v", r, err)
	}
	if r, err := all.Reader("main", "other"); !analysis.IsConfiguration(err) || r != nil {
		t.Errorf("got %v, %v", r, err)
	}
}

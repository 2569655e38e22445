package prometheus

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/analysistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorded answers of a Prometheus server, by the behaviour that they show.
var recorded = map[analysistest.Behaviour]struct {
	file string
	code int
}{
	analysistest.Number:     {"vector.json", http.StatusOK},
	analysistest.Several:    {"vector-two.json", http.StatusOK},
	analysistest.Nothing:    {"vector-empty.json", http.StatusOK},
	analysistest.NotANumber: {"vector-nan.json", http.StatusOK},
	analysistest.Infinite:   {"vector-inf.json", http.StatusOK},
	analysistest.Refuses:    {"error-parse.json", http.StatusBadRequest},
	analysistest.Fails:      {"error-timeout.json", http.StatusServiceUnavailable},
	analysistest.Garbage:    {"not-prometheus.html", http.StatusOK},
	analysistest.TooMuch:    {"vector-two.json", http.StatusOK},
}

func TestContract(t *testing.T) {
	analysistest.Run(t, func(t *testing.T, b analysistest.Behaviour) analysis.Provider {
		config := Config{Name: "main", MaxSamples: 2}
		switch b {
		case analysistest.Silent:
			config.Timeout = metav1.Duration{Duration: 200 * time.Millisecond}
			config.Address = serve(t, silent)
		case analysistest.Down:
			gone := httptest.NewServer(http.NotFoundHandler())
			gone.Close()
			config.Address = gone.URL
		case analysistest.TooMuch:
			config.MaxSamples = 1
			fallthrough
		default:
			config.Address = serve(t, answer(t, recorded[b].file, recorded[b].code))
		}
		return source(t, config)
	})
}

func TestReaderContract(t *testing.T) {
	analysistest.RunReader(t, func(t *testing.T, b analysistest.Behaviour) analysis.Reader {
		config := Config{Name: "main"}
		switch b {
		case analysistest.RawCounters, analysistest.RawHistogram, analysistest.RawNothing:
			config.Address = serve(t, matrix(t, b))
		case analysistest.Silent:
			config.Timeout = metav1.Duration{Duration: 200 * time.Millisecond}
			config.Address = serve(t, silent)
		case analysistest.Down:
			gone := httptest.NewServer(http.NotFoundHandler())
			gone.Close()
			config.Address = gone.URL
		case analysistest.TooMuch:
			config.MaxBytes = 100
			config.Address = serve(t, matrix(t, analysistest.RawCounters))
		default:
			config.Address = serve(t, answer(t, recorded[b].file, recorded[b].code))
		}
		return source(t, config)
	})
}

// matrix replies as Prometheus does to a range selector, whatever was asked.
func matrix(t *testing.T, b analysistest.Behaviour) http.HandlerFunc {
	t.Helper()
	at := func(seconds int) string {
		return strconv.FormatInt(analysistest.Moment().Add(time.Duration(seconds)*time.Second).Unix(), 10)
	}
	var result string
	switch b {
	case analysistest.RawCounters:
		result = `{"metric":{"__name__":"c","pod":"a"},"values":[[` + at(-3) + `,"1"],[` + at(-2) + `.000,"NaN"],[` + at(0) + `,"3"]]},` +
			`{"metric":{"__name__":"c","pod":"b"},"values":[[` + at(-1) + `,"5"]]}`
	case analysistest.RawHistogram:
		result = `{"metric":{"__name__":"h"},"histograms":[[` + at(0) + `,{"count":"3","sum":"2.5","buckets":[[0,"0.5","1","1"],[0,"1","2","2"]]}]]}`
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[`+result+`]}}`)
	}
}

func source(t *testing.T, config Config) *Provider {
	t.Helper()
	p, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// serve runs a server for as long as the test and returns its address.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answer replies with a recorded answer.
func answer(t *testing.T, file string, code int) http.HandlerFunc {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write(body)
	}
}

// silent does not answer until the client goes away. It reads the request, or the server would not
// notice.
func silent(_ http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	<-r.Context().Done()
}

package prometheus

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
)

// exporter shows moments of a history, one after the other. Samples bring their own time, so that a history of minutes is there
// within seconds, and it is known exactly what the server keeps.
type exporter struct {
	start time.Time
	shown atomic.Int64 // the index of the moment
}

const step = 15 * time.Second

// Canary requests: a reset at the third scrape. Errors appear with the second. The histogram gains one observation at each.
func (e *exporter) families(k int) []*dto.MetricFamily {
	at := new(e.start.Add(time.Duration(k) * step).UnixMilli())
	counter := func(labels map[string]string, v float64) *dto.Metric {
		m := &dto.Metric{Counter: &dto.Counter{Value: &v}, TimestampMs: at}
		for _, name := range []string{"arm", "code"} {
			m.Label = append(m.Label, &dto.LabelPair{Name: new(name), Value: new(labels[name])})
		}
		return m
	}
	ok := []float64{100, 110, 4, 9, 20, 20}[k]
	requests := []*dto.Metric{counter(map[string]string{"arm": "canary", "code": "200"}, ok), counter(map[string]string{"arm": "stable", "code": "200"}, 1000+float64(100*k))}
	if k > 0 {
		requests = append(requests, counter(map[string]string{"arm": "canary", "code": "500"}, float64(3*k)))
	}
	observations := uint64(k + 1)
	native := &dto.Histogram{
		SampleCount: &observations, SampleSum: new(0.75 * float64(observations)),
		Schema: new(int32(0)), ZeroThreshold: new(1e-9), ZeroCount: new(uint64(0)),
		PositiveSpan: []*dto.BucketSpan{{Offset: new(int32(0)), Length: new(uint32(1))}}, PositiveDelta: []int64{int64(observations)},
	}
	return []*dto.MetricFamily{
		{Name: new("requests_total"), Type: dto.MetricType_COUNTER.Enum(), Metric: requests},
		{Name: new("duration_seconds"), Type: dto.MetricType_HISTOGRAM.Enum(), Metric: []*dto.Metric{{Histogram: native, TimestampMs: at}}},
	}
}

const history = 6

func (e *exporter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	w.Header().Set("Content-Type", string(format))
	encoder := expfmt.NewEncoder(w, format)
	for _, family := range e.families(int(e.shown.Load())) {
		if err := encoder.Encode(family); err != nil {
			return
		}
	}
}

// started starts the Prometheus of the local cluster, if it was built, with the exporter as its target.
func started(t *testing.T, target *exporter) *Provider {
	t.Helper()
	binary, err := filepath.Abs("../../bin/parts/prometheus")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil || testing.Short() {
		t.Skip("there is no bin/parts/prometheus; make parts builds it")
	}
	dir := t.TempDir()
	exported := serve(t, target.ServeHTTP)
	config := fmt.Sprintf("scrape_configs:\n- job_name: shop\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  scrape_native_histograms: true\n  static_configs: [{targets: [%q]}]\n", exported[len("http://"):])
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, binary, "--config.file="+filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--log.format=json")
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
	})
	return source(t, Config{Name: "main", Address: "http://" + listening(t, log)})
}

// listening reads from the log at which port the server listens, and lets the rest go.
func listening(t *testing.T, log io.Reader) string {
	t.Helper()
	var said strings.Builder
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "Listening on" {
			go func() { _, _ = io.Copy(io.Discard, log) }() // It ends with the process.
			return line.Address
		}
	}
	t.Fatalf("Prometheus does not listen:\n%s", said.String())
	return ""
}

// eventually asks until there is the answer that is waited for.
func eventually(t *testing.T, ask func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, err := ask()
		if done && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("it did not come: %v", err)
		case <-ticker.C:
		}
	}
}

// What a real Prometheus keeps is read as it was scraped, and counted.
func TestARealPrometheus(t *testing.T) {
	target := &exporter{start: time.Now().Add(-2 * time.Minute).Truncate(time.Second)}
	p := started(t, target)
	end := target.start.Add((history - 1) * step)
	read := func(selector string, from, to time.Time) []samples.Series {
		t.Helper()
		got, err := p.Raw(t.Context(), selector, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for k := range history {
		target.shown.Store(int64(k))
		moment := target.start.Add(time.Duration(k) * step)
		eventually(t, func() (bool, error) {
			got, err := p.Raw(t.Context(), `duration_seconds`, moment.Add(-time.Millisecond), moment)
			return len(got) == 1, err
		})
	}

	grid, err := samples.NewGrid(target.start, 2*step)
	if err != nil {
		t.Fatal(err)
	}
	input := func(from, to time.Time) samples.Counters {
		return samples.Counters{
			Canary: samples.Arm{Requests: read(`requests_total{arm="canary"}`, from, to), Errors: read(`requests_total{arm="canary",code=~"5.."}`, from, to)},
			Stable: samples.Arm{Requests: read(`requests_total{arm="stable"}`, from, to), Errors: read(`requests_total{arm="stable",code=~"5.."}`, from, to)},
		}
	}
	whole := samples.Count(grid, 0, 1, input(grid.ReadFrom(0), grid.End(1)))
	if got := whole.Ticks[0]; got.Canary.Requests != 10+3+4+3 || got.Canary.Bad != 6 || got.Stable.Requests != 200 || got.Stable.Bad != 0 {
		t.Errorf("the first tick is %+v", got)
	}
	if got := whole.Ticks[1]; got.Canary.Requests != 5+3+11+3 || got.Canary.Bad != 6 || got.Stable.Requests != 200 {
		t.Errorf("the second tick is %+v", got)
	}
	// What is asked apart gives the same ticks.
	again := samples.Count(grid, 1, 1, input(grid.ReadFrom(1), grid.End(1)))
	if !reflect.DeepEqual(again.Ticks[0], whole.Ticks[1]) {
		t.Errorf("read alone, the second tick is %+v", again.Ticks[0])
	}
	if got := samples.ScrapeInterval(read(`requests_total`, target.start.Add(-time.Second), end)); got != step {
		t.Errorf("scraped every %s", got)
	}

	latencies := read(`duration_seconds`, target.start.Add(-time.Second), end)
	bounds := samples.Bounds(latencies, 10)
	if !reflect.DeepEqual(bounds, []float64{1}) {
		t.Errorf("bounds %v", bounds)
	}
	counted := samples.Histograms(grid, 0, 1, samples.Latencies{Bounds: bounds, Canary: samples.HistogramArm{Series: latencies}})
	if !counted.Native || !reflect.DeepEqual(counted.Canary, [][]int64{{2, 0}, {2, 0}}) {
		t.Errorf("the histogram is %+v", counted)
	}

	seen := func(selectors ...string) int {
		result, err := p.Query(t.Context(), analysis.SeenQuery(selectors...), end)
		if err != nil {
			t.Fatal(err)
		}
		return len(result.Series)
	}
	if seen(`requests_total{arm="canary",code="500"}`, `requests_total{arm="stable",code="500"}`) != 1 || seen(`requests_total{code="501"}`, `requests_total{code="502"}`) != 0 {
		t.Error("SeenQuery does not tell what was there")
	}
	if got := read(`nothing_of_this_name{arm="canary"}`, target.start, end); len(got) != 0 {
		t.Errorf("what matches nothing gives %v", got)
	}
}

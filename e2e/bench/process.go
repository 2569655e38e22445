package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// usage of the controller's process at a moment, as its own metrics tell it.
type usage struct {
	resident   float64 // bytes
	cpu        float64 // seconds since it began
	goroutines float64
	queries    float64 // asked of Prometheus since it began
}

func usageOf(ctx context.Context, address string) (usage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return usage{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return usage{}, fmt.Errorf("reading the controller's metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return usage{}, fmt.Errorf("reading the controller's metrics: %w", err)
	}
	return usage{
		resident: value(families["process_resident_memory_bytes"]), cpu: value(families["process_cpu_seconds_total"]),
		goroutines: value(families["go_goroutines"]), queries: value(families["belay_query_duration_seconds"]),
	}, nil
}

// value of a metric that has one series; of a histogram how often it was observed.
func value(f *dto.MetricFamily) float64 {
	if len(f.GetMetric()) == 0 {
		return 0
	}
	m := f.GetMetric()[0]
	if h := m.GetHistogram(); h != nil {
		return float64(h.GetSampleCount())
	}
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

// meter looks at a process again and again.
type meter struct {
	mu      sync.Mutex
	samples []usage
}

// follow looks every two seconds until ctx ends. A look that fails is left out.
func (m *meter) follow(ctx context.Context, address string) {
	go func() {
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if u, err := usageOf(ctx, address); err == nil {
				m.mu.Lock()
				m.samples = append(m.samples, u)
				m.mu.Unlock()
			}
		}
	}()
}

func (m *meter) figures(last usage, took time.Duration) []Figure {
	m.mu.Lock()
	defer m.mu.Unlock()
	var resident, goroutines []float64
	for _, u := range m.samples {
		resident = append(resident, u.resident/(1<<20))
		goroutines = append(goroutines, u.goroutines)
	}
	return []Figure{
		figure("controller: resident memory", "", "MiB", resident...),
		figure("controller: goroutines", "", "", goroutines...),
		figure("controller: CPU over the whole run", "", "s", last.cpu),
		figure("controller: CPU per second", "", "ms", 1000*last.cpu/took.Seconds()),
	}
}

package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// shop serves one revision.
type shop struct {
	revision, pod string
	latency       time.Duration
	errors        share
	ready         atomic.Bool
	draining      atomic.Bool

	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration prometheus.Histogram
}

func newShop(revision, pod string, errorPercent float64, latency time.Duration) *shop {
	s := &shop{revision: revision, pod: pod, latency: latency, registry: prometheus.NewRegistry()}
	s.errors.percent = errorPercent
	s.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total",
		Help: "Requests answered, by status code.",
	}, []string{"code"})
	s.duration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                            "http_request_duration_seconds",
		Help:                            "Time from a request's arrival to its answer.",
		Buckets:                         prometheus.DefBuckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	})
	s.registry.MustRegister(s.requests, s.duration)
	// Both series exist from the start: a rate over a series that is born with a value is blind to that value.
	s.requests.WithLabelValues("200")
	s.requests.WithLabelValues("500")
	return s
}

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.health)
	mux.Handle("/metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/", s.serve)
	return mux
}

func (s *shop) health(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.draining.Load():
		http.Error(w, "draining", http.StatusServiceUnavailable)
	case !s.ready.Load():
		http.Error(w, "not ready yet", http.StatusServiceUnavailable)
	}
}

type answer struct {
	Revision string `json:"revision"`
	Pod      string `json:"pod"`
	Error    string `json:"error,omitempty"`
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if s.latency > 0 {
		select {
		case <-time.After(s.latency):
		case <-r.Context().Done():
		}
	}
	code, body := http.StatusOK, answer{Revision: s.revision, Pod: s.pod}
	if s.errors.next() {
		code, body.Error = http.StatusInternalServerError, "this revision fails a share of its requests"
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Revision", s.revision)
	if s.draining.Load() {
		// The connection must not be kept: a request sent on it just when the server closes would be lost.
		header.Set("Connection", "close")
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
	s.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	s.duration.Observe(time.Since(start).Seconds())
}

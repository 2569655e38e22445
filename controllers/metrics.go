package controllers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// Metrics of the controller. Series of a Rollout disappear with it.
type Metrics struct {
	Clock      clock.PassiveClock
	info       *prometheus.GaugeVec
	weight     *prometheus.GaugeVec
	attempts   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	measured   *prometheus.CounterVec
	queried    prometheus.Histogram
	toTraffic  prometheus.Histogram
	toCommit   prometheus.Histogram
	reverts    *prometheus.CounterVec
	violations *prometheus.CounterVec
}

// NewMetrics registers the controller's metrics.
func NewMetrics(r prometheus.Registerer, c clock.PassiveClock) *Metrics {
	rollout := []string{"namespace", "rollout"}
	fast := []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60}
	m := &Metrics{
		Clock:      c,
		info:       prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "belay_rollout_info", Help: "1 for the phase that a Rollout is in."}, append(rollout, "phase")),
		weight:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "belay_rollout_weight", Help: "Share of traffic, 0 to 1, as written to the routes."}, append(rollout, "revision_role")),
		attempts:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "belay_attempts_total", Help: "Attempts that ended."}, append(rollout, "outcome")),
		duration:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "belay_attempt_duration_seconds", Help: "How long attempts took.", Buckets: prometheus.ExponentialBuckets(15, 2, 14)}, []string{"outcome"}),
		measured:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "belay_measurements_total", Help: "Measurements by what they said."}, []string{"verdict"}),
		queried:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: "belay_query_duration_seconds", Help: "How long queries took.", Buckets: fast}),
		toTraffic:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "belay_breach_to_traffic_seconds", Help: "From the recorded verdict to the split cleared in the API.", Buckets: fast}),
		toCommit:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "belay_breach_to_commit_seconds", Help: "From the recorded verdict to the revert on the Git server.", Buckets: fast}),
		reverts:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "belay_reverts_total", Help: "Reverts by how they ended."}, []string{"outcome"}),
		violations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "belay_invariant_violations_total", Help: "Plans that would have broken a law, and were not carried out."}, []string{"law"}),
	}
	r.MustRegister(m.info, m.weight, m.attempts, m.duration, m.measured, m.queried, m.toTraffic, m.toCommit, m.reverts, m.violations)
	return m
}

// Measured counts a measurement, Queried observes a query.
func (m *Metrics) Measured(verdict string) { m.measured.WithLabelValues(verdict).Inc() }

// Queried observes how long a query took.
func (m *Metrics) Queried(took time.Duration) { m.queried.Observe(took.Seconds()) }

func (m *Metrics) violation(law string) { m.violations.WithLabelValues(law).Inc() }

// recorded follows what was written down.
func (m *Metrics) recorded(s *observe.Scene, p plan.Plan) {
	if e := p.Ended; e != nil {
		m.attempts.WithLabelValues(s.Namespace, s.Name, string(e.Outcome)).Inc()
		if e.StartedAt != nil && s.Progress.StartedAt != nil { // what was let through unheld is no attempt
			m.duration.WithLabelValues(string(e.Outcome)).Observe(s.Now.Sub(s.Progress.StartedAt.Time).Seconds())
		}
	}
	m.state(s, p)
	before, after := s.Progress.Revert, p.Progress.Revert
	if after == nil || (before != nil && before.State == after.State) {
		return
	}
	switch after.State {
	case v1alpha1.RevertWanted, v1alpha1.RevertPlanned:
	default:
		m.reverts.WithLabelValues(string(after.State)).Inc()
	}
	if after.State == v1alpha1.RevertPushed {
		m.toCommit.Observe(m.Clock.Now().Sub(s.Progress.Ending.At.Time).Seconds())
	}
}

// acted follows what was done.
func (m *Metrics) acted(s *observe.Scene, p plan.Plan) {
	m.state(s, p)
	if !p.Breach.IsZero() {
		m.toTraffic.Observe(m.Clock.Now().Sub(p.Breach).Seconds())
	}
}

func (m *Metrics) state(s *observe.Scene, p plan.Plan) {
	labels := prometheus.Labels{"namespace": s.Namespace, "rollout": s.Name}
	m.info.DeletePartialMatch(labels)
	phase := p.Phase
	if phase == "" {
		phase = s.Rollout.Status.Phase // as in the status
	}
	m.info.WithLabelValues(s.Namespace, s.Name, string(phase)).Set(1)
	share := 0.0
	for _, r := range s.Routes {
		share = max(share, float64(r.Permille())/1000)
	}
	m.weight.WithLabelValues(s.Namespace, s.Name, "canary").Set(share)
	m.weight.WithLabelValues(s.Namespace, s.Name, "stable").Set(1 - share)
}

func (m *Metrics) forget(key types.NamespacedName) {
	labels := prometheus.Labels{"namespace": key.Namespace, "rollout": key.Name}
	m.info.DeletePartialMatch(labels)
	m.weight.DeletePartialMatch(labels)
	m.attempts.DeletePartialMatch(labels)
}

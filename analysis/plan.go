package analysis

import (
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// DefaultInterval between two measurements where neither the metric nor the Rollout names one.
const DefaultInterval = 10 * time.Second

// Options of Compile.
type Options struct {
	// Interval is spec.analysis.interval. 0: DefaultInterval.
	Interval time.Duration
	// Ramp: the weight changes all the time, so intervals go through all weights.
	Ramp bool
	// Args are the values of {{ .Args.<name> }}, as Resolve returns them.
	Args map[string]string
}

// Plan is a metric made ready to be measured. It is immutable and may be shared.
type Plan struct {
	// Metric as declared.
	Metric v1alpha1.Metric
	// Interval between two measurements, greater than 0.
	Interval time.Duration
	// InitialDelay from the start of the step's clock to the first measurement.
	InitialDelay time.Duration

	// Comparison is set for a compare metric, which has no query and no conditions.
	Comparison *Comparison

	query      *query
	conditions *conditions
}

// Vars are the values that a query may name. Interval and Since are filled in by Render.
type Vars struct {
	Namespace string // .Namespace of the Rollout
	Name      string // .Name of the Rollout
	Service   string // .Service that selects exactly the arm's pods
	Revision  string // .Revision of the arm: its pod-template-hash
	Arm       string // .Arm: canary or stable
}

// Compile makes metrics ready, or returns one error for each metric that cannot be: an *Error of
// kind Configuration that names the metric, the field, the value and the way out.
func Compile(metrics []v1alpha1.Metric, opts Options) ([]Plan, error) {
	metrics, err := expand(metrics)
	if err != nil {
		return nil, err
	}
	plans := make([]Plan, 0, len(metrics))
	var errs []error
	for i := range metrics {
		plan, err := compile(&metrics[i], opts)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		plans = append(plans, *plan)
	}
	if len(errs) > 0 {
		err := errors.Join(errs...)
		return nil, &Error{Kind: Configuration, Text: err.Error(), Err: err}
	}
	return plans, nil
}

func compile(metric *v1alpha1.Metric, opts Options) (*Plan, error) {
	plan := &Plan{Metric: *metric.DeepCopy()}
	plan.Interval = positive(metric.Interval, opts.Interval, DefaultInterval)
	if metric.InitialDelay != nil && metric.InitialDelay.Duration > 0 {
		plan.InitialDelay = metric.InitialDelay.Duration
	}
	var err error
	if metric.Compare != nil {
		plan.Comparison, err = compileComparison(metric, opts)
		return plan, err
	}
	if metric.Gauge != nil {
		plan.Comparison, err = compileGauge(metric, opts)
		return plan, err
	}
	if metric.Prometheus == nil {
		return nil, configurationf("metric %q: it has no source: give it prometheus with a query, compare or gauge", metric.Name)
	}
	if plan.query, err = compileQuery(metric.Prometheus.Query, opts.Args, plan.Interval); err != nil {
		return nil, configurationf("metric %q: prometheus.query: %v", metric.Name, err)
	}
	if plan.conditions, err = compileConditions(metric.SuccessCondition, metric.FailureCondition); err != nil {
		return nil, configurationf("metric %q: %v", metric.Name, err)
	}
	return plan, nil
}

// positive returns the first duration that is set and greater than 0.
func positive(own *metav1.Duration, others ...time.Duration) time.Duration {
	if own != nil && own.Duration > 0 {
		return own.Duration
	}
	for _, d := range others {
		if d > 0 {
			return d
		}
	}
	return 0
}

// Span is the time from the start of a step's clock in which every plan is measured n times.
func Span(plans []Plan, n int) time.Duration {
	var span time.Duration
	for i := range plans {
		span = max(span, plans[i].InitialDelay+time.Duration(n)*plans[i].Interval)
	}
	return span
}

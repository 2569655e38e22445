package backtest

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// Threshold is what history says of a metric with a query and conditions.
type Threshold struct {
	Name         string `json:"name"`
	Measurements int    `json:"measurements"`
	// How many of them were what.
	Success      int `json:"success"`
	Failure      int `json:"failure"`
	Inconclusive int `json:"inconclusive"`
	NoData       int `json:"noData"`
	// Attempts of the ladder's length, one after the other, and how many of them it would have failed.
	Attempts int `json:"attempts"`
	Failed   int `json:"failed"`
	// Problem says why it could not be measured; empty: it was.
	Problem string `json:"problem,omitempty"`
}

// mostPoints that a server evaluates in one question.
const mostPoints = 10_000

// threshold measures a metric at its interval through all of history.
func (p *Plan) threshold(ctx context.Context, from Source, m *analysis.Plan, start, end time.Time, progress func()) (Threshold, error) {
	out := Threshold{Name: m.Metric.Name}
	query, err := m.Render(p.vars, p.Length())
	if err == nil {
		query.Text, err = forAnyRevision(query.Text)
	}
	if err != nil {
		out.Problem = err.Error()
		return out, nil
	}
	climb := newClimb(p, m, &out)
	for at := start; at.Before(end); {
		last := at.Add((mostPoints - 1) * m.Interval)
		if last.After(end) {
			last = end
		}
		matrix, err := from.Range(ctx, query.Text, at, last, m.Interval)
		if err != nil {
			return out, fmt.Errorf("metric %q: %w", m.Metric.Name, err)
		}
		for _, measured := range measurements(m, matrix, at, last) {
			climb.add(measured)
		}
		at = last.Add(m.Interval)
		progress()
	}
	return out, nil
}

// measurements judges the answers of one question, moment by moment.
func measurements(m *analysis.Plan, matrix model.Matrix, start, end time.Time) []analysis.Measurement {
	next := make([]int, len(matrix))
	var out []analysis.Measurement
	for at := start; !at.After(end); at = at.Add(m.Interval) {
		var result analysis.Result
		for i, stream := range matrix {
			for next[i] < len(stream.Values) && stream.Values[next[i]].Timestamp.Time().Before(at.Truncate(time.Millisecond)) {
				next[i]++
			}
			if next[i] < len(stream.Values) && stream.Values[next[i]].Timestamp == model.TimeFromUnixNano(at.UnixNano()) {
				result.Series = append(result.Series, analysis.Series{Value: float64(stream.Values[next[i]].Value)})
			}
		}
		out = append(out, m.Evaluate(result, nil))
	}
	return out
}

// climb replays attempts of one threshold metric.
type climb struct {
	plan   *Plan
	metric *analysis.Plan
	out    *Threshold

	rung   int
	since  time.Duration // of the step's clock
	counts v1alpha1.MeasurementCounts
}

func newClimb(p *Plan, m *analysis.Plan, out *Threshold) *climb {
	return &climb{plan: p, metric: m, out: out}
}

func (c *climb) add(m analysis.Measurement) {
	c.out.count(m)
	if c.since >= c.metric.InitialDelay {
		var verdict v1alpha1.Verdict
		if c.counts, verdict, _ = analysis.Judge(&c.metric.Metric, c.counts, m); verdict == v1alpha1.VerdictFail {
			c.out.Failed++
			c.again()
			return
		}
	}
	if c.since += c.metric.Interval; c.since < c.plan.ladder[c.rung].bake {
		return
	}
	c.since, c.counts = 0, v1alpha1.MeasurementCounts{}
	if c.rung++; c.rung == len(c.plan.ladder) {
		c.again()
	}
}

func (c *climb) again() {
	c.out.Attempts++
	c.rung, c.since, c.counts = 0, 0, v1alpha1.MeasurementCounts{}
}

func (t *Threshold) count(m analysis.Measurement) {
	t.Measurements++
	switch m.Outcome {
	case analysis.Success:
		t.Success++
	case analysis.Failure:
		t.Failure++
	case analysis.Inconclusive:
		t.Inconclusive++
	case analysis.Misconfigured:
		t.NoData++
		t.Problem = m.Message
	default:
		t.NoData++
	}
}

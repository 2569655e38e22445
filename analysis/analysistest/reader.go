package analysistest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
)

// Behaviours that a reader has to cope with, besides those of a source that has no samples or fails.
const (
	RawCounters Behaviour = "a counter c{pod=a} with the samples 1, NaN and 3, three, two and no seconds before the moment, " +
		"and c{pod=b} with 5 one second before it"
	RawHistogram Behaviour = "a native histogram h{} with one sample at the moment: 3 observations, in all 2.5, one in (0.5, 1] and two in (1, 2]"
	RawNothing   Behaviour = "no series"
)

// ReaderSource makes a reader whose source behaves in the given way, and takes both down with the test.
type ReaderSource func(t *testing.T, b Behaviour) analysis.Reader

// Moment up to which the suite reads.
func Moment() time.Time { return moment }

const selector = `requests_total{service="checkout-canary"}`

// RunReader checks the contract of a reader.
func RunReader(t *testing.T, source ReaderSource) {
	t.Run("samples", func(t *testing.T) { reads(t, source) })
	t.Run("no time at all", func(t *testing.T) {
		if got, err := source(t, RawCounters).Raw(t.Context(), selector, moment, moment); err != nil || len(got) != 0 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("not a selector", func(t *testing.T) {
		for _, text := range []string{`sum(x)`, `x[5m]`, `x offset 5m`, `x or y`, ``} {
			if got, err := source(t, RawCounters).Raw(t.Context(), text, moment.Add(-time.Minute), moment); !analysis.IsConfiguration(err) {
				t.Errorf("%q gives %v, %v", text, got, err)
			}
		}
	})
	ask := func(t *testing.T, b Behaviour) func(context.Context) error {
		reader := source(t, b)
		return func(ctx context.Context) error {
			_, err := reader.Raw(ctx, selector, moment.Add(-time.Minute), moment)
			return err
		}
	}
	t.Run("errors", func(t *testing.T) { failures(t, ask) })
	t.Run("reading ends with its context", func(t *testing.T) { ends(t, ask) })
}

func reads(t *testing.T, source ReaderSource) {
	at := func(seconds int) int64 { return moment.Add(time.Duration(seconds) * time.Second).UnixMilli() }
	a, b := map[string]string{samples.NameLabel: "c", "pod": "a"}, map[string]string{samples.NameLabel: "c", "pod": "b"}
	tests := map[string]struct {
		behaviour Behaviour
		back      time.Duration
		want      []samples.Series
	}{
		"counters": {RawCounters, time.Minute, []samples.Series{
			{Labels: a, Points: []samples.Point{{T: at(-3), V: 1}, {T: at(-2), V: math.NaN()}, {T: at(0), V: 3}}},
			{Labels: b, Points: []samples.Point{{T: at(-1), V: 5}}},
		}},
		"the first moment does not belong to it": {RawCounters, 2 * time.Second, []samples.Series{
			{Labels: a, Points: []samples.Point{{T: at(0), V: 3}}},
			{Labels: b, Points: []samples.Point{{T: at(-1), V: 5}}},
		}},
		"a native histogram": {RawHistogram, time.Minute, []samples.Series{
			{Labels: map[string]string{samples.NameLabel: "h"}, Histograms: []samples.HistogramPoint{
				{T: at(0), Count: 3, Sum: 2.5, Buckets: []samples.Bucket{{Lower: 0.5, Upper: 1, Count: 1}, {Lower: 1, Upper: 2, Count: 2}}}}},
		}},
		"nothing": {RawNothing, time.Minute, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := source(t, tc.behaviour).Raw(t.Context(), selector, moment.Add(-tc.back), moment)
			if err != nil {
				t.Fatalf("error %v", err)
			}
			// Written, since NaN is not equal to itself.
			if got, want := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", tc.want); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

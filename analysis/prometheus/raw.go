package prometheus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
)

var _ analysis.Reader = (*Provider)(nil)

// Bounds of what is read at once. An answer has the source's MaxBytes too.
const (
	// longestChunk is the longest time for which samples are asked in one question, shortestChunk the
	// shortest: if that is too much as well, there are too many series.
	longestChunk, shortestChunk = 6 * time.Hour, 10 * time.Second
	// maxRawSeries leaves room to say which recording rule helps, where more than samples.MaxSeries match.
	maxRawSeries = 4 * samples.MaxSeries
	// maxRawSamples of all answers together, some 100 MB.
	maxRawSamples = 5_000_000
)

// Raw implements analysis.Reader with instant queries of a range selector, which return samples as they
// were scraped. Long times are asked in pieces, and what is too large for one answer in smaller ones.
func (p *Provider) Raw(ctx context.Context, selector string, from, to time.Time) ([]samples.Series, error) {
	if _, err := parser.NewParser(parser.Options{}).ParseMetricSelector(selector); err != nil {
		return nil, refused("not the selector of a metric: write its name and matchers, as requests_total{service=\"checkout\"}")
	}
	var parts [][]samples.Series
	from, to = from.Truncate(time.Millisecond), to.Truncate(time.Millisecond)
	chunk, total := longestChunk, 0
	for from.Before(to) {
		end := from.Add(chunk)
		if end.After(to) {
			end = to
		}
		part, n, err := p.piece(ctx, selector, from, end)
		switch {
		case errors.Is(err, errTooLarge) && end.Sub(from) > shortestChunk:
			chunk = max(end.Sub(from)/2, shortestChunk).Truncate(time.Millisecond)
			continue
		case errors.Is(err, errTooLarge):
			return nil, refused(fmt.Sprintf("metrics source %q answers with more than %d bytes for %s of %s: narrow the selector, "+
				"or name a recording rule with fewer labels", p.config.Name, p.config.MaxBytes, model.Duration(shortestChunk), selector))
		case err != nil:
			return nil, err
		}
		if total += n; total > maxRawSamples {
			return nil, refused(fmt.Sprintf("%s has more than %d samples: narrow the selector, or name a recording rule with fewer labels", selector, maxRawSamples))
		}
		parts = append(parts, part)
		from = end
	}
	return samples.Merge(parts...), nil
}

// piece reads what one answer holds: the samples after from, up to and including to.
func (p *Provider) piece(ctx context.Context, selector string, from, to time.Time) ([]samples.Series, int, error) {
	value, err := p.ask(ctx, selector+"["+model.Duration(to.Sub(from)).String()+"]", to)
	var answer *promv1.Error
	switch {
	case errors.Is(err, errTooLarge), errors.As(err, &answer) && strings.Contains(answer.Msg, "too many samples"):
		return nil, 0, errTooLarge
	case err != nil:
		return nil, 0, p.classify(err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, 0, p.classify(&promv1.Error{Type: promv1.ErrBadResponse})
	}
	if len(matrix) > maxRawSeries {
		return nil, 0, refused(fmt.Sprintf("%s matches more than %d series: narrow the selector, or name a recording rule with fewer labels", selector, maxRawSeries))
	}
	out, n := make([]samples.Series, 0, len(matrix)), 0
	for _, stream := range matrix {
		s := seriesOf(stream, from.UnixMilli())
		if held := len(s.Points) + len(s.Histograms); held > 0 {
			n += held
			out = append(out, s)
		}
	}
	return out, n, nil
}

// seriesOf leaves out samples at the very moment of from: some servers have them, some do not.
func seriesOf(stream *model.SampleStream, from int64) samples.Series {
	out := samples.Series{Labels: make(map[string]string, len(stream.Metric))}
	for name, value := range stream.Metric {
		out.Labels[string(name)] = string(value)
	}
	for _, v := range stream.Values {
		if t := int64(v.Timestamp); t > from {
			out.Points = append(out.Points, samples.Point{T: t, V: float64(v.Value)})
		}
	}
	for _, v := range stream.Histograms {
		t := int64(v.Timestamp)
		if t <= from || v.Histogram == nil {
			continue
		}
		point := samples.HistogramPoint{T: t, Count: float64(v.Histogram.Count), Sum: float64(v.Histogram.Sum)}
		for _, b := range v.Histogram.Buckets {
			point.Buckets = append(point.Buckets, samples.Bucket{Lower: float64(b.Lower), Upper: float64(b.Upper), Count: float64(b.Count)})
		}
		out.Histograms = append(out.Histograms, point)
	}
	return out
}

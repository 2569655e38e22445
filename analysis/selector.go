package analysis

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// CompareSource names the counters of a compare metric by vector selectors, written as queries are: with
// variables, which differ from arm to arm.
type CompareSource struct {
	// Requests and Errors belong together. Histogram may stand beside them or alone.
	Requests, Errors, Histogram string
}

// Compare is a compare metric whose selectors are parsed. It is immutable and may be shared.
type Compare struct {
	metric                      string
	requests, errors, histogram *selector // nil: not given
}

// Selectors of one arm, as they are sent to a Reader.
type Selectors struct {
	// Requests and Errors; both empty where latencies alone are compared.
	Requests, Errors string
	// Histograms are the native histogram and the buckets of the classic one, since nobody knows which
	// of them there is. Empty without a histogram.
	Histograms []string
}

// Main is the selector that stands for all of them: what a person has to correct where nothing matches.
func (s Selectors) Main() string {
	if s.Requests != "" {
		return s.Requests
	}
	return s.Histograms[0]
}

// CompileCompare parses the selectors of a metric. Errors are of kind Configuration and name the metric,
// the field and the way out.
func CompileCompare(metric string, source CompareSource, args map[string]string) (*Compare, error) {
	c := &Compare{metric: metric}
	if source.Requests == "" && source.Errors == "" && source.Histogram == "" {
		return nil, configurationf("metric %q: compare has no selectors: give it requests and errors, or a histogram", metric)
	}
	if (source.Requests == "") != (source.Errors == "") {
		return nil, configurationf("metric %q: compare needs requests and errors: give it both, or neither and a histogram", metric)
	}
	for _, field := range []struct {
		name, source string
		into         **selector
	}{{"requests", source.Requests, &c.requests}, {"errors", source.Errors, &c.errors}, {"histogram", source.Histogram, &c.histogram}} {
		if field.source == "" {
			continue
		}
		s, err := compileSelector(field.source, args, field.name == "histogram")
		if err != nil {
			return nil, c.failed(field.name, err)
		}
		*field.into = s
	}
	return c, nil
}

// CompileGauge parses the selector of a gauge metric, which becomes Selectors.Requests.
func CompileGauge(metric, source string, args map[string]string) (*Compare, error) {
	s, err := compileSelector(source, args, false)
	if err != nil {
		return nil, configurationf("metric %q: gauge.selector: %v", metric, err)
	}
	return &Compare{metric: metric, requests: s}, nil
}

// Select puts the variables of an arm into the selectors. As with queries, a value cannot change what a
// selector asks (see Plan.Render).
func (c *Compare) Select(vars Vars) (Selectors, error) {
	var out Selectors
	var err error
	if c.requests != nil {
		if out.Requests, err = c.requests.render(vars); err != nil {
			return Selectors{}, c.failed("requests", err)
		}
		if c.errors == nil {
			return out, nil // of a gauge
		}
		if out.Errors, err = c.errors.render(vars); err != nil {
			return Selectors{}, c.failed("errors", err)
		}
	}
	if c.histogram != nil {
		if out.Histograms, err = c.histogram.renderHistogram(vars); err != nil {
			return Selectors{}, c.failed("histogram", err)
		}
	}
	return out, nil
}

func (c *Compare) failed(field string, err error) error {
	return configurationf("metric %q: compare.%s: %v", c.metric, field, err)
}

// SeenQuery counts the series that any of the selectors matched within SeenWindow. No answer: none ever
// did, which a selector of errors does when nothing ever failed, and when it has a typo.
func SeenQuery(selectors ...string) string {
	parts := make([]string, len(selectors))
	for i, s := range selectors {
		parts[i] = fmt.Sprintf("present_over_time(%s[%s])", s, model.Duration(SeenWindow))
	}
	return "count(" + strings.Join(parts, " or ") + ")"
}

// SeenWindow is how far SeenQuery looks back.
const SeenWindow = 7 * 24 * time.Hour

// selector is a parsed template of a vector selector.
type selector struct{ query *query }

// compileSelector parses a template that must be a plain vector selector and differ between the arms.
func compileSelector(source string, args map[string]string, histogram bool) (*selector, error) {
	if err := looksLikeSelector(source); err != nil {
		return nil, err
	}
	q, err := compileQuery(source, args, time.Second)
	if err != nil {
		return nil, err
	}
	uses := func(variable string) bool {
		return slices.ContainsFunc(q.segments, func(s segment) bool { return s.variable == variable })
	}
	switch {
	case uses("Interval"), uses("Since"):
		return nil, configurationf("{{ .Interval }} and {{ .Since }} are windows, which a selector does not have: remove them")
	case !uses("Service") && !uses("Revision") && !uses("Arm"):
		return nil, configurationf("the selector is the same for canary and stable: put {{ .Service }}, {{ .Revision }} or {{ .Arm }} into it")
	}
	text, err := q.substitute(q.argValues(), time.Second)
	if err != nil {
		return nil, err
	}
	expr, err := newParser().ParseExpr(text.Text)
	if err != nil {
		return nil, configurationf("not PromQL: %v", err)
	}
	// Again, since a number or a duration can stand where no other value can: offset {{ .Args.x }}.
	if err := plain(expr); err != nil {
		return nil, err
	}
	if _, err := newParser().ParseMetricSelector(text.Text); err != nil {
		return nil, configurationf("a name and matchers is all that a selector may be: %v", err) // Such as an offset of 0.
	}
	return &selector{query: q}, named(expr.(*parser.VectorSelector), histogram)
}

// looksLikeSelector refuses what is PromQL and not a plain vector selector before anything else is said of
// it. What is not PromQL is left to compileQuery, which says where.
func looksLikeSelector(source string) error {
	segments, err := parseTemplate(source)
	if err != nil {
		return err
	}
	q := &query{source: source, segments: segments}
	r := q.rendering(nil, time.Second)
	expr, err := newParser().ParseExpr(r.text(nil))
	if err != nil {
		return nil //nolint:nilerr // Told by compileQuery.
	}
	return plain(expr)
}

// plain refuses whatever is not a vector selector and nothing else.
func plain(expr parser.Expr) error {
	found := ""
	switch e := expr.(type) {
	case *parser.VectorSelector:
		found = modifierOf(e)
	case *parser.MatrixSelector:
		found = "a range"
	case *parser.Call:
		found = "the function " + e.Func.Name
	case *parser.AggregateExpr:
		found = "the aggregation " + e.Op.String()
	case *parser.BinaryExpr:
		found = "the operator " + e.Op.String()
	case *parser.ParenExpr:
		found = "parentheses"
	default:
		found = "something else"
	}
	if found == "" {
		return nil
	}
	return configurationf(`%s does not belong here: write the name of a counter with its matchers and nothing else, `+
		`as requests_total{service="{{ .Service }}"}, since the counter's own samples are read`, found)
}

func modifierOf(s *parser.VectorSelector) string {
	switch {
	case s.OriginalOffset != 0 || s.OriginalOffsetExpr != nil:
		return "an offset"
	case s.Timestamp != nil || s.StartOrEnd != 0:
		return "the modifier @"
	case s.Anchored || s.Smoothed:
		return "a modifier"
	}
	return ""
}

// Names of the parts of a classic histogram.
const bucketSuffix = "_bucket"

// named checks the metric's name, which says what is counted.
func named(s *parser.VectorSelector, histogram bool) error {
	name := nameOf(s)
	if name == "" {
		return configurationf("the selector names no metric: begin it with the name, without regular expressions")
	}
	if !histogram {
		return nil
	}
	for _, suffix := range []string{"_count", "_sum"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return configurationf("%s is a part of a histogram: name the histogram itself, %s", name, base)
		}
	}
	for _, m := range s.LabelMatchers {
		if m.Name == model.BucketLabel {
			return configurationf("the selector narrows the label le: remove it, since all buckets of a histogram are compared")
		}
	}
	return nil
}

func nameOf(s *parser.VectorSelector) string {
	if s.Name != "" {
		return s.Name
	}
	for _, m := range s.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

func (s *selector) render(vars Vars) (string, error) {
	out, err := s.query.substitute(s.query.values(vars), time.Second)
	return out.Text, err
}

// renderHistogram gives the selectors of the native histogram and of the buckets of the classic one.
func (s *selector) renderHistogram(vars Vars) ([]string, error) {
	text, err := s.render(vars)
	if err != nil {
		return nil, err
	}
	expr, err := newParser().ParseExpr(text)
	if err != nil {
		return nil, configurationf("not PromQL: %v", err)
	}
	parsed := expr.(*parser.VectorSelector)
	base := strings.TrimSuffix(nameOf(parsed), bucketSuffix)
	return []string{renamed(parsed, base), renamed(parsed, base+bucketSuffix)}, nil
}

// renamed writes the selector with another name.
func renamed(s *parser.VectorSelector, name string) string {
	matchers := slices.DeleteFunc(slices.Clone(s.LabelMatchers), func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	})
	matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, name))
	copied := &parser.VectorSelector{LabelMatchers: matchers}
	if model.LegacyValidation.IsValidMetricName(name) {
		copied.Name = name
	}
	return copied.String()
}

package analysis

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// query is a parsed template together with the values that are known before a step begins.
type query struct {
	source   string
	segments []segment
	args     map[string]string
	interval time.Duration
}

// Query is what is sent to a provider.
type Query struct {
	Text string
	// Window is how far back the query looks: ranges, enclosing subqueries and offsets.
	Window time.Duration
	// Warning says that the window reaches back before the step began, so that the value still
	// contains another weight; else empty.
	Warning string
}

// newParser accepts what a Prometheus server accepts without feature flags, and the experimental
// functions, which cannot change how a query nests.
func newParser() parser.Parser {
	return parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
}

func compileQuery(source string, args map[string]string, interval time.Duration) (*query, error) {
	segments, err := parseTemplate(source)
	if err != nil {
		return nil, err
	}
	q := &query{source: source, segments: segments, args: args, interval: interval}
	for _, name := range argsOf(segments) {
		if _, ok := args[name]; !ok {
			return nil, configurationf("{{ .Args.%s }} has no value: add %q to spec.analysis.args", name, name)
		}
	}
	// The variables of the arm are not known yet, so only the arguments are tried here.
	if _, err := q.substitute(q.argValues(), time.Second); err != nil {
		return nil, err
	}
	return q, nil
}

// Render puts the variables into the plan's query. elapsed is the time since the step's clock
// started. Every value is escaped as the content of a PromQL string, whichever quotes surround it;
// the query is parsed with neutral words and with the values, and refused unless both have the
// same shape. So whoever writes a value cannot change what a template asks. Errors are of kind
// Configuration and name the variable.
func (p *Plan) Render(vars Vars, elapsed time.Duration) (Query, error) {
	out, err := p.query.substitute(p.query.values(vars), elapsed)
	if err != nil {
		return Query{}, configurationf("metric %q: prometheus.query: %v", p.Metric.Name, err)
	}
	if out.Window > max(elapsed, 0) {
		out.Warning = fmt.Sprintf("metric %q looks back %s, to before the step's clock started: its value still contains "+
			"another weight; set initialDelay: %s, or use [{{ .Since }}] as the window",
			p.Metric.Name, model.Duration(out.Window), model.Duration(out.Window))
	}
	return out, nil
}

// values of all variables but the windows.
func (q *query) values(vars Vars) map[string]string {
	values := q.argValues()
	values["Namespace"] = vars.Namespace
	values["Name"] = vars.Name
	values["Service"] = vars.Service
	values["Revision"] = vars.Revision
	values["Arm"] = vars.Arm
	return values
}

func (q *query) argValues() map[string]string {
	values := make(map[string]string, len(q.args)+len(variables))
	for name, value := range q.args {
		values[argPrefix+name] = value
	}
	return values
}

// substitute renders the query with the given values and neutral words for the rest.
func (q *query) substitute(values map[string]string, elapsed time.Duration) (Query, error) {
	used := map[string]string{}
	for _, s := range q.segments {
		value, ok := values[s.variable]
		if !ok {
			continue
		}
		if err := checkValue(s.variable, value); err != nil {
			return Query{}, err
		}
		used[s.variable] = value
	}
	r := q.rendering(used, elapsed)
	before, err := q.parseBefore(r)
	if err != nil {
		return Query{}, err
	}
	text := r.text(used)
	after, err := r.sameShape(before, text, used)
	if err != nil {
		return Query{}, q.blame(r, used)
	}
	return Query{Text: text, Window: windowOf(after)}, nil
}

// blame finds the value that changes the shape, by trying each alone.
func (q *query) blame(r *rendering, used map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(used)) {
		alone := map[string]string{name: used[name]}
		before, err := q.parseBefore(r)
		if err != nil {
			return err
		}
		if _, err := r.sameShape(before, r.text(alone), alone); err != nil {
			return configurationf("%s with the value %q would change what the query asks (%v); "+
				"put {{ .%s }} between quotes, and give it a value without quotes and backslashes", describe(name), used[name], err, name)
		}
	}
	return configurationf("the values of %s together would change what the query asks; put each between quotes",
		strings.Join(slices.Sorted(maps.Keys(used)), ", "))
}

// parseBefore parses the query with neutral words, and reports errors at their place in the
// declared query.
func (q *query) parseBefore(r *rendering) (parser.Expr, error) {
	text := r.text(nil)
	expr, err := newParser().ParseExpr(text)
	if err == nil {
		return expr, numeric(expr)
	}
	var all parser.ParseErrors
	if !errors.As(err, &all) || len(all) == 0 {
		return nil, configurationf("not PromQL: %v", err)
	}
	offset, variable := r.locate(int(all[0].PositionRange.Start))
	offset = min(offset, len(q.source))
	line := 1 + strings.Count(q.source[:offset], "\n")
	column := offset - strings.LastIndexByte(q.source[:offset], '\n')
	hint := ""
	if variable != "" {
		hint = fmt.Sprintf("; %s must be a number or a duration to stand there, or be put between quotes", describe(variable))
	}
	return nil, configurationf("not PromQL at line %d, column %d: %s%s", line, column, r.readable(all[0].Err.Error()), hint)
}

// numeric refuses queries whose answer is not a number or a list of numbers.
func numeric(expr parser.Expr) error {
	switch expr.Type() {
	case parser.ValueTypeMatrix:
		return configurationf("the query returns ranges of samples and not numbers: apply a function to the range, as in rate(x[1m])")
	case parser.ValueTypeString:
		return configurationf("the query returns a text and not a number: write a PromQL expression over a metric")
	}
	return nil
}

// describe names a variable as the user knows it.
func describe(variable string) string {
	if name, ok := strings.CutPrefix(variable, argPrefix); ok {
		return fmt.Sprintf("argument %q", name)
	}
	return "variable ." + variable
}

package analysis

import (
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

func TestSelect(t *testing.T) {
	tests := map[string]struct {
		source CompareSource
		args   map[string]string
		want   Selectors
	}{
		"counters": {
			source: CompareSource{Requests: `requests_total{service="{{ .Service }}"}`, Errors: `requests_total{service="{{ .Service }}",code=~"5.."}`},
			want:   Selectors{Requests: `requests_total{service="checkout-canary"}`, Errors: `requests_total{service="checkout-canary",code=~"5.."}`},
		},
		"every variable": {
			source: CompareSource{Requests: `{{ .Args.m }}{ns="{{ .Namespace }}",n="{{ .Name }}",r="{{ .Revision }}",a="{{ .Arm }}"}`, Errors: `e{a="{{ .Arm }}"}`},
			args:   map[string]string{"m": "requests_total"},
			want:   Selectors{Requests: `requests_total{ns="shop",n="checkout",r="6d4cf56db6",a="canary"}`, Errors: `e{a="canary"}`},
		},
		"a histogram": {
			source: CompareSource{Histogram: `duration_seconds{service="{{ .Service }}",method!="GET"}`},
			want: Selectors{Histograms: []string{
				`duration_seconds{method!="GET",service="checkout-canary"}`, `duration_seconds_bucket{method!="GET",service="checkout-canary"}`}},
		},
		"the buckets of a histogram": {
			source: CompareSource{Histogram: `duration_seconds_bucket{service="{{ .Service }}"}`},
			want:   Selectors{Histograms: []string{`duration_seconds{service="checkout-canary"}`, `duration_seconds_bucket{service="checkout-canary"}`}},
		},
		"the name as a label": {
			source: CompareSource{Histogram: `{__name__="d",service="{{ .Service }}"}`},
			want:   Selectors{Histograms: []string{`d{service="checkout-canary"}`, `d_bucket{service="checkout-canary"}`}},
		},
		"a name with dots": {
			source: CompareSource{Histogram: `{"http.duration",service="{{ .Service }}"}`},
			want:   Selectors{Histograms: []string{`{__name__="http.duration",service="checkout-canary"}`, `{__name__="http.duration_bucket",service="checkout-canary"}`}},
		},
		"quotes in a value": {
			source: CompareSource{Requests: `r{s="{{ .Service }}",h="{{ .Args.h }}"}`, Errors: `e{s='{{ .Service }}',h='{{ .Args.h }}'}`},
			args:   map[string]string{"h": `a"b'c\d`},
			want:   Selectors{Requests: `r{s="checkout-canary",h="a\x22b\x27c\\d"}`, Errors: `e{s='checkout-canary',h='a\x22b\x27c\\d'}`},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := CompileCompare("m", tc.source, tc.args)
			if err != nil {
				t.Fatalf("compile: %v", err)
			}
			got, err := c.Select(shopVars)
			if err != nil {
				t.Fatalf("select: %v", err)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
			for _, s := range append([]string{got.Requests, got.Errors}, got.Histograms...) {
				if s == "" {
					continue
				}
				if _, err := newParser().ParseMetricSelector(s); err != nil {
					t.Errorf("%s is no selector: %v", s, err)
				}
			}
		})
	}
}

func TestSelectorsThatAreRefused(t *testing.T) {
	const outside = `does not belong here: write the name of a counter with its matchers and nothing else, as requests_total{service="{{ .Service }}"}, since the counter's own samples are read`
	tests := map[string]struct{ requests, want string }{
		"a function":               {`rate(r{s="{{ .Service }}"}[1m])`, "the function rate " + outside},
		"an aggregation":           {`sum(r{s="{{ .Service }}"})`, "the aggregation sum " + outside},
		"a range":                  {`r{s="{{ .Service }}"}[1m]`, "a range " + outside},
		"a subquery":               {`r{s="{{ .Service }}"}[1m:10s]`, "something else " + outside},
		"an operator":              {`r{s="{{ .Service }}"} / 2`, "the operator / " + outside},
		"parentheses":              {`(r{s="{{ .Service }}"})`, "parentheses " + outside},
		"an offset":                {`r{s="{{ .Service }}"} offset 5m`, "an offset " + outside},
		"an at":                    {`r{s="{{ .Service }}"} @ 1700000000`, "the modifier @ " + outside},
		"an at the end":            {`r{s="{{ .Service }}"} @ end()`, "the modifier @ " + outside},
		"a number":                 {`5`, "something else " + outside},
		"a text":                   {`"{{ .Service }}"`, "something else " + outside},
		"no PromQL":                {`r{s="{{ .Service }}"`, `not PromQL at line 1, column 21: `},
		"no name":                  {`{s="{{ .Service }}"}`, `the selector names no metric: begin it with the name, without regular expressions`},
		"a regular name":           {`{__name__=~"r.*",s="{{ .Service }}"}`, `the selector names no metric`},
		"one for all":              {`r{ns="{{ .Namespace }}"}`, `the selector is the same for canary and stable: put {{ .Service }}, {{ .Revision }} or {{ .Arm }} into it`},
		"a window":                 {`r{s="{{ .Service }}",i="{{ .Interval }}"}`, `{{ .Interval }} and {{ .Since }} are windows, which a selector does not have: remove them`},
		"no such thing":            {`r{s="{{ .Pod }}"}`, `is unknown; allowed are`},
		"no argument":              {`r{s="{{ .Service }}",h="{{ .Args.host }}"}`, `{{ .Args.host }} has no value`},
		"an offset by an argument": {`r{s="{{ .Service }}"} offset {{ .Args.ago }}`, "an offset " + outside},
		"empty of spaces":          {` `, `not PromQL`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := CompileCompare("m", CompareSource{Requests: tc.requests, Errors: `e{s="{{ .Service }}"}`}, map[string]string{"ago": "5m"})
			if err == nil {
				t.Fatalf("%s is accepted", tc.requests)
			}
			if !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), `metric "m": compare.requests: `) || !IsConfiguration(err) {
				t.Errorf("error %q\nwant  %q", err, tc.want)
			}
		})
	}
}

func TestSourcesThatAreRefused(t *testing.T) {
	const fine = `r{s="{{ .Service }}"}`
	tests := map[string]struct {
		source CompareSource
		want   string
	}{
		"nothing":       {CompareSource{}, `metric "m": compare has no selectors: give it requests and errors, or a histogram`},
		"no errors":     {CompareSource{Requests: fine}, `metric "m": compare needs requests and errors: give it both, or neither and a histogram`},
		"no requests":   {CompareSource{Errors: fine}, `metric "m": compare needs requests and errors`},
		"wrong errors":  {CompareSource{Requests: fine, Errors: `sum(` + fine + `)`}, `metric "m": compare.errors: the aggregation sum does not belong here`},
		"a count":       {CompareSource{Histogram: `d_count{s="{{ .Service }}"}`}, `metric "m": compare.histogram: d_count is a part of a histogram: name the histogram itself, d`},
		"a sum":         {CompareSource{Histogram: `d_sum{s="{{ .Service }}"}`}, `name the histogram itself, d`},
		"a bucket only": {CompareSource{Histogram: `d_bucket{s="{{ .Service }}",le="0.5"}`}, `metric "m": compare.histogram: the selector narrows the label le: remove it, since all buckets of a histogram are compared`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := CompileCompare("m", tc.source, nil)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) && !strings.Contains(err.Error(), tc.want) || !IsConfiguration(err) {
				t.Errorf("error %v\nwant  %s", err, tc.want)
			}
		})
	}
}

// A value cannot make a selector match anything else than the label values that it stands for.
func TestSelectorsCannotBeOpened(t *testing.T) {
	for name, value := range map[string]string{
		"a second matcher": `x",service!="`, "another selector": `x"} or r{s="`, "a range": `x"}[5m`, "a newline": "a\nb", "a control": "a\x00",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := CompileCompare("m", CompareSource{Requests: `r{s="{{ .Service }}",h="{{ .Args.h }}"}`, Errors: `e{s="{{ .Service }}"}`}, map[string]string{"h": value})
			if err != nil {
				return
			}
			got, err := c.Select(shopVars)
			if err != nil {
				return
			}
			matchers, err := newParser().ParseMetricSelector(got.Requests)
			if err != nil || len(matchers) != 3 {
				t.Errorf("%s: %v", got.Requests, err)
			}
		})
	}
	for name, value := range map[string]string{"outside": `r or s`, "a selector": `r{}`, "a call": `rate(r)`} {
		t.Run(name, func(t *testing.T) {
			if _, err := CompileCompare("m", CompareSource{Histogram: `{{ .Args.h }}{s="{{ .Service }}"}`}, map[string]string{"h": value}); err == nil {
				t.Error("it is accepted as a name")
			}
		})
	}
	c, err := CompileCompare("m", CompareSource{Histogram: `d{s="{{ .Service }}"}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select(Vars{Service: "a\nb"}); err == nil || !strings.HasPrefix(err.Error(), `metric "m": compare.histogram: variable .Service contains a newline`) {
		t.Errorf("error %v", err)
	}
}

func TestSeenQuery(t *testing.T) {
	got := SeenQuery(`e{s="a"}`, `e{s="b"}`)
	if want := `count(present_over_time(e{s="a"}[1w]) or present_over_time(e{s="b"}[1w]))`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	expr, err := newParser().ParseExpr(got)
	if err != nil || expr.Type() != parser.ValueTypeVector {
		t.Errorf("%s: %v", got, err)
	}
}

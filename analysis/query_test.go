package analysis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var shopVars = Vars{Namespace: "shop", Name: "checkout", Service: "checkout-canary", Revision: "6d4cf56db6", Arm: "canary"}

func asking(query string) []v1alpha1.Metric {
	m := metricOf("result < 0.01", "")
	m.Prometheus.Query = query
	return []v1alpha1.Metric{m}
}

func TestRender(t *testing.T) {
	tests := map[string]struct {
		query   string
		args    map[string]string
		elapsed time.Duration
		want    string
		window  time.Duration
		warns   bool
	}{
		"plain": {query: `up`, want: `up`},
		"every variable": {
			query:   `sum(rate(r{ns="{{ .Namespace }}",n="{{ .Name }}",s="{{ .Service }}",rev="{{ .Revision }}",arm="{{ .Arm }}",h="{{ .Args.host }}"}[{{ .Interval }}]))`,
			args:    map[string]string{"host": "shop.example.com"},
			elapsed: time.Hour,
			want:    `sum(rate(r{ns="shop",n="checkout",s="checkout-canary",rev="6d4cf56db6",arm="canary",h="shop.example.com"}[10s]))`,
			window:  10 * time.Second,
		},
		"part of a string":            {query: `up{s=~".*-svc-{{ .Namespace }}-{{ .Service }}-[0-9]+@kubernetesgateway"}`, want: `up{s=~".*-svc-shop-checkout-canary-[0-9]+@kubernetesgateway"}`},
		"trimmed spaces":              {query: "sum(\n  {{- .Args.metric -}}\n)", args: map[string]string{"metric": "up"}, want: `sum(up)`},
		"single quotes":               {query: `up{s='{{ .Service }}'}`, want: `up{s='checkout-canary'}`},
		"since":                       {query: `sum(increase(x[{{ .Since }}]))`, elapsed: 95500 * time.Millisecond, want: `sum(increase(x[1m35s]))`, window: 95 * time.Second},
		"since at the start":          {query: `sum(increase(x[{{ .Since }}]))`, want: `sum(increase(x[1s]))`, window: time.Second, warns: true},
		"an argument as the window":   {query: `sum(rate(x[{{ .Args.w }}]))`, args: map[string]string{"w": "2m"}, elapsed: time.Hour, want: `sum(rate(x[2m]))`, window: 2 * time.Minute},
		"an argument as a number":     {query: `x > {{ .Args.n }}`, args: map[string]string{"n": "0.5"}, want: `x > 0.5`},
		"an argument as a name":       {query: `sum by ({{ .Args.l }}) ({{ .Args.m }}_total)`, args: map[string]string{"l": "code", "m": "requests"}, want: `sum by (code) (requests_total)`},
		"quotes and backslashes":      {query: `up{s="{{ .Args.s }}"}`, args: map[string]string{"s": `a"b\c'd`}, want: `up{s="a\x22b\\c\x27d"}`},
		"quotes in single quotes":     {query: `up{s='{{ .Args.s }}'}`, args: map[string]string{"s": `a"b'c`}, want: `up{s='a\x22b\x27c'}`},
		"braces and comments":         {query: `up{s="{{ .Args.s }}"}`, args: map[string]string{"s": `} # or vector(0)`}, want: `up{s="} # or vector(0)"}`},
		"letters of other languages":  {query: `up{s="{{ .Args.s }}"}`, args: map[string]string{"s": "käse 🧀"}, want: `up{s="käse 🧀"}`},
		"a value like our own words":  {query: `up{s="{{ .Args.s }}",t="{{ .Args.t }}"}`, args: map[string]string{"s": "zz1q", "t": "zzz3q"}, want: `up{s="zz1q",t="zzz3q"}`},
		"an empty value":              {query: `up{s="{{ .Args.s }}"}`, args: map[string]string{"s": ""}, want: `up{s=""}`},
		"several matchers of a label": {query: `up{s!="b",s!="{{ .Args.s }}",s=~".+"}`, args: map[string]string{"s": "a"}, want: `up{s!="b",s!="a",s=~".+"}`},
		"in back quotes":              {query: "up{s=`{{ .Args.s }}`}", args: map[string]string{"s": "a.b"}, want: "up{s=`a.b`}"},
		"a metric name in quotes":     {query: `{"{{ .Args.m }}"}`, args: map[string]string{"m": `a "b"`}, want: `{"a \x22b\x22"}`},
		"a window too long":           {query: `rate(x[1m])`, elapsed: 30 * time.Second, want: `rate(x[1m])`, window: time.Minute, warns: true},
		"an offset counts":            {query: `rate(x[10s] offset 30s)`, elapsed: 30 * time.Second, want: `rate(x[10s] offset 30s)`, window: 40 * time.Second, warns: true},
		"a subquery counts":           {query: `max_over_time(rate(x[1m])[5m:1m] offset 1m)`, elapsed: time.Hour, want: `max_over_time(rate(x[1m])[5m:1m] offset 1m)`, window: 7 * time.Minute},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			plans, err := Compile(asking(tc.query), Options{Args: tc.args})
			if err != nil {
				t.Fatalf("compile: %v", err)
			}
			q, err := plans[0].Render(shopVars, tc.elapsed)
			if err != nil {
				t.Fatalf("render: %v", err)
			}
			if q.Text != tc.want || q.Window != tc.window {
				t.Errorf("got  %s (window %s)\nwant %s (window %s)", q.Text, q.Window, tc.want, tc.window)
			}
			if (q.Warning != "") != tc.warns {
				t.Errorf("warning %q, want one: %v", q.Warning, tc.warns)
			}
		})
	}
}

func TestWindowWarningNamesTheWayOut(t *testing.T) {
	plans, err := Compile(asking(`rate(x[1m])`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := plans[0].Render(shopVars, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := `metric "m" looks back 1m, to before the step's clock started: its value still contains another weight; set initialDelay: 1m, or use [{{ .Since }}] as the window`
	if q.Warning != want {
		t.Errorf("warning %q\nwant    %q", q.Warning, want)
	}
}

// Whoever writes an argument is not always who wrote the template: none of these may get through.
func TestInjection(t *testing.T) {
	const quoted = `sum(rate(errors{host="{{ .Args.host }}"}[1m])) / sum(rate(requests[1m]))`
	tests := map[string]struct{ query, value, want string }{
		"newline":                        {quoted, "a\nb", `argument "host" contains a newline`},
		"carriage return":                {quoted, "a\rb", `contains a newline`},
		"control character":              {quoted, "a\x00b", `contains a control character`},
		"not UTF-8":                      {quoted, "a\xffb", `is not valid UTF-8`},
		"outside of quotes":              {`sum({{ .Args.host }})`, `up) or vector(0`, `argument "host" with the value "up) or vector(0" would change what the query asks`},
		"outside of quotes, an offset":   {`sum({{ .Args.host }})`, `up offset 5m`, `it stands outside of quotes`},
		"outside of quotes, a comment":   {"sum({{ .Args.host }} > 5\n)", `up #`, `it stands outside of quotes`},
		"outside of quotes, a selector":  {`sum({{ .Args.host }})`, `up{x="y"}`, `would change what the query asks`},
		"outside of quotes, two labels":  {`sum by ({{ .Args.host }}) (up)`, `a, b`, `would change what the query asks`},
		"outside of quotes, nothing":     {`sum by (x{{ .Args.host }}) (up)`, ` `, `would change what the query asks`},
		"outside of quotes, a number":    {`sum({{ .Args.host }} > 5)`, `nan`, `would change what the query asks`},
		"outside of quotes, an operator": {`a + {{ .Args.host }} + c`, `b or d`, `it stands outside of quotes`},
		"a quote in back quotes":         {"up{host=`{{ .Args.host }}`}", "a\"", `would change what the query asks`},
		"a back quote in back quotes":    {"up{host=`{{ .Args.host }}`}", "a`} or vector(0) or up{x=`", `would change what the query asks`},
		"a backslash in back quotes":     {"up{host=`{{ .Args.host }}`}", `a\`, `would change what the query asks`},
		"a backslash before the value":   {`up{host="\{{ .Args.host }}"}`, `" or up`, ``},
		"both inside and outside":        {`up{host="{{ .Args.host }}"} + {{ .Args.host }}`, `a b`, `would change what the query asks`},
		"in a comment":                   {"up # {{ .Args.host }}", `a b`, `it stands outside of quotes`},
		"a window that is no duration":   {`rate(x[{{ .Args.host }}])`, `5m:1m`, `argument "host" must be a number or a duration to stand there`},
		"a window with an offset":        {`rate(x[{{ .Args.host }}])`, `5m] offset 1h`, `must be a number or a duration`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(asking(tc.query), Options{Args: map[string]string{"host": tc.value}})
			if err == nil {
				t.Fatalf("%q got through", tc.value)
			}
			if !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), `metric "m": prometheus.query: `) {
				t.Errorf("error %q, want one with %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "zz") {
				t.Errorf("error %q shows a neutral word", err)
			}
		})
	}
}

func TestVariablesOfTheArmAreChecked(t *testing.T) {
	plans, err := Compile(asking(`sum(up{service="{{ .Service }}"}) + {{ .Name }}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = plans[0].Render(Vars{Service: "a", Name: "b-c"}, 0)
	want := `metric "m": prometheus.query: variable .Name with the value "b-c" would change what the query asks`
	if err == nil || !strings.HasPrefix(err.Error(), want) || !IsConfiguration(err) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestQueriesThatDoNotCompile(t *testing.T) {
	tests := map[string]struct{ query, want string }{
		"syntax":                 {`sum(rate(x[1m])`, `not PromQL at line 1, column 16: unclosed left parenthesis`},
		"second line":            {"sum(\n  rate(x)\n)", `not PromQL at line 2, column 8: expected type range vector in call to function "rate", got instant vector`},
		"after a variable":       {`up{s="{{ .Service }}"} +`, `line 1, column 25: `},
		"unknown function":       {`avrage(x)`, `line 1, column 1: unknown function with name "avrage"`},
		"empty":                  {` {{- "" -}} `, `is not supported; allowed are {{ .Namespace }}`},
		"unknown variable":       {`up{s="{{ .Pod }}"}`, `{{.Pod}} is unknown; allowed are {{ .Namespace }}, {{ .Name }}, {{ .Service }}, {{ .Revision }}, {{ .Arm }}, {{ .Interval }}, {{ .Since }} and {{ .Args.<name> }}`},
		"deeper than a field":    {`up{s="{{ .Args.a.b }}"}`, `is unknown; allowed are`},
		"all arguments":          {`up{s="{{ .Args }}"}`, `is unknown; allowed are`},
		"the dot":                {`up{s="{{ . }}"}`, `{{.}} is not supported`},
		"range":                  {`{{ range .Args }}x{{ end }}`, `is not supported`},
		"if":                     {`{{ if .Name }}x{{ end }}`, `is not supported`},
		"with":                   {`{{ with .Name }}x{{ end }}`, `is not supported`},
		"variable":               {`{{ $x := .Name }}`, `is not supported`},
		"pipe":                   {`{{ .Name | .Service }}`, `is not supported`},
		"function":               {`{{ printf "%s" .Name }}`, `function "printf" not defined; allowed are`},
		"call":                   {`{{ call .Name }}`, `function "call" not defined`},
		"method":                 {`{{ .Name.String }}`, `is unknown`},
		"literal":                {`{{ "x" }}`, `is not supported`},
		"define":                 {`{{ define "x" }}up{{ end }}up`, `are not supported`},
		"template":               {`{{ template "x" }}`, `is not supported`},
		"unclosed":               {`up{s="{{ .Name "}`, `allowed are`},
		"argument with no value": {`up{s="{{ .Args.nope }}"}`, `{{ .Args.nope }} has no value: add "nope" to spec.analysis.args`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(asking(tc.query), Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want one with %q", err, tc.want)
			}
			if !strings.HasPrefix(err.Error(), `metric "m": prometheus.query: `) || !IsConfiguration(err) {
				t.Errorf("error %#v does not name metric and field", err)
			}
		})
	}
}

// FuzzArgument looks for a value that gets through and is more than one leaf of the query.
func FuzzArgument(f *testing.F) {
	for _, seed := range []string{`a`, `"`, `\`, `'`, "`", `"} or vector(0) #`, `5m`, `1.5`, `a b`, `\x22`, `zz`, `zz1q`, "é", `{{ .Name }}`} {
		f.Add(seed, uint8(0))
		f.Add(seed, uint8(1))
		f.Add(seed, uint8(2))
	}
	queries := []string{
		`sum(rate(e{h="{{ .Args.v }}",i=~"x.{{ .Args.v }}y"}[1m])) / 2`,
		`sum(rate(e{h='{{ .Args.v }}'}[1m])) / 2`,
		"label_replace(up, \"a\", \"{{ .Args.v }}\", `b`, ``)",
	}
	f.Fuzz(func(t *testing.T, value string, which uint8) {
		query := queries[int(which)%len(queries)]
		plans, err := Compile(asking(query), Options{Args: map[string]string{"v": value}})
		if err != nil {
			return
		}
		rendered, err := plans[0].Render(shopVars, time.Hour)
		if err != nil {
			t.Fatalf("compiles and does not render: %v", err)
		}
		got, err := newParser().ParseExpr(rendered.Text)
		if err != nil {
			t.Fatalf("%s does not parse: %v", rendered.Text, err)
		}
		plain, err := newParser().ParseExpr(strings.ReplaceAll(query, "{{ .Args.v }}", "plain"))
		if err != nil {
			t.Fatal(err)
		}
		if skeleton(got, true) != skeleton(plain, true) {
			t.Fatalf("%q turns %s into %s", value, query, rendered.Text)
		}
	})
}

// skeleton is what a query is built of, without strings and, where a value may stand for one, without names. It is
// written without any of the code under test.
func skeleton(expr parser.Expr, names bool) string {
	var b strings.Builder
	named := func(name string) string {
		if names {
			return name
		}
		return "name"
	}
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		if node == nil {
			return nil
		}
		b.WriteString(strings.Repeat(" ", len(path)))
		fmt.Fprintf(&b, "%T ", node)
		switch n := node.(type) {
		case *parser.VectorSelector:
			for _, m := range n.LabelMatchers {
				b.WriteString(named(m.Name) + m.Type.String())
			}
			fmt.Fprint(&b, named(n.Name), n.OriginalOffset)
		case *parser.MatrixSelector:
			fmt.Fprint(&b, n.Range)
		case *parser.Call:
			b.WriteString(n.Func.Name)
		case *parser.BinaryExpr:
			b.WriteString(n.Op.String())
		case *parser.NumberLiteral:
			fmt.Fprint(&b, n.Val)
		}
		b.WriteString("\n")
		return nil
	})
	return b.String()
}

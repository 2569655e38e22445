package analysis

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// FuzzSelector looks for a value that makes a selector match by other labels, names or operators than its template says, and
// for a template that becomes anything else than a selector.
func FuzzSelector(f *testing.F) {
	f.Add(`requests_total{service="{{ .Service }}",host="{{ .Args.v }}"}`, `a"b`)
	f.Add(`{{ .Args.v }}{service='{{ .Service }}'}`, `requests_total`)
	f.Add("{__name__=\"{{ .Args.v }}\",s=~`{{ .Service }}-.*`}", "x`} or {")
	f.Add(`{"{{ .Args.v }}",service="{{ .Service }}"}`, `http.duration`)
	f.Add(`r{ {{ .Args.v }}="{{ .Service }}"}`, `le`)
	f.Add(`r{s="{{ .Service }}"} offset {{ .Args.v }}`, `5m`)
	f.Fuzz(func(t *testing.T, source, value string) {
		compile := func(v string) (Selectors, error) {
			c, err := CompileCompare("m", CompareSource{Requests: source, Errors: source, Histogram: source}, map[string]string{"v": v})
			if err != nil {
				if !IsConfiguration(err) {
					t.Fatalf("error %v is not of the configuration", err)
				}
				return Selectors{}, err
			}
			return c.Select(shopVars)
		}
		got, err := compile(value)
		if err != nil {
			return
		}
		plain, err := compile("plain")
		for i, s := range append([]string{got.Requests, got.Errors}, got.Histograms...) {
			matchers, parseErr := newParser().ParseMetricSelector(s)
			if parseErr != nil {
				t.Fatalf("%q with %q became %q: %v", source, value, s, parseErr)
			}
			if err != nil || i >= 2 {
				continue // A number may stand where a word may not; and names that are not plain are written as a label.
			}
			if same := shapeOf(t, []string{plain.Requests, plain.Errors}[i]); same != len(matchers) {
				t.Fatalf("%q with %q became %q, which has %d matchers and not %d", source, value, s, len(matchers), same)
			}
		}
	})
}

func shapeOf(t *testing.T, selector string) int {
	t.Helper()
	var matchers []*labels.Matcher
	matchers, err := newParser().ParseMetricSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return len(matchers)
}

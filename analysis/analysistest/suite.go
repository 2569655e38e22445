package analysistest

import (
	"context"
	"errors"
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis"
)

// Behaviour of a source of metrics.
type Behaviour string

// Behaviours that a provider has to cope with.
const (
	Number     Behaviour = "a vector with one series {arm=canary} of 0.25"
	Several    Behaviour = "a vector with {pod=a} 1 and {pod=b} 2"
	Nothing    Behaviour = "an empty vector"
	NotANumber Behaviour = "one series of NaN"
	Infinite   Behaviour = "two series of +Inf and -Inf"
	Refuses    Behaviour = "an error that says that the query cannot be parsed"
	Fails      Behaviour = "an error of the server (5xx)"
	Garbage    Behaviour = "an answer that is not of the protocol"
	TooMuch    Behaviour = "an answer larger than the provider is configured for"
	Silent     Behaviour = "no answer until the request ends"
	Down       Behaviour = "no connection"
)

// Source makes a provider whose source behaves in the given way, and takes both down with the
// test. Two calls use different addresses where there are any.
type Source func(t *testing.T, b Behaviour) analysis.Provider

// moment at which the suite asks.
var moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const query = `sum(rate(requests_total{service="checkout-canary"}[1m]))`

// Run checks the contract.
func Run(t *testing.T, source Source) {
	t.Run("answers", func(t *testing.T) { answers(t, source) })
	ask := func(t *testing.T, b Behaviour) func(context.Context) error {
		provider := source(t, b)
		return func(ctx context.Context) error {
			_, err := provider.Query(ctx, query, moment)
			return err
		}
	}
	t.Run("errors", func(t *testing.T) { failures(t, ask) })
	t.Run("a query ends with its context", func(t *testing.T) { ends(t, ask) })
}

func answers(t *testing.T, source Source) {
	inf := math.Inf(1)
	tests := map[Behaviour][]analysis.Series{
		Number:     {{Labels: map[string]string{"arm": "canary"}, Value: 0.25}},
		Several:    {{Labels: map[string]string{"pod": "a"}, Value: 1}, {Labels: map[string]string{"pod": "b"}, Value: 2}},
		Nothing:    nil,
		NotANumber: {{Value: math.NaN()}},
		Infinite:   {{Value: inf}, {Value: -inf}},
	}
	for behaviour, want := range tests {
		t.Run(string(behaviour), func(t *testing.T) {
			got, err := source(t, behaviour).Query(t.Context(), query, moment)
			if err != nil {
				t.Fatalf("error %v", err)
			}
			if len(got.Series) != len(want) {
				t.Fatalf("%d series, want %d", len(got.Series), len(want))
			}
			for i := range want {
				if !same(got.Series[i].Value, want[i].Value) {
					t.Errorf("series %d is %v, want %v", i, got.Series[i].Value, want[i].Value)
				}
				for name, value := range want[i].Labels {
					if got.Series[i].Labels[name] != value {
						t.Errorf("series %d has labels %v, want %v", i, got.Series[i].Labels, want[i].Labels)
					}
				}
			}
		})
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// volatile matches what must not stand in a status: it would rewrite it for ever.
var volatile = regexp.MustCompile(`://|\.[\w-]+:\d+|localhost|\d+\.\d+\.\d+\.\d+|\[::|0x[0-9a-f]+`)

// asking makes a source that behaves in the given way, and asks it for the error.
type asking func(t *testing.T, b Behaviour) func(context.Context) error

func failures(t *testing.T, ask asking) {
	tests := map[Behaviour]analysis.ErrorKind{
		Refuses: analysis.Configuration,
		TooMuch: analysis.Configuration,
		Fails:   analysis.Transient,
		Garbage: analysis.Transient,
		Silent:  analysis.Transient,
		Down:    analysis.Transient,
	}
	for behaviour, kind := range tests {
		t.Run(string(behaviour), func(t *testing.T) {
			first := errorOf(t, ask, behaviour)
			if first.Kind != kind {
				t.Errorf("error %q is %s, want %s", first, first.Kind, kind)
			}
			if second := errorOf(t, ask, behaviour); first.Error() != second.Error() {
				t.Errorf("the text differs from time to time: %q, %q", first, second)
			}
			if found := volatile.FindString(first.Error()); found != "" {
				t.Errorf("error %q contains %q", first, found)
			}
		})
	}
}

func errorOf(t *testing.T, ask asking, b Behaviour) *analysis.Error {
	t.Helper()
	err := ask(t, b)(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	var typed *analysis.Error
	if !errors.As(err, &typed) {
		t.Fatalf("error %v is a %T, want *analysis.Error", err, err)
	}
	return typed
}

// patience is how long a query may take to notice that nobody waits any more.
const patience = 10 * time.Second

func ends(t *testing.T, ask asking) {
	silent := ask(t, Silent)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- silent(ctx) }()
	cancel()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		var typed *analysis.Error
		if !errors.As(err, &typed) || typed.Kind != analysis.Transient {
			t.Errorf("error %v, want a Transient one", err)
		}
	case <-timer.C:
		t.Fatalf("still asking %s after its context ended", patience)
	}
}

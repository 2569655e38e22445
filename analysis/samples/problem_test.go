package samples

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestProblems(t *testing.T) {
	ok := line("r arm=stable", 0, 1, 10, 5)
	sawtooth := line("r instance=10.0.0.1:80", 0, 5, 1, 3, 2, 6, 3, 2, 4, 7, 5, 1, 6, 9, 7, 3, 8, 4, 9, 2)
	tests := map[string]struct {
		in     Counters
		kind   Kind
		refuse bool
		text   string
	}{
		"nothing at all": {in: Counters{}, kind: Nothing, text: `metric "m", requests: the selector matches nothing in either arm: unless there was no request yet, compare it with the names and labels that the metrics source has`},
		"both arms": {
			in:   Counters{Canary: Arm{Requests: []Series{line("r a=b", 0, 1)}}, Stable: Arm{Requests: []Series{line("r a=b", 0, 1)}}},
			kind: SameSeries, refuse: true,
			text: `metric "m", requests: r{a="b"} belongs to canary and stable: name the arm in the selector, with {{ .Service }}, {{ .Revision }} or {{ .Arm }}`,
		},
		"a pod of the other arm": {
			in: Counters{PodLabel: "pod",
				Canary: Arm{Requests: []Series{line("r pod=s-1", 0, 1)}, Pods: map[string]time.Time{"c-1": anchor}},
				Stable: Arm{Requests: []Series{ok}, Pods: map[string]time.Time{"s-1": anchor}}},
			kind: OtherArm, refuse: true,
			text: `metric "m", canary requests: r{pod="s-1"} comes from a pod of the other arm: narrow the selector, with {{ .Service }} or {{ .Revision }}, so that each arm sees its own pods only`,
		},
		"scraped twice": {
			in:   Counters{Canary: Arm{Requests: []Series{line("r job=a instance=x", 0, 1, 10, 2), line("r job=b instance=x", 3, 1, 13, 2)}}, Stable: Arm{Requests: []Series{ok}}},
			kind: Twice, refuse: true,
			text: `metric "m", canary requests: r{} is there twice, from two scrape jobs or two replicas of the metrics source, so that every request counts twice: narrow the selector to one of them, as with job="..."`,
		},
		"a gauge": {
			in: Counters{Canary: Arm{Requests: []Series{sawtooth}}, Stable: Arm{Requests: []Series{ok}}}, kind: NotACounter, refuse: true,
			text: `metric "m", canary requests: r{} falls again and again, as a gauge does: compare needs counters, which only rise until their process restarts`,
		},
		"more errors than requests": {
			in:   Counters{Canary: Arm{Requests: []Series{line("r", 0, 1, 5, 2)}, Errors: []Series{line("e", 0, 1, 5, 23)}}, Stable: Arm{Requests: []Series{ok}}},
			kind: MoreErrors, refuse: true,
			text: `metric "m", canary: there are more errors than requests: let the errors selector match a part of what the requests selector matches`,
		},
		"no number": {
			in: Counters{Stable: Arm{Errors: []Series{line("e code=500", 0, math.NaN())}, Requests: []Series{ok}}}, kind: NotACount,
			text: `metric "m", stable errors: e{code="500"} has samples that are no counts (NaN, infinite, negative or beyond 2^63): they are left out; correct what exports it`,
		},
		"fractions": {
			in: Counters{Stable: Arm{Requests: []Series{line("r", 0, 1.5)}}}, kind: NotWhole,
			text: `metric "m", stable requests: r{} has samples that are not whole numbers: they are rounded; count requests, not rates or sums of shares`,
		},
		"out of order": {
			in: Counters{Stable: Arm{Requests: []Series{line("r", 10, 1, 0, 1)}}}, kind: OutOfOrder,
			text: `metric "m", stable requests: r{} has samples that are not in the order of time: they are sorted; look for two writers of one series`,
		},
		"two values": {
			in: Counters{Stable: Arm{Requests: []Series{line("r", 0, 1, 0, 2)}}}, kind: Conflict,
			text: `metric "m", stable requests: r{} has different samples at one moment: the first is taken; look for two writers of one series`,
		},
		"of the future": {
			in: Counters{Now: anchor, Stable: Arm{Requests: []Series{line("r", 1, 1)}}}, kind: Future,
			text: `metric "m", stable requests: r{} has samples of the future: set the clocks of the metrics source and of the controller by one source`,
		},
		"too many": {
			in:   Counters{Canary: Arm{Requests: many(MaxSeries + 1)}, Stable: Arm{Requests: []Series{ok}}},
			kind: TooManySeries, refuse: true,
			text: `metric "m", canary requests: the selector matches more than 5000 series: narrow it, or add the recording rule ` +
				`{record: r:target, expr: sum without (path) (r)} and name its metric; a rule must not add up over pods or instances`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.in.Metric = "m"
			problems := Count(tens(t), 0, 1, tc.in).Problems
			if len(problems) != 1 {
				t.Fatalf("%d problems, want 1: %+v", len(problems), problems)
			}
			p := problems[0]
			if p.Kind != tc.kind || p.Refuse != tc.refuse || p.Text != tc.text {
				t.Errorf("got  %s %v %s\nwant %s %v %s", p.Kind, p.Refuse, p.Text, tc.kind, tc.refuse, tc.text)
			}
		})
	}
}

func many(n int) []Series {
	out := make([]Series, n)
	for i := range out {
		out[i] = line(fmt.Sprintf("r path=/%d code=%d instance=%d", i, 200+i%3, i%7), 0, 1, 10, 2)
	}
	return out
}

func TestTooManyAreNotCounted(t *testing.T) {
	in := Counters{Canary: Arm{Requests: many(MaxSeries)}, Stable: Arm{Requests: many(MaxSeries + 1)}}
	tick := Count(tens(t), 0, 0, in).Ticks[0]
	if tick.Canary.Requests != MaxSeries || tick.Stable.Requests != 0 {
		t.Errorf("counted %+v", tick)
	}
}

func TestNoProblems(t *testing.T) {
	for name, series := range map[string][]Series{
		"a job that was renamed":   {line("r job=a instance=x", 0, 1, 10, 2), line("r job=b instance=x", 13, 2, 23, 3)},
		"two pods":                 {line("r job=a instance=x", 0, 1, 10, 2), line("r job=a instance=y", 0, 1, 10, 2)},
		"two clusters":             {line("r cluster=a instance=x", 0, 1, 10, 2), line("r cluster=b instance=x", 0, 1, 10, 2)},
		"recorded series":          {line("r job=a", 0, 1, 10, 2), line("r job=b", 0, 1, 10, 2)},
		"a few more errors":        {line("r job=a", 0, 1, 10, 2)},
		"it was reset three times": {line("r", 0, 5, 1, 0, 2, 5, 3, 0, 4, 5, 5, 0, 6, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			in := Counters{Stable: Arm{Requests: series}, Canary: Arm{Requests: []Series{line("c", 0, 1, 10, 2)}, Errors: []Series{line("e", 0, 1, 10, 20)}}}
			if got := Count(tens(t), 0, 2, in).Problems; len(got) != 0 {
				t.Errorf("problems %+v", got)
			}
		})
	}
}

// The same problem of other series must not rewrite a status, whatever their order.
func TestTextsAreStable(t *testing.T) {
	a, b := line("r pod=a", 0, 1.5), line("r pod=b", 0, 1.5)
	text := func(s ...Series) string {
		var all []string
		for _, p := range Count(tens(t), 0, 1, Counters{Stable: Arm{Requests: s}}).Problems {
			all = append(all, p.Text)
		}
		return strings.Join(all, "\n")
	}
	if x, y := text(a, b), text(b, a); x != y {
		t.Errorf("%q, then %q", x, y)
	}
}

// A process that crashes all the time is no gauge.
func TestACrashLoopIsACounter(t *testing.T) {
	s := line("r")
	for i := range 40 {
		s.Points = append(s.Points, Point{T: at(float64(i)), V: []float64{0, 4, 7}[i%3]})
	}
	if got := Count(tens(t), 0, 3, Counters{Stable: Arm{Requests: []Series{s}}}).Problems; len(got) != 0 {
		t.Errorf("problems %+v", got)
	}
}

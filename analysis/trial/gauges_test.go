package trial

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
	"github.com/belay-dev/belay/api/v1alpha1"
)

func measured(t *testing.T, change func(*v1alpha1.Gauge)) Options {
	t.Helper()
	m := v1alpha1.Metric{Name: "memory", Gauge: &v1alpha1.Gauge{Selector: `memory{revision="{{ .Revision }}"}`}}
	if change != nil {
		change(m.Gauge)
	}
	plans, err := analysis.Compile([]v1alpha1.Metric{m}, analysis.Options{Interval: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Plan: &plans[0], StablePods: 3}
	if o.Canary, err = plans[0].Comparison.Selectors.Select(analysis.Vars{Revision: "v2"}); err != nil {
		t.Fatal(err)
	}
	if o.Stable, err = plans[0].Comparison.Selectors.Select(analysis.Vars{Revision: "v1"}); err != nil {
		t.Fatal(err)
	}
	return o
}

// pods report every ten seconds a value around a level, or a counter that grows by it.
func pods(seed uint64, levels map[string]float64, counter bool) shop {
	random := rand.New(rand.NewPCG(seed, 2))
	s := shop{series: map[string][]samples.Series{}}
	for _, revision := range []string{"v1", "v2"} {
		selector := `memory{revision="` + revision + `"}`
		for i := range 3 {
			one := samples.Series{Labels: map[string]string{"__name__": "memory", "revision": revision, "pod": fmt.Sprint("shop-", revision, "-", i)}}
			total := 0.0
			for at := noon.Add(-history); at.Before(noon.Add(time.Hour)); at = at.Add(10 * time.Second) {
				v := levels[revision] * (1 + 0.05*random.NormFloat64())
				if total += 10 * v; counter {
					v = total
				}
				one.Points = append(one.Points, samples.Point{T: at.UnixMilli(), V: v})
			}
			s.series[selector] = append(s.series[selector], one)
		}
	}
	return s
}

func TestGauges(t *testing.T) {
	rate := func(g *v1alpha1.Gauge) { g.Rate = true }
	for name, tc := range map[string]struct {
		canary  float64
		change  func(*v1alpha1.Gauge)
		verdict v1alpha1.Verdict
		text    string
	}{
		"the same":               {400, nil, v1alpha1.VerdictPass, "at all looks, 99 %"},
		"within the margin":      {430, nil, v1alpha1.VerdictPass, "higher, at all looks"},
		"twice as much":          {800, nil, v1alpha1.VerdictFail, "median 8"},
		"a counter that doubles": {800, rate, v1alpha1.VerdictFail, "median 7"},
		"a counter as before":    {400, rate, v1alpha1.VerdictPass, "median"},
	} {
		t.Run(name, func(t *testing.T) {
			s := pods(5, map[string]float64{"v1": 400, "v2": tc.canary}, tc.change != nil)
			tr := New(measured(t, tc.change))
			tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
			f := run(s, tr, 1, noon, noon.Add(20*time.Minute), 5*time.Second)
			if f.Verdict != tc.verdict || !strings.Contains(f.Message, tc.text) {
				t.Errorf("%s: %s; want %s: %s", f.Verdict, f.Message, tc.verdict, tc.text)
			}

			late := New(measured(t, tc.change))
			late.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
			if tc.verdict == v1alpha1.VerdictFail {
				return // it ended when it was found
			}
			if again := run(s, late, 1, noon.Add(20*time.Minute-5*time.Second), noon.Add(20*time.Minute), 5*time.Second); again.Message != f.Message {
				t.Errorf("after a restart %q, before %q", again.Message, f.Message)
			}
		})
	}
}

// A selector that does not tell the arms apart is refused: stable would be held against itself.
func TestSeriesOfTheOtherArm(t *testing.T) {
	s := pods(5, map[string]float64{"v1": 400, "v2": 400}, false)
	both := append(append([]samples.Series{}, s.series[`memory{revision="v1"}`]...), s.series[`memory{revision="v2"}`]...)
	for selector, text := range map[string]string{
		`memory{revision="v2"}`: "canary: series of a pod of stable (revision v1): put {{ .Revision }}",
		`memory{revision="v1"}`: "stable: series of a pod of canary (revision v2): put {{ .Revision }}",
	} {
		mixed := shop{series: map[string][]samples.Series{`memory{revision="v1"}`: s.series[`memory{revision="v1"}`], `memory{revision="v2"}`: s.series[`memory{revision="v2"}`]}}
		mixed.series[selector] = both
		o := measured(t, nil)
		o.CanaryRevision, o.StableRevision = "v2", "v1"
		tr := New(o)
		tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
		if f := run(mixed, tr, 1, noon, noon.Add(time.Minute), 5*time.Second); !strings.Contains(f.Misconfigured, text) || f.Verdict != v1alpha1.VerdictPending {
			t.Errorf("%s: %q", f.Verdict, f.Misconfigured)
		}
	}
}

// Pods of the canary that have more to do than those of stable are no worse for it, and those that have less are not blown up.
func TestLoadOfAPod(t *testing.T) {
	for name, tc := range map[string]struct {
		permille, pods, stable int32
		rate                   bool
		want                   float64
	}{
		"twice as busy":        {500, 2, 4, true, 2},
		"as busy":              {250, 1, 3, true, 1},
		"less to do":           {50, 1, 3, true, 1},
		"not a rate":           {500, 2, 4, false, 1},
		"all of the traffic":   {1000, 4, 4, true, 1},
		"pods that nobody set": {500, 0, 4, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := measured(t, func(g *v1alpha1.Gauge) { g.Rate = tc.rate })
			o.StablePods = tc.stable
			tr := New(o)
			e := exposed(0, 1, tc.permille)
			e.Pods = tc.pods
			tr.Follow([]v1alpha1.Exposure{e})
			s := pods(5, map[string]float64{"v1": 400, "v2": 400}, true)
			run(s, tr, 1, noon, noon.Add(time.Minute), 5*time.Second)
			if got := tr.judge.(*gauges).load(tr, 0); got != tc.want {
				t.Errorf("load %v, want %v", got, tc.want)
			}
		})
	}
}

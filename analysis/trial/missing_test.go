package trial

import (
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis/samples"
	"github.com/belay-dev/belay/api/v1alpha1"
)

const (
	canaryRequests = `requests_total{service="shop-canary"}`
	canaryErrors   = `requests_total{service="shop-canary",code="500"}`
	stableRequests = `requests_total{service="shop"}`
)

// cut ends the series of a service at a moment, as if nobody scraped them any more.
func (s *shop) cut(service string, at time.Time) {
	for selector, all := range s.series {
		if !strings.Contains(selector, `"`+service+`"`) {
			continue
		}
		for i := range all {
			n := 0
			for n < len(all[i].Points) && all[i].Points[n].T <= at.UnixMilli() {
				n++
			}
			all[i].Points = all[i].Points[:n]
		}
	}
}

// steady is a shop of which an arm can be taken away.
func steady(bad float64) shop {
	return open(11, shop{canary: rates{60, bad}, stable: rates{100, 0.003}, from: noon.Add(-history), to: noon.Add(time.Hour)})
}

// What is missing for too long is said with the way out. It fails nobody, unless the metric is required.
func TestMissing(t *testing.T) {
	two := int32(2)
	required := func(m *v1alpha1.Metric) { m.Required = true }
	soon := func(m *v1alpha1.Metric) { m.ConsecutiveErrorLimit = &two }
	for name, tc := range map[string]struct {
		cut     string
		after   time.Duration
		change  func(*v1alpha1.Metric)
		verdict v1alpha1.Verdict
		text    string
	}{
		"the canary's series, for a moment": {"shop-canary", 30 * time.Second, nil, v1alpha1.VerdictPending, "canary "},
		"the canary's series": {"shop-canary", 60 * time.Second, nil, v1alpha1.VerdictInconclusive,
			"the canary's series have been missing for more than 4 ticks (consecutiveErrorLimit): look whether its pods are scraped"},
		"the canary's series, by its own limit": {"shop-canary", 40 * time.Second, soon, v1alpha1.VerdictInconclusive,
			"the canary's series have been missing for more than 2 ticks (consecutiveErrorLimit)"},
		"the canary's series, which are required": {"shop-canary", 60 * time.Second, required, v1alpha1.VerdictFail,
			"the canary's series have been missing for more than 4 ticks"},
		"stable's series, for a moment": {"shop", 30 * time.Second, nil, v1alpha1.VerdictPending, "stable's counts are missing"},
		"stable's series": {"shop", 60 * time.Second, required, v1alpha1.VerdictInconclusive,
			"stable's series have been missing for more than 4 ticks (consecutiveErrorLimit): correct the selector " + stableRequests},
	} {
		t.Run(name, func(t *testing.T) {
			s := steady(0.003)
			gone := noon.Add(time.Minute)
			s.cut(tc.cut, gone)
			tr := New(compared(t, tc.change))
			tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
			if f := run(s, tr, 1, noon, gone, 2*time.Second); f.Verdict != v1alpha1.VerdictPending || f.Silent != 0 {
				t.Fatalf("before: %+v", f)
			}
			f := run(s, tr, 1, gone, gone.Add(tc.after), 2*time.Second)
			if f.Verdict != tc.verdict || !strings.HasPrefix(f.Message, tc.text) || f.Silent == 0 {
				t.Errorf("%s, silent for %d: %s; want %s: %s", f.Verdict, f.Silent, f.Message, tc.verdict, tc.text)
			}
		})
	}
}

// Series that were never there may be a typo, and are told after the deadline of a canary without requests.
func TestNoSeriesOfTheCanary(t *testing.T) {
	s := steady(0.003)
	delete(s.series, canaryRequests)
	delete(s.series, canaryErrors)
	tr := New(compared(t, func(m *v1alpha1.Metric) { m.Required = true }))
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
	if f := run(s, tr, 1, noon, noon.Add(10*time.Minute), 5*time.Second); f.Verdict != v1alpha1.VerdictPending || f.Silent != 59 {
		t.Errorf("before the deadline: %+v", f)
	}
	want := "no series of the canary for 10m0s or longer (noTrafficDeadline): send it traffic, or correct the selector " + canaryRequests
	if f := run(s, tr, 1, noon, noon.Add(11*time.Minute), 5*time.Second); f.Verdict != v1alpha1.VerdictFail || f.Message != want {
		t.Errorf("after it: %s: %s", f.Verdict, f.Message)
	}
}

// A canary that gets worse while stable cannot be seen is held against stable's level of the last hour.
func TestBadWhileStableIsMissing(t *testing.T) {
	limit := int32(1000)
	for name, tc := range map[string]struct {
		more    float64 // bad requests in each scrape
		verdict v1alpha1.Verdict
	}{"bad": {12, v1alpha1.VerdictFail}, "as before": {0, v1alpha1.VerdictPending}} {
		t.Run(name, func(t *testing.T) {
			s := steady(0.003)
			gone := noon.Add(2 * time.Minute)
			s.cut("shop", gone)
			bad := s.series[canaryErrors][0].Points // the same that are among the requests
			for i := range bad {
				bad[i].V += tc.more * float64(max(0, bad[i].T-gone.UnixMilli())) / float64(scrape.Milliseconds())
			}
			tr := New(compared(t, func(m *v1alpha1.Metric) { wide(m); m.ConsecutiveErrorLimit = &limit }))
			tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
			f := run(s, tr, 1, noon, noon.Add(15*time.Minute), 5*time.Second)
			if f.Verdict != tc.verdict || !strings.Contains(f.Message, "stable's last hour") {
				t.Errorf("%s: %s", f.Verdict, f.Message)
			}
		})
	}
}

// A step without traffic is none in which traffic was missing.
func TestTicksWithoutAWeightAreNotQuiet(t *testing.T) {
	s := open(5, shop{canary: rates{60, 0.003}, stable: rates{100, 0.003}, from: noon.Add(-history), to: noon.Add(time.Hour)})
	begins := noon.Add(20 * time.Minute)
	for selector, all := range s.series { // the canary answers from its first weight on
		for i := range all {
			for strings.Contains(selector, "canary") && len(all[i].Points) > 0 && all[i].Points[0].T < begins.Add(30*time.Second).UnixMilli() {
				all[i].Points = all[i].Points[1:]
			}
		}
	}
	tr := New(compared(t, nil))
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 0)})
	if f := run(s, tr, 1, noon, begins, 10*time.Second); f.Verdict != v1alpha1.VerdictPass || f.Silent != 0 {
		t.Errorf("at weight 0: %+v", f)
	}
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 0), exposed(20*time.Minute, 2, 250)})
	if f := run(s, tr, 2, begins, begins.Add(27*time.Second), time.Second); f.Silent != 2 || f.Verdict != v1alpha1.VerdictPending || strings.Contains(f.Message, "noTrafficDeadline") {
		t.Errorf("at the first weight: %s: %s", f.Verdict, f.Message)
	}
}

// What cannot be judged with is refused, with the metric's name left to who reports it; and judged once it is mended.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*shop)
		text  string
	}{
		"the same series in both arms": {func(s *shop) { s.series[canaryRequests] = s.series[stableRequests] }, `requests: requests_total{code="200",service="shop"} belongs to canary and stable`},
		"more errors than requests": {func(s *shop) {
			s.series[canaryRequests] = nil
			s.series[canaryErrors] = s.series[canaryRequests]
			many := samples.Series{Labels: map[string]string{"__name__": "requests_total", "service": "shop-canary", "code": "500", "instance": "gateway"}}
			for k := range 20 {
				many.Points = append(many.Points, samples.Point{T: noon.Add(time.Duration(k) * scrape).UnixMilli(), V: float64(1000 * k)})
			}
			few := samples.Series{Labels: map[string]string{"__name__": "requests_total", "service": "shop-canary", "code": "200", "instance": "gateway"}}
			for _, p := range many.Points {
				few.Points = append(few.Points, samples.Point{T: p.T, V: p.V / 100})
			}
			s.series[canaryRequests], s.series[canaryErrors] = []samples.Series{few}, []samples.Series{many}
		}, "canary: there are more errors than requests"},
	} {
		t.Run(name, func(t *testing.T) {
			sound, spoilt := steady(0.003), steady(0.003)
			tc.spoil(&spoilt)
			tr := New(compared(t, nil))
			tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
			run(sound, tr, 1, noon, noon.Add(30*time.Second), time.Second)
			before := tr.Finding(1)
			f := run(spoilt, tr, 1, noon.Add(30*time.Second), noon.Add(70*time.Second), 2*time.Second)
			if f.Verdict != v1alpha1.VerdictPending || f.Message != f.Misconfigured || !strings.Contains(f.Misconfigured, tc.text) || strings.Contains(f.Misconfigured, "metric") || f.Silent != 1 {
				t.Errorf("%+v", f)
			}
			if f.Status.Ticks != before.Status.Ticks || f.Part != before.Part {
				t.Errorf("it was judged: %+v, before %+v", f.Status, before.Status)
			}
			if f = run(sound, tr, 1, noon.Add(70*time.Second), noon.Add(72*time.Second), time.Second); f.Misconfigured != "" || f.Status.Ticks < before.Status.Ticks+3 {
				t.Errorf("mended: %+v", f)
			}
		})
	}
}

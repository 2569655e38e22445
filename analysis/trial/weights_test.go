package trial

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis/samples"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// A step at the weight of the one before it, as one that waits for a person, changes nothing: what was proved there is proved.
func TestAStepAtTheSameWeight(t *testing.T) {
	s := open(3, shop{canary: rates{100, 0.003}, stable: rates{100, 0.003}, from: noon.Add(-history), to: noon.Add(time.Hour)})
	one, two := exposed(0, 1, 250), exposed(8*time.Minute, 2, 250)
	alone, waited := New(compared(t, wide)), New(compared(t, wide))
	for _, tr := range []*Trial{alone, waited} {
		tr.Follow([]v1alpha1.Exposure{one})
		if f := run(s, tr, 1, noon, noon.Add(8*time.Minute), time.Second); f.Verdict != v1alpha1.VerdictPass {
			t.Fatalf("%s: %s", f.Verdict, f.Message)
		}
	}
	waited.Follow([]v1alpha1.Exposure{one, two})
	if f := waited.Finding(2); f.Verdict != v1alpha1.VerdictPass {
		t.Errorf("the Pass of the same weight is gone: %s: %s", f.Verdict, f.Message)
	}
	a, b := run(s, alone, 1, noon.Add(8*time.Minute), noon.Add(10*time.Minute), time.Second), run(s, waited, 2, noon.Add(8*time.Minute), noon.Add(10*time.Minute), time.Second)
	if *a.Status != *b.Status || a.Message != b.Message {
		t.Errorf("with a step more\n%+v\nwithout\n%+v", *b.Status, *a.Status)
	}
	// Another weight does change it.
	other := New(compared(t, wide))
	other.Follow([]v1alpha1.Exposure{one, exposed(8*time.Minute, 2, 500)})
	if c := run(s, other, 2, noon.Add(10*time.Minute-time.Second), noon.Add(10*time.Minute), time.Second); c.Status.LogAccept == a.Status.LogAccept || c.Status.CanaryRequests != a.Status.CanaryRequests {
		t.Errorf("at another weight %+v, at the same %+v", *c.Status, *a.Status)
	}
}

// Ticks that are judged before their weight is known count to the weight before; the next ones do not.
func TestLateFollow(t *testing.T) {
	s := open(3, shop{canary: rates{100, 0.003}, stable: rates{100, 0.003}, from: noon.Add(-history), to: noon.Add(time.Hour)})
	one, two := exposed(0, 1, 250), exposed(5*time.Minute, 2, 500)
	tr := New(compared(t, wide))
	tr.Follow([]v1alpha1.Exposure{one})
	run(s, tr, 1, noon, noon.Add(5*time.Minute+16*time.Second), time.Second)
	tr.Follow([]v1alpha1.Exposure{one, two})
	if f := tr.Finding(2); f.Verdict != v1alpha1.VerdictPending {
		t.Errorf("nothing was judged at this weight: %s: %s", f.Verdict, f.Message)
	}
	before := tr.Finding(1).Status.Ticks
	f := run(s, tr, 2, noon.Add(5*time.Minute+17*time.Second), noon.Add(5*time.Minute+27*time.Second), time.Second)
	if f.Status.Ticks != before+1 || tr.exposure != 1 {
		t.Errorf("%d ticks after %d, at exposure %d", f.Status.Ticks, before, tr.exposure)
	}
}

func TestDue(t *testing.T) {
	s := steady(0.003)
	tr := New(compared(t, nil))
	due := func(want time.Duration, reads int) {
		t.Helper()
		if got := tr.Due(); !got.Equal(noon.Add(want)) {
			t.Fatalf("due %s after noon, want %s", got.Sub(noon), want)
		}
		if early := tr.Reads(noon.Add(want - time.Millisecond)); len(early) > 0 {
			t.Errorf("%d reads before it is due", len(early))
		}
		all := tr.Reads(noon.Add(want))
		if len(all) != reads {
			t.Errorf("%d reads, want %d", len(all), reads)
		}
		s.read(all)
		tr.Take(noon.Add(want), all)
	}
	if !tr.Due().IsZero() || tr.Reads(noon.Add(time.Hour)) != nil || tr.Tick() != 0 {
		t.Error("something is due before there is a weight")
	}
	tr.Take(noon, nil)
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
	due(2*time.Second, 2) // history
	if tr.Tick() != 0 {
		t.Error("history was taken in although its last samples may be on their way")
	}
	due(6*time.Second, 2) // all of it, as scrapes are five seconds apart
	if tr.Tick() != 10*time.Second {
		t.Errorf("a tick is %s", tr.Tick())
	}
	due(16*time.Second, 4)
	due(26*time.Second, 4)
	due(36*time.Second, 4)
	old, both := tr.Reads(noon.Add(46*time.Second)), tr.Reads(noon.Add(56*time.Second))
	s.read(old)
	s.read(both)
	tr.Take(noon.Add(56*time.Second), both) // two ticks at once
	if f := tr.Finding(1); f.Status.Ticks != 5 {
		t.Errorf("%d ticks", f.Status.Ticks)
	}
	tr.Take(noon.Add(56*time.Second), old) // an answer that was overtaken
	if f := tr.Finding(1); f.Status.Ticks != 5 {
		t.Errorf("%d ticks after an old answer", f.Status.Ticks)
	}
	due(66*time.Second, 4)
}

// Without any history a trial begins all the same: with the interval as its tick, and with chance as it is assumed.
func TestWithoutHistory(t *testing.T) {
	s := open(3, shop{canary: rates{100, 0.003}, stable: rates{100, 0.003}, from: noon, to: noon.Add(time.Hour)})
	tr := New(compared(t, func(m *v1alpha1.Metric) { m.Interval = &lasting }))
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
	f := run(s, tr, 1, noon, noon.Add(2*time.Minute), time.Second)
	if f.Status == nil || f.Status.TickSeconds != 15 || !f.Status.Assumed || f.Status.Phi != "2" || f.Verdict != v1alpha1.VerdictPending {
		t.Errorf("%+v %+v", f, f.Status)
	}
}

// How much equal pods differ is estimated from stable's own, where the series name them.
func TestDispersionFromPods(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	s := shop{series: map[string][]samples.Series{}}
	for _, arm := range []struct {
		service string
		pods    int
		from    time.Time
	}{{"shop", 6, noon.Add(-history)}, {"shop-canary", 1, noon}} {
		for p := range arm.pods {
			one := map[string]*samples.Series{}
			for _, code := range []string{"200", "500"} {
				one[code] = &samples.Series{Labels: map[string]string{"__name__": "requests_total", "service": arm.service, "code": code, "pod": fmt.Sprint(arm.service, "-", p), "instance": fmt.Sprint(arm.service, p)}}
			}
			good, bad := 0.0, 0.0
			for at := arm.from; !at.After(noon.Add(10 * time.Minute)); at = at.Add(scrape) {
				good, bad = good+float64(poisson(random, 30)), bad+float64(poisson(random, 0.6))
				one["200"].Points = append(one["200"].Points, samples.Point{T: at.UnixMilli(), V: good})
				one["500"].Points = append(one["500"].Points, samples.Point{T: at.UnixMilli(), V: bad})
			}
			all := `requests_total{service="` + arm.service + `"}`
			errors := `requests_total{service="` + arm.service + `",code="500"}`
			s.series[all] = append(s.series[all], *one["200"], *one["500"])
			s.series[errors] = append(s.series[errors], *one["500"])
		}
	}
	for label, assumed := range map[string]bool{"pod": false, "": true, "node": true} {
		tr := New(compared(t, func(m *v1alpha1.Metric) { m.Compare.PodLabel = label }))
		tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
		f := run(s, tr, 1, noon, noon.Add(time.Minute), time.Second)
		phi, err := strconv.ParseFloat(f.Status.Phi, 64)
		if err != nil || f.Status.Assumed != assumed || (phi == 2) != assumed || phi < 1 || phi > 2 {
			t.Errorf("by label %q: phi %s, noise %s, assumed %t", label, f.Status.Phi, f.Status.Noise, f.Status.Assumed)
		}
	}
}

// slow is a classic histogram of both arms, whose canary takes so many times longer.
func slow(times float64) shop {
	random := rand.New(rand.NewPCG(9, 1))
	s := shop{series: map[string][]samples.Series{}}
	bounds := []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, math.Inf(1)}
	for _, arm := range []struct {
		service string
		times   float64
		from    time.Time
	}{{"shop", 1, noon.Add(-history)}, {"shop-canary", times, noon}} {
		all := make([]samples.Series, len(bounds))
		counts := make([]float64, len(bounds))
		for i, le := range bounds {
			all[i].Labels = map[string]string{"__name__": "latency_seconds_bucket", "service": arm.service, "le": strconv.FormatFloat(le, 'g', -1, 64), "instance": "gateway"}
		}
		for at := arm.from; !at.After(noon.Add(20 * time.Minute)); at = at.Add(scrape) {
			for range 40 {
				took := arm.times * 0.05 * math.Exp(random.NormFloat64())
				for i, le := range bounds {
					if took <= le {
						counts[i]++
					}
				}
			}
			for i := range all {
				all[i].Points = append(all[i].Points, samples.Point{T: at.UnixMilli(), V: counts[i]})
			}
		}
		s.series[`latency_seconds_bucket{service="`+arm.service+`"}`] = all
	}
	return s
}

func latencyMetric(m *v1alpha1.Metric) {
	m.Name, m.Compare = "latency", &v1alpha1.Compare{Histogram: `latency_seconds{service="{{ .Service }}"}`}
}

// Latencies go the same way: history, ticks, a sentence; and after a restart the same to the last bit.
func TestLatencies(t *testing.T) {
	for name, tc := range map[string]struct {
		times   float64
		verdict v1alpha1.Verdict
		text    string
	}{
		"three times slower": {3, v1alpha1.VerdictFail, " s, at any look, 99 %"},
		"as fast":            {1, v1alpha1.VerdictPass, "p99 "},
	} {
		t.Run(name, func(t *testing.T) {
			s := slow(tc.times)
			percent := int32(50)
			change := func(m *v1alpha1.Metric) { latencyMetric(m); m.Compare.MarginPercent = &percent }
			steady, late := New(compared(t, change)), New(compared(t, change))
			for _, tr := range []*Trial{steady, late} {
				tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
			}
			var f Finding
			now := noon
			for ; now.Before(noon.Add(20*time.Minute)) && f.Verdict != tc.verdict; now = now.Add(time.Second) {
				f = run(s, steady, 1, now, now, time.Second)
			}
			if f.Verdict != tc.verdict || !strings.Contains(f.Message, tc.text) || f.Status.Cost != "" || f.Status.CanaryBad != 0 || f.Status.NeverSeen || f.Part.Name != "latency" {
				t.Fatalf("%s: %s: %+v", f.Verdict, f.Message, f.Status)
			}
			if reads := steady.Reads(now.Add(time.Minute)); len(reads) != 4 || reads[0].Selector != `latency_seconds{service="shop-canary"}` || reads[1].Selector != `latency_seconds_bucket{service="shop-canary"}` {
				t.Errorf("read are %+v", reads)
			}
			if again := run(s, late, 1, now.Add(-2*time.Second), now.Add(-time.Second), time.Second); *again.Status != *f.Status || again.Message != f.Message || again.Part != f.Part {
				t.Errorf("after a restart\n%+v\nbefore\n%+v", again, f)
			}
		})
	}
}

// A histogram that nobody has cannot be judged with, and that is said.
func TestLatenciesWithoutHistory(t *testing.T) {
	s := shop{series: map[string][]samples.Series{}}
	tr := New(compared(t, latencyMetric))
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
	f := run(s, tr, 1, noon, noon.Add(time.Minute), time.Second)
	want := `no histogram of stable in the hour before the attempt, which says where latencies lie: correct the selector latency_seconds{service="shop"}, or compare it with the names and labels that the metrics source has`
	if f.Verdict != v1alpha1.VerdictPending || f.Status != nil || f.Misconfigured != want || f.Message != want {
		t.Errorf("%+v", f)
	}
}

package trial

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
	"github.com/belay-dev/belay/api/v1alpha1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lasting is an interval of a metric.
var lasting = metav1.Duration{Duration: 15 * time.Second}

// shop is a source of samples with known truth, scraped every five seconds.
type shop struct {
	canary, stable rates
	from, to       time.Time
	series         map[string][]samples.Series // by selector
}

// rates of an arm: requests per scrape, and the share of them that is bad.
type rates struct{ requests, bad float64 }

const scrape = 5 * time.Second

// open writes what Prometheus would have stored between two moments. The canary begins at noon.
func open(seed uint64, s shop) shop {
	random := rand.New(rand.NewPCG(seed, 1))
	s.series = map[string][]samples.Series{}
	s.arm(random, "shop-canary", s.canary, noon)
	s.arm(random, "shop", s.stable, s.from)
	return s
}

func (s *shop) arm(random *rand.Rand, service string, r rates, from time.Time) {
	labels := func(code string) map[string]string {
		return map[string]string{"__name__": "requests_total", "service": service, "code": code, "instance": "gateway"}
	}
	good, bad := samples.Series{Labels: labels("200")}, samples.Series{Labels: labels("500")}
	var g, b float64
	for at := from; !at.After(s.to); at = at.Add(scrape) {
		n := poisson(random, r.requests)
		for range n {
			if random.Float64() < r.bad {
				b++
			} else {
				g++
			}
		}
		good.Points = append(good.Points, samples.Point{T: at.UnixMilli(), V: g})
		if b > 0 {
			bad.Points = append(bad.Points, samples.Point{T: at.UnixMilli(), V: b})
		}
	}
	all := []samples.Series{good}
	if len(bad.Points) > 0 {
		s.series[`requests_total{service="`+service+`",code="500"}`] = []samples.Series{bad}
		all = append(all, bad)
	}
	s.series[`requests_total{service="`+service+`"}`] = all
}

func poisson(random *rand.Rand, mean float64) int {
	n, limit, product := 0, math.Exp(-mean), random.Float64()
	for product > limit {
		n++
		product *= random.Float64()
	}
	return n
}

// read answers as Prometheus does.
func (s *shop) read(reads []Read) {
	for i := range reads {
		r := &reads[i]
		for _, one := range s.series[r.Selector] {
			out := samples.Series{Labels: one.Labels}
			for _, p := range one.Points {
				if p.T > r.From.UnixMilli() && p.T <= r.To.UnixMilli() {
					out.Points = append(out.Points, p)
				}
			}
			if len(out.Points) > 0 {
				r.Series = append(r.Series, out)
			}
		}
	}
}

func compared(t *testing.T, change func(*v1alpha1.Metric)) Options {
	t.Helper()
	m := v1alpha1.Metric{Name: "errors", Compare: &v1alpha1.Compare{
		Requests: `requests_total{service="{{ .Service }}"}`, Errors: `requests_total{service="{{ .Service }}",code="500"}`,
	}}
	if change != nil {
		change(&m)
	}
	plans, err := analysis.Compile([]v1alpha1.Metric{m}, analysis.Options{Interval: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Plan: &plans[0], StablePods: 4}
	if o.Canary, err = plans[0].Comparison.Selectors.Select(analysis.Vars{Service: "shop-canary"}); err != nil {
		t.Fatal(err)
	}
	if o.Stable, err = plans[0].Comparison.Selectors.Select(analysis.Vars{Service: "shop"}); err != nil {
		t.Fatal(err)
	}
	return o
}

func exposed(at time.Duration, step, permille int32) v1alpha1.Exposure {
	e := v1alpha1.Exposure{Step: step, WeightPermille: permille, Pods: 1}
	e.Since.Time = noon.Add(at)
	return e
}

// run looks every look, until the end or a Fail, and returns what was found last.
func run(s shop, tr *Trial, step int32, from, to time.Time, look time.Duration) Finding {
	f := tr.Finding(step)
	for now := from; !now.After(to); now = now.Add(look) {
		reads := tr.Reads(now)
		s.read(reads)
		tr.Take(now, reads)
		if f = tr.Finding(step); f.Verdict == v1alpha1.VerdictFail {
			return f
		}
	}
	return f
}

// wide is a margin that a few minutes of this traffic are enough for.
func wide(m *v1alpha1.Metric) { m.Compare.MarginAbsolute = "0.004" }

func TestVerdicts(t *testing.T) {
	busy := rates{requests: 100, bad: 0.003}
	for name, tc := range map[string]struct {
		canary, stable rates
		permille       int32
		change         func(*v1alpha1.Metric)
		verdict        v1alpha1.Verdict
		text           string
	}{
		"a bad canary":                   {rates{30, 0.07}, busy, 250, nil, v1alpha1.VerdictFail, "points worse, at any look, 99 %"},
		"a good canary":                  {rates{100, 0.003}, busy, 500, wide, v1alpha1.VerdictPass, "points"},
		"too little traffic for either":  {rates{0.2, 0.003}, busy, 10, nil, v1alpha1.VerdictPending, "points"},
		"no traffic at all":              {rates{}, busy, 250, nil, v1alpha1.VerdictInconclusive, "no request of the canary for 10m0s or longer (noTrafficDeadline)"},
		"no traffic is expected":         {rates{}, busy, 0, nil, v1alpha1.VerdictPass, ""},
		"nobody ever saw an error":       {rates{100, 0}, rates{requests: 100}, 500, nil, v1alpha1.VerdictPending, ""},
		"nobody has to see an error":     {rates{100, 0}, rates{requests: 100}, 500, func(m *v1alpha1.Metric) { m.Compare.AllowNeverSeen = true }, v1alpha1.VerdictPass, "at most"},
		"all requests of the canary bad": {rates{30, 1}, busy, 250, nil, v1alpha1.VerdictFail, "every request of the canary was bad"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(7, shop{canary: tc.canary, stable: tc.stable, from: noon.Add(-history), to: noon.Add(time.Hour)})
			tr := New(compared(t, tc.change))
			tr.Follow([]v1alpha1.Exposure{exposed(0, 1, tc.permille)})
			f := run(s, tr, 1, noon, noon.Add(15*time.Minute), 2*time.Second)
			if f.Verdict != tc.verdict || !strings.Contains(f.Message, tc.text) {
				t.Errorf("%s: %s; want %s: %s", f.Verdict, f.Message, tc.verdict, tc.text)
			}
			if name == "nobody ever saw an error" && !f.NeverSeen {
				t.Errorf("a typo would pass: %+v", f)
			}
		})
	}
}

// A trial that starts in the middle, after a restart, says the same to the last bit; so does one that looks at other moments.
func TestRestart(t *testing.T) {
	exposures := []v1alpha1.Exposure{exposed(0, 1, 100), exposed(3*time.Minute, 2, 250), exposed(7*time.Minute+1234*time.Millisecond, 3, 500)}
	for seed := range uint64(20) {
		s := open(seed, shop{canary: rates{40, 0.006}, stable: rates{100, 0.003}, from: noon.Add(-history), to: noon.Add(time.Hour)})
		steady, late := New(compared(t, nil)), New(compared(t, nil))
		steady.Follow(exposures[:1])
		run(s, steady, 1, noon, noon.Add(3*time.Minute), time.Second)
		steady.Follow(exposures[:2])
		run(s, steady, 2, noon.Add(3*time.Minute), noon.Add(7*time.Minute), 3*time.Second)
		steady.Follow(exposures)
		end := noon.Add(11 * time.Minute)
		a := run(s, steady, 3, noon.Add(7*time.Minute+2*time.Second), end, time.Second)

		late.Follow(exposures)
		b := run(s, late, 3, end.Add(-time.Second), end, time.Second)
		if *a.Status != *b.Status || a.Part != b.Part || a.Verdict != b.Verdict || a.Message != b.Message {
			t.Fatalf("seed %d: without a restart\n%+v %+v\nwith one\n%+v %+v", seed, a, *a.Status, b, *b.Status)
		}
		if a.Status.Ticks < 60 {
			t.Fatalf("only %d ticks", a.Status.Ticks)
		}
	}
}

// A Pass belongs to a weight, and at 100 % the comparison keeps the last one.
func TestPassBelongsToAWeight(t *testing.T) {
	s := open(3, shop{canary: rates{100, 0.003}, stable: rates{100, 0.003}, from: noon.Add(-history), to: noon.Add(time.Hour)})
	tr := New(compared(t, wide))
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250)})
	if f := run(s, tr, 1, noon, noon.Add(15*time.Minute), 5*time.Second); f.Verdict != v1alpha1.VerdictPass {
		t.Fatalf("%s: %s", f.Verdict, f.Message)
	}
	if f := tr.Finding(2); f.Verdict != v1alpha1.VerdictPending {
		t.Errorf("a Pass of step 1 counts at step 2: %s", f.Message)
	}
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250), exposed(15*time.Minute, 2, 500)})
	if f := tr.Finding(2); f.Verdict != v1alpha1.VerdictPending {
		t.Errorf("a Pass at 25 %% counts at 50 %%: %s", f.Message)
	}
	if f := run(s, tr, 2, noon.Add(15*time.Minute), noon.Add(30*time.Minute), 5*time.Second); f.Verdict != v1alpha1.VerdictPass {
		t.Fatalf("%s: %s", f.Verdict, f.Message)
	}
	tr.Follow([]v1alpha1.Exposure{exposed(0, 1, 250), exposed(15*time.Minute, 2, 500), exposed(30*time.Minute, 3, 1000)})
	f := run(s, tr, 3, noon.Add(30*time.Minute), noon.Add(32*time.Minute), 5*time.Second)
	if f.Verdict != v1alpha1.VerdictPass || !f.Status.Frozen || !strings.Contains(f.Message, "frozen") {
		t.Errorf("%s: %s", f.Verdict, f.Message)
	}
}

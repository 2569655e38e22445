package measure

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/samples"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// every is how often the played source is scraped. A tick is then ten seconds long, and its samples have arrived six seconds
// after its end.
const every = 5 * time.Second

// counted is what an arm answers: so many requests in each scrape, of which these are bad in turn.
type counted struct {
	requests int
	bad      []int
}

// store is a source of raw samples that keeps counters of both arms. It hands each read to the test, which answers it.
type store struct {
	asked          chan *rawQuestion
	canary, stable counted
	// born is when the canary's series begin; those of stable were always there.
	born time.Time
	// mute says that an arm, by its Service, has no series.
	mute map[string]bool
}

type rawQuestion struct {
	selector string
	from, to time.Time
	ctx      context.Context
	reply    chan rawReply
}

type rawReply struct {
	series []samples.Series
	err    error
}

func (s *store) Raw(ctx context.Context, selector string, from, to time.Time) ([]samples.Series, error) {
	q := &rawQuestion{selector: selector, from: from, to: to, ctx: ctx, reply: make(chan rawReply, 1)}
	s.asked <- q
	select {
	case r := <-q.reply:
		return r.series, r.err
	case <-ctx.Done():
		return nil, &analysis.Error{Kind: analysis.Transient, Text: "ended"}
	}
}

// series that a selector of the test's metrics matches.
func (s *store) series(q *rawQuestion) []samples.Series {
	arm, service, begins := s.stable, "checkout", start.Add(-2*time.Hour)
	if strings.Contains(q.selector, "checkout-canary") {
		arm, service, begins = s.canary, "checkout-canary", s.born
	}
	if s.mute[service] {
		return nil
	}
	good, bad := 0, 0
	out := map[string]*samples.Series{}
	for k, at := 0, begins; !at.After(q.to); k, at = k+1, at.Add(every) {
		n := 0
		if len(arm.bad) > 0 {
			n = arm.bad[k%len(arm.bad)]
		}
		good, bad = good+arm.requests-n, bad+n
		if at.After(q.from) {
			add(out, service, "200", at, good)
			add(out, service, "500", at, bad)
		}
	}
	var all []samples.Series
	for _, code := range []string{"200", "500"} {
		one := out[code]
		if one != nil && (code == "500" || !strings.Contains(q.selector, "500")) && one.Points[len(one.Points)-1].V > 0 {
			all = append(all, *one)
		}
	}
	return all
}

func add(out map[string]*samples.Series, service, code string, at time.Time, v int) {
	if out[code] == nil {
		out[code] = &samples.Series{Labels: map[string]string{samples.NameLabel: "requests", "service": service, "code": code, "instance": "gateway"}}
	}
	out[code].Points = append(out[code].Points, samples.Point{T: at.UnixMilli(), V: float64(v)})
}

// compareBench is a bench with a store, in which both arms answer alike.
type compareBench struct {
	*bench
	store *store
}

func newCompareBench(t *testing.T, change ...func(*Options)) *compareBench {
	t.Helper()
	b := &compareBench{newBench(t, change...), &store{
		asked: make(chan *rawQuestion, 1000), born: start.Add(-every), mute: map[string]bool{},
		canary: counted{500, []int{1, 2}}, stable: counted{1000, []int{3}},
	}}
	b.run()
	return b
}

// errorsOf compares the counters of both arms with a margin that some minutes of this traffic are enough for.
func errorsOf(name string, change ...func(*v1alpha1.Metric)) v1alpha1.Metric {
	m := v1alpha1.Metric{Name: name, Compare: &v1alpha1.Compare{
		Requests: `requests{service="{{ .Service }}"}`, Errors: `requests{service="{{ .Service }}",code="500"}`, MarginAbsolute: "0.004",
	}}
	for _, c := range change {
		c(&m)
	}
	return m
}

func at(after time.Duration, step, permille int32) v1alpha1.Exposure {
	return v1alpha1.Exposure{Step: step, WeightPermille: permille, Pods: 1, Since: metav1.NewMicroTime(start.Add(after))}
}

func (b *compareBench) compareJob(step int32, exposures []v1alpha1.Exposure, metrics ...v1alpha1.Metric) Job {
	b.Helper()
	job := b.job(step, metrics...)
	job.Reader, job.Exposures, job.StablePods = b.store, exposures, 4
	job.Stable = analysis.Vars{Namespace: "shop", Name: "checkout", Service: "checkout", Arm: "stable"}
	job.Since = exposures[len(exposures)-1].Since.Time
	return job
}

// asks is what is read next, which the test answers.
func (b *compareBench) asks() *rawQuestion {
	b.Helper()
	return receive(b.T, b.store.asked, "a read")
}

// answer answers so many reads as they come, and says which they were.
func (b *compareBench) answer(n int) []string {
	b.Helper()
	var out []string
	for range n {
		q := b.asks()
		out = append(out, fmt.Sprintf("%s %s…%s", q.selector, q.from.Sub(start), q.to.Sub(start)))
		q.reply <- rawReply{series: b.store.series(q)}
	}
	return out
}

// look moves the clock, which makes so many reads due, answers them and gives what is known then.
func (b *compareBench) look(d time.Duration, reads int) State {
	b.Helper()
	b.advance(d, 1)
	b.answer(reads)
	return b.wake(shop)
}

// silence fails if anything is read once the schedule has settled.
func (b *compareBench) silence() {
	b.Helper()
	b.quiet(1)
	select {
	case q := <-b.store.asked:
		b.Fatalf("unexpected read of %s up to %s", q.selector, q.to.Sub(start))
	default:
	}
}

// begun is a comparison whose history was read and whose first tick, of ten seconds from the start, is judged.
func (b *compareBench) begun(job Job) State {
	b.Helper()
	b.runner.Ensure(shop, job)
	b.look(seconds(2), 2)
	b.look(seconds(4), 2)
	return b.look(seconds(10), 4)
}

func TestComparisonReadsHistoryThenTicks(t *testing.T) {
	b := newCompareBench(t)
	b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	b.silence()
	state, _ := b.runner.Snapshot(shop)
	b.expect(state, v1alpha1.VerdictPending, "errors: not measured in this step yet")

	const canary, canaryBad = `requests{service="checkout-canary"}`, `requests{service="checkout-canary",code="500"}`
	const stable, stableBad = `requests{service="checkout"}`, `requests{service="checkout",code="500"}`
	history := []string{stable + " -1h0m0s…0s", stableBad + " -1h0m0s…0s"}
	b.advance(seconds(2), 1)
	if got := b.answer(2); !reflect.DeepEqual(got, history) {
		t.Errorf("read %q, want %q", got, history)
	}
	b.expect(b.wake(shop), v1alpha1.VerdictPending, "errors: nothing compared yet")
	// How often it is scraped is known now, and so when the last sample of that hour has arrived.
	b.advance(seconds(4), 1)
	if got := b.answer(2); !reflect.DeepEqual(got, history) {
		t.Errorf("read %q, want %q", got, history)
	}
	b.wake(shop)
	for tick := 1; tick <= 3; tick++ {
		b.silence()
		b.advance(seconds(10), 1)
		span := fmt.Sprintf(" %s…%s", seconds(10*(tick-1))-5*time.Minute, seconds(10*tick))
		want := []string{canary + span, canaryBad + span, stable + span, stableBad + span}
		if got := b.answer(4); !reflect.DeepEqual(got, want) {
			t.Errorf("read %q, want %q", got, want)
		}
		m := b.wake(shop).Metrics[0]
		if m.Comparison.Ticks != int64(tick) || m.Comparison.CanaryRequests != int64(1000*tick) || m.Query != canary || m.Step != 1 ||
			m.MeasuredAt.Sub(start) != seconds(6+10*tick) || !strings.Contains(m.Message, "canary") {
			t.Errorf("tick %d: %+v of %+v", tick, m.Comparison, m)
		}
	}
	if len(b.source.asked) > 0 {
		t.Error("a query was sent")
	}
}

// Ticks that passed while nobody looked are judged at once, with one read of each selector.
func TestComparisonCatchesUp(t *testing.T) {
	b := newCompareBench(t)
	b.begun(b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	if got := b.look(seconds(95), 4).Metrics[0].Comparison.Ticks; got != 10 {
		t.Errorf("%d ticks, want 10", got)
	}
	b.silence()
}

// A comparison goes through the whole attempt; its Pass is one of a weight.
func TestComparisonGoesOnInTheNextStep(t *testing.T) {
	b := newCompareBench(t)
	first := at(0, 1, 250)
	state := b.begun(b.compareJob(1, []v1alpha1.Exposure{first}, errorsOf("errors")))
	ticks := 1
	for ; state.Verdict != v1alpha1.VerdictPass; ticks++ {
		if state = b.look(seconds(10), 4); ticks > 60 {
			t.Fatalf("after %d ticks: %s: %s", ticks, state.Verdict, state.Message)
		}
	}
	now := b.clock.Since(start)
	b.runner.Ensure(shop, b.compareJob(2, []v1alpha1.Exposure{first, at(now+seconds(3), 2, 500)}, errorsOf("errors")))
	state, _ = b.runner.Snapshot(shop)
	b.expect(state, v1alpha1.VerdictPending, "not measured in this step yet")
	b.expect(b.look(seconds(10), 4), v1alpha1.VerdictPending, "errors: canary ") // the tick began at the weight before
	state = b.look(seconds(10), 4)
	b.expect(state, v1alpha1.VerdictPending, "")
	if c := state.Metrics[0].Comparison; c.Ticks != int64(ticks)+2 || c.CanaryRequests != int64(1000*(ticks+2)) || state.Metrics[0].Step != 2 {
		t.Errorf("after %d and two ticks: %+v", ticks, c)
	}
	// Another attempt begins afresh.
	other := b.compareJob(1, []v1alpha1.Exposure{at(b.clock.Since(start), 1, 250)}, errorsOf("errors"))
	other.Attempt = 2
	b.runner.Ensure(shop, other)
	b.look(seconds(2), 2)
	b.look(seconds(4), 2)
	if c := b.look(seconds(10), 4).Metrics[0].Comparison; c.Ticks != 1 {
		t.Errorf("the new attempt has %d ticks", c.Ticks)
	}
}

// A controller that is started anew reads everything once more and says the same to the last bit; what stands in the status
// is not taken for it.
func TestComparisonAfterARestart(t *testing.T) {
	exposures := []v1alpha1.Exposure{at(0, 1, 250), at(seconds(35), 2, 500)}
	b := newCompareBench(t)
	b.store.canary.bad = []int{1, 3, 2, 5}
	b.begun(b.compareJob(1, exposures[:1], errorsOf("errors")))
	for range 3 {
		b.look(seconds(10), 4)
	}
	b.runner.Ensure(shop, b.compareJob(2, exposures, errorsOf("errors")))
	var steady State
	for range 4 {
		steady = b.look(seconds(10), 4)
	}

	again := newCompareBench(t)
	again.store.canary.bad = b.store.canary.bad
	again.clock.SetTime(b.clock.Now())
	job := again.compareJob(2, exposures, errorsOf("errors"))
	job.Restored = steady.Metrics
	again.runner.Ensure(shop, job)
	state, _ := again.runner.Snapshot(shop)
	again.expect(state, v1alpha1.VerdictPending, "not measured in this step yet")
	again.answer(2)
	again.wake(shop)
	again.answer(4)
	if late := again.wake(shop); !reflect.DeepEqual(late, steady) {
		t.Errorf("without a restart\n%+v %+v\nwith one\n%+v %+v", steady, steady.Metrics[0].Comparison, late, late.Metrics[0].Comparison)
	}
	if steady.Metrics[0].Comparison.Ticks != 8 {
		t.Errorf("%d ticks", steady.Metrics[0].Comparison.Ticks)
	}
}

// A source that does not answer accuses nobody, not even where the metric is required: it would be an outage that rolls back.
func TestComparisonWithoutAnAnswer(t *testing.T) {
	b := newCompareBench(t)
	b.begun(b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors", func(m *v1alpha1.Metric) { m.Required = true })))
	var state State
	for n := 1; n <= 8; n++ {
		b.advance(seconds(10), 1)
		b.asks().reply <- rawReply{err: &analysis.Error{Kind: analysis.Transient, Text: "did not answer in time"}}
		state = b.wake(shop)
		want, text := v1alpha1.VerdictPending, "errors: did not answer in time"
		if n > 4 {
			want, text = v1alpha1.VerdictInconclusive, "errors: no data "+strconv.Itoa(n)+" times in a row, consecutiveErrorLimit is 4; last: did not answer in time"
		}
		b.expect(state, want, text)
		if c := state.Metrics[0]; c.Counts.ConsecutiveError != int32(n) || c.Comparison.Ticks != 1 || state.Misconfigured != "" {
			t.Fatalf("after %d: %+v", n, c)
		}
	}
	state = b.look(seconds(10), 4)
	b.expect(state, v1alpha1.VerdictPass, "every metric passes") // from all the ticks that nobody could read
	if c := state.Metrics[0]; c.Counts.ConsecutiveError != 0 || c.Comparison.Ticks != 10 {
		t.Errorf("it answers again: %+v", c)
	}
}

// What a person has to change holds the step, says so, and is asked for again at the interval and no sooner.
func TestComparisonThatIsMisconfigured(t *testing.T) {
	b := newCompareBench(t)
	b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	b.advance(seconds(2), 1)
	b.asks().reply <- rawReply{err: &analysis.Error{Kind: analysis.Configuration, Text: "more than 5,000 series"}}
	state := b.wake(shop)
	if state.Verdict != v1alpha1.VerdictPending || state.Misconfigured != `metric "errors": more than 5,000 series` || state.Metrics[0].Counts.ConsecutiveNoData != 1 {
		t.Errorf("state %+v", state)
	}
	b.silence()
	b.look(seconds(10), 2)
	state = b.look(seconds(4), 4)
	if state.Misconfigured != "" || state.Metrics[0].Counts.ConsecutiveNoData != 0 {
		t.Errorf("mended and still %+v", state)
	}
	// Samples that cannot be counted: the same series in both arms.
	b.advance(seconds(10), 1)
	for range 4 {
		q := b.asks()
		q.selector = strings.ReplaceAll(q.selector, "checkout-canary", "checkout")
		q.reply <- rawReply{series: b.store.series(q)}
	}
	state = b.wake(shop)
	if state.Verdict != v1alpha1.VerdictPending || !strings.HasPrefix(state.Misconfigured, `metric "errors": requests: requests{`) || !strings.Contains(state.Misconfigured, "belongs to canary and stable") ||
		state.Metrics[0].Counts.ConsecutiveNoData != 1 {
		t.Errorf("state %+v", state)
	}
	b.silence()
	if state = b.look(seconds(10), 4); state.Misconfigured != "" || state.Metrics[0].Comparison.Ticks != 3 {
		t.Errorf("mended and still %+v", state)
	}
}

// A selector that cannot be sent is not sent, and so is a comparison without a source of samples.
func TestComparisonThatCannotBeRead(t *testing.T) {
	b := newCompareBench(t)
	job := b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors"))
	job.Stable.Service = "two\nlines"
	b.runner.Ensure(shop, job)
	state, _ := b.runner.Snapshot(shop)
	if state.Verdict != v1alpha1.VerdictPending || !strings.HasPrefix(state.Misconfigured, `metric "errors": compare.requests`) {
		t.Errorf("state %+v", state)
	}
	b.advance(time.Minute, 1)
	b.silence()
	job.Since = start.Add(time.Minute) // the clock had stood
	b.runner.Ensure(shop, job)
	b.silence()

	job = b.compareJob(2, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors"))
	job.Reader = nil
	b.runner.Ensure(shop, job)
	if state = b.wake(shop); !strings.Contains(state.Misconfigured, "the metrics source gives no raw samples") {
		t.Errorf("state %+v", state)
	}
}

func TestAReadEndsAtItsDeadline(t *testing.T) {
	var took []time.Duration
	b := newCompareBench(t, func(o *Options) {
		o.QueryTimeout = seconds(5)
		o.Queried = func(d time.Duration) { took = append(took, d) }
	})
	b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	b.advance(seconds(2), 1)
	b.answer(1)
	hanging := b.asks() // never answered
	b.advance(seconds(5), 2)
	b.expect(b.wake(shop), v1alpha1.VerdictPending, "errors: the query took longer than 5s")
	receive(t, hanging.ctx.Done(), "the read to end")
	b.look(seconds(10), 2)
	if len(took) != 2 || took[0] != seconds(5) || took[1] != 0 {
		t.Errorf("reads took %v, want 5s and 0s", took)
	}
}

// bad is a canary with evidence against it that grows by less than ln 2 a tick, so that two alike cross together first.
func (b *compareBench) bad() { b.store.canary = counted{100, []int{1, 1, 1, 2}} }

// until looks until something is decided.
func (b *compareBench) until(verdict v1alpha1.Verdict, state State, reads int) State {
	b.Helper()
	for range 200 {
		if state.Verdict == verdict {
			return state
		}
		b.advance(seconds(10), 1)
		b.answer(reads)
		for range reads / 4 {
			state = b.wake(shop)
		}
	}
	b.Fatalf("never %s: %s: %s, %+v", verdict, state.Verdict, state.Message, state.Metrics[0].Comparison)
	return state
}

func (b *compareBench) evidence(m v1alpha1.MetricStatus) (logE, threshold float64) {
	b.Helper()
	logE, err := strconv.ParseFloat(m.Comparison.LogE, 64)
	threshold, err2 := strconv.ParseFloat(m.Comparison.LogThreshold, 64)
	if err != nil || err2 != nil {
		b.Fatalf("evidence %+v", m.Comparison)
	}
	return logE, threshold
}

func TestComparisonsFailTogether(t *testing.T) {
	dry := func(m *v1alpha1.Metric) { m.DryRun = true }
	for name, tc := range map[string]struct {
		second   v1alpha1.Metric
		together bool
	}{
		"two that nearly do":            {errorsOf("b"), true},
		"one in dry run does not count": {errorsOf("b", dry), false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newCompareBench(t, func(o *Options) { o.Concurrency = 1 })
			b.bad()
			b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("a"), tc.second))
			for _, d := range []int{2, 4} {
				b.advance(seconds(d), 1)
				b.answer(4)
				b.wake(shop)
				b.wake(shop)
			}
			state := b.until(v1alpha1.VerdictFail, State{}, 8)
			culprit, other := state.Metrics[0], state.Metrics[1]
			logE, threshold := b.evidence(culprit)
			if together := strings.Contains(culprit.Message, "; together the 2 comparisons are beyond their margins"); together != tc.together || (logE < threshold) != tc.together {
				t.Errorf("evidence %v of %v: %s", logE, threshold, culprit.Message)
			}
			if culprit.Verdict != v1alpha1.VerdictFail || tc.together && other.Verdict != v1alpha1.VerdictPending || !strings.HasPrefix(state.Message, "a: canary ") {
				t.Errorf("%s and %s: %s", culprit.Verdict, other.Verdict, state.Message)
			}
		})
	}
}

// A comparison that was decided together with others while its own read was under way stays decided.
func TestDecidedWhileItIsRead(t *testing.T) {
	b := newCompareBench(t)
	b.begun(b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	b.advance(seconds(10), 1)
	q := b.asks()
	b.runner.mu.Lock()
	s := b.runner.runs[shop].series[0]
	s.status.Verdict, s.finished = v1alpha1.VerdictFail, true
	b.runner.mu.Unlock()
	q.reply <- rawReply{series: b.store.series(q)}
	b.answer(3)
	b.expect(b.wake(shop), v1alpha1.VerdictFail, "")
	b.advance(time.Minute, 1)
	b.silence()
}

// Where a Pass rests on a selector of errors that never matched, it is asked whether it ever did.
func TestErrorsNeverSeen(t *testing.T) {
	const query = `count(present_over_time(requests{service="checkout-canary",code="500"}[1w]) or present_over_time(requests{service="checkout",code="500"}[1w]))`
	never := func(t *testing.T, change ...func(*v1alpha1.Metric)) (*compareBench, *question) {
		b := newCompareBench(t)
		b.store.canary.bad, b.store.stable.bad = nil, nil
		b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors", change...)))
		b.look(seconds(2), 2)
		b.look(seconds(4), 2)
		for range 60 {
			b.advance(seconds(10), 1)
			b.answer(4)
			select {
			case q := <-b.source.asked:
				return b, q
			case <-b.woken:
			case <-time.After(patience):
				t.Fatal("nothing happens")
			}
			if state, _ := b.runner.Snapshot(shop); state.Verdict == v1alpha1.VerdictPass {
				return b, nil
			}
		}
		t.Fatal("no Pass was near")
		return nil, nil
	}
	t.Run("a typo", func(t *testing.T) {
		b, q := never(t)
		if q == nil || q.query != query {
			t.Fatalf("asked %+v, want %s", q, query)
		}
		q.reply <- reply{}
		state := b.wake(shop)
		text := `errors: ErrorsNeverSeen: requests{service="checkout-canary",code="500"} matched nothing in either arm for 7 days: correct it, or set allowNeverSeen: true`
		if m := state.Metrics[0]; m.Verdict != v1alpha1.VerdictPending || "errors: "+m.Message != text || !m.Comparison.NeverSeen || len(state.Warnings) != 1 || !strings.Contains(state.Warnings[0], "ErrorsNeverSeen") {
			t.Errorf("state %+v", state)
		}
		// Asked again at the next look, and once.
		b.advance(seconds(10), 1)
		b.answer(4)
		receive(t, b.source.asked, "the question").reply <- reply{}
		b.wake(shop)
		b.silence()
	})
	t.Run("errors are rare", func(t *testing.T) {
		b, q := never(t)
		q.number(1)
		state := b.wake(shop)
		b.expect(state, v1alpha1.VerdictPass, "every metric passes")
		if state.Metrics[0].Comparison.NeverSeen || len(state.Warnings) > 0 {
			t.Errorf("state %+v", state)
		}
		b.look(seconds(10), 4)
		if len(b.source.asked) > 0 {
			t.Error("it is asked again")
		}
	})
	t.Run("no answer", func(t *testing.T) {
		b, q := never(t)
		q.reply <- reply{err: &analysis.Error{Kind: analysis.Transient, Text: "did not answer"}}
		b.expect(b.wake(shop), v1alpha1.VerdictPending, "errors: did not answer")
	})
	t.Run("the job ends meanwhile", func(t *testing.T) {
		b, q := never(t)
		b.runner.Stop(shop)
		receive(t, q.ctx.Done(), "the question to end")
		b.silence()
	})
	t.Run("allowed", func(t *testing.T) {
		if _, q := never(t, func(m *v1alpha1.Metric) { m.Compare.AllowNeverSeen = true }); q != nil {
			t.Errorf("asked %s", q.query)
		}
	})
}

// A job that ends while something is read takes nothing of it in, and wakes nobody.
func TestComparisonThatEndsWhileItIsRead(t *testing.T) {
	for name, end := range map[string]func(*compareBench){
		"stopped": func(b *compareBench) { b.runner.Stop(shop) },
		"the next step": func(b *compareBench) {
			b.runner.Ensure(shop, b.compareJob(2, []v1alpha1.Exposure{at(0, 1, 250), at(time.Hour, 2, 500)}, errorsOf("errors")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newCompareBench(t)
			b.begun(b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
			b.advance(seconds(10), 1)
			q := b.asks()
			end(b)
			receive(t, q.ctx.Done(), "the read to end")
			q.reply <- rawReply{series: b.store.series(q)} // too late
			if name == "stopped" {
				b.silence()
			} else {
				b.answer(4) // the tick is read for the new step
				if m := b.wake(shop).Metrics[0]; m.Step != 2 || m.Comparison.Ticks != 2 {
					t.Errorf("in the next step: %+v", m)
				}
			}
			if len(b.woken) > 0 {
				t.Error("somebody was woken")
			}
		})
	}
}

func TestReadsEndWithTheContext(t *testing.T) {
	b := newBench(t)
	cancel := b.run()
	c := &compareBench{b, &store{asked: make(chan *rawQuestion, 10), born: start, mute: map[string]bool{}}}
	b.runner.Ensure(shop, c.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	b.advance(seconds(2), 1)
	q := c.asks()
	cancel()
	receive(t, q.ctx.Done(), "the read to end")
	// That Start returns, that nobody is woken and that no goroutine is left is checked as the test ends.
	t.Cleanup(func() {
		if len(b.woken) > 0 {
			t.Error("somebody was woken")
		}
	})
}

// An arm that has no series is told as missing at every look: who goes on by bounds has to wait.
func TestSilentArms(t *testing.T) {
	for service, verdict := range map[string]v1alpha1.Verdict{"checkout-canary": v1alpha1.VerdictInconclusive, "checkout": v1alpha1.VerdictInconclusive} {
		t.Run(service, func(t *testing.T) {
			b := newCompareBench(t)
			b.begun(b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
			b.store.mute[service] = true
			var state State
			for n := 1; n <= 5; n++ {
				state = b.look(seconds(10), 4)
				if got := state.Metrics[0].Counts.ConsecutiveNoData; got != int32(n) {
					t.Errorf("silent for %d ticks, want %d", got, n)
				}
			}
			b.expect(state, verdict, "missing for more than 4 ticks")
			delete(b.store.mute, service)
			state = b.look(seconds(10), 4)
			b.expect(state, v1alpha1.VerdictPending, "")
			if got := state.Metrics[0].Counts.ConsecutiveNoData; got != 0 {
				t.Errorf("back, and silent for %d ticks", got)
			}
		})
	}
}

// A clock that stood and starts again moves nothing: what is compared is what the arms answered, whoever looked.
func TestAClockThatStartsAgainMovesNoComparison(t *testing.T) {
	b := newCompareBench(t)
	job := b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors"))
	b.begun(job)
	job.Since = start.Add(seconds(14))
	b.runner.Ensure(shop, job)
	b.silence()
	if c := b.look(seconds(10), 4).Metrics[0].Comparison; c.Ticks != 2 || c.Since.Sub(start) != 0 {
		t.Errorf("%+v", c)
	}
}

// Of latencies the histogram stands for the query, and what is missing of it is said.
func TestLatenciesAreRead(t *testing.T) {
	b := newCompareBench(t)
	b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, v1alpha1.Metric{
		Name: "latency", Compare: &v1alpha1.Compare{Histogram: `latency_seconds{service="{{ .Service }}"}`},
	}))
	b.advance(seconds(2), 1)
	var asked []string
	for range 2 {
		q := b.asks()
		asked = append(asked, q.selector)
		q.reply <- rawReply{}
	}
	state := b.wake(shop)
	if want := []string{`latency_seconds{service="checkout"}`, `latency_seconds_bucket{service="checkout"}`}; !reflect.DeepEqual(asked, want) {
		t.Errorf("read %q, want %q", asked, want)
	}
	if m := state.Metrics[0]; m.Query != `latency_seconds{service="checkout-canary"}` || !strings.Contains(state.Misconfigured, `metric "latency": no histogram of stable`) {
		t.Errorf("state %+v", state)
	}
}

// Looks are counted by what they came to, as measurements are.
func TestLooksAreCounted(t *testing.T) {
	b := newCompareBench(t)
	b.runner.Ensure(shop, b.compareJob(1, []v1alpha1.Exposure{at(0, 1, 250)}, errorsOf("errors")))
	b.advance(seconds(2), 1)
	b.asks().reply <- rawReply{err: &analysis.Error{Kind: analysis.Configuration, Text: "no"}}
	b.wake(shop)
	b.advance(seconds(10), 1)
	b.asks().reply <- rawReply{err: &analysis.Error{Kind: analysis.Transient, Text: "later"}}
	b.wake(shop)
	b.look(seconds(10), 2) // history
	b.answer(4)            // and the tick that was due meanwhile
	b.wake(shop)
	b.store.mute["checkout-canary"] = true
	b.look(seconds(4), 4)
	delete(b.store.mute, "checkout-canary")
	b.until(v1alpha1.VerdictPass, State{}, 4)
	b.store.canary = counted{500, []int{400}}
	b.until(v1alpha1.VerdictFail, State{}, 4)
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := map[analysis.Outcome]int{}
	for _, o := range b.outcomes {
		counts[o]++
	}
	for _, o := range []analysis.Outcome{analysis.Misconfigured, analysis.Unavailable, analysis.NoData, analysis.Failure} {
		if counts[o] != 1 {
			t.Errorf("%d looks were %s, want one: %v", counts[o], o, b.outcomes)
		}
	}
	if counts[analysis.Success] == 0 || counts[analysis.Inconclusive] == 0 {
		t.Errorf("looks were %v", b.outcomes)
	}
}

package backtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/belay-dev/belay/analysis/evidence"
)

// shownAttempts that failed; the rest is counted.
const shownAttempts = 5

// Text is the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Back test of %s/%s over %s, until %s\n", r.Namespace, r.Name, days(r.Until.Sub(r.Since)), r.Until.Format(time.RFC3339))
	fmt.Fprintf(&b, "Ladder %s (%s in all)", r.Ladder, short(r.Length))
	if r.Tick > 0 {
		fmt.Fprintf(&b, ", ticks of %s", short(r.Tick))
	}
	fmt.Fprintf(&b, ", seed %d\n", r.Seed)
	for _, m := range r.Metrics {
		m.text(&b)
	}
	for _, t := range r.Thresholds {
		t.text(&b)
	}
	if len(r.Metrics) > 0 {
		r.healthy(&b)
	}
	if r.Injected != nil {
		r.injected(&b)
	}
	if len(r.Earlier) > 0 {
		fmt.Fprintf(&b, "\nEarlier attempts, by the metrics of now\n")
	}
	for _, e := range r.Earlier {
		b.WriteString(e.text())
		for _, said := range e.Said {
			fmt.Fprintf(&b, "    %s\n", said)
		}
	}
	return b.String()
}

func (m Metric) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s\n", m.Name)
	if m.Requests > 0 {
		fmt.Fprintf(b, "  %s requests of stable", evidence.Grouped(m.Requests))
		if !m.Latency {
			fmt.Fprintf(b, ", %s bad", percent(float64(m.Bad)/float64(m.Requests)))
		}
		if m.Pods > 0 {
			fmt.Fprintf(b, ", %d pods", m.Pods)
		}
		known := "measured in the last hour"
		if m.Assumed {
			known = "assumed, at least one of them"
		}
		fmt.Fprintf(b, "; errors in clusters of φ = %.2g, pods differ by s = %.2g (%s)\n", m.Phi, m.PodNoise, known)
	}
	for _, remark := range m.Remarks {
		fmt.Fprintf(b, "  %s\n", remark)
	}
}

func (t Threshold) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s (conditions)\n", t.Name)
	if t.Measurements > 0 {
		fmt.Fprintf(b, "  measured %d times: %s failed, %s inconclusive, %s without data\n",
			t.Measurements, t.part(t.Failure), t.part(t.Inconclusive), t.part(t.NoData))
	}
	if t.Attempts > 0 {
		fmt.Fprintf(b, "  %d healthy attempts: %d would have been aborted by it (%s)\n", t.Attempts, t.Failed, percent(float64(t.Failed)/float64(t.Attempts)))
	}
	if t.Problem != "" {
		fmt.Fprintf(b, "  %s\n", t.Problem)
	}
}

func (t Threshold) part(n int) string { return percent(float64(n) / float64(t.Measurements)) }

func (r *Report) healthy(b *strings.Builder) {
	o := &r.Healthy
	fmt.Fprintf(b, "\nStable against itself: %d attempts\n", len(o.Attempts))
	if len(o.Attempts) == 0 {
		return
	}
	failed := o.Count(Failed)
	fmt.Fprintf(b, "  %d promoted, %d aborted (%s; with 95 %% at most %s of healthy releases), %d without a verdict at the step's deadline\n",
		o.Count(Promoted), failed, percent(float64(failed)/float64(len(o.Attempts))), percent(atMost(failed, len(o.Attempts))), o.Count(Undecided))
	counted(b, "no Pass of", o, func(a Attempt) string { return a.Waited })
	shown := 0
	for _, a := range o.Attempts {
		if a.End != Failed {
			continue
		}
		if shown++; shown > shownAttempts {
			fmt.Fprintf(b, "  and %d more\n", failed-shownAttempts)
			break
		}
		fmt.Fprintf(b, "  aborted by %s: the attempt of %s, after %s\n", a.Culprit, a.Start.UTC().Format(time.RFC3339), short(time.Duration(a.Ticks)*o.tick))
	}
}

func (r *Report) injected(b *strings.Builder) {
	o := r.Injected
	fmt.Fprintf(b, "\nWith a fault from the first tick, %s → %s: %d attempts\n", percent(r.inject.From), percent(r.inject.To), len(o.Attempts))
	if len(o.Attempts) == 0 {
		return
	}
	fmt.Fprintf(b, "  %d aborted, %d promoted, %d without a verdict at the step's deadline\n", o.Count(Failed), o.Count(Promoted), o.Count(Undecided))
	if o.Count(Failed) > 0 {
		fmt.Fprintf(b, "  seen after %s (median), %s (9 of 10)\n", short(o.Delay(0.5)), short(o.Delay(0.9)))
		fmt.Fprintf(b, "  requests made bad until then: %d (median), %d (9 of 10)\n", o.Spent(0.5), o.Spent(0.9))
	}
	counted(b, "by", o, func(a Attempt) string { return a.Culprit })
	counted(b, "no Pass of", o, func(a Attempt) string { return a.Waited })
	for _, m := range r.Metrics {
		if off := m.offFrom(r.inject); off != "" {
			fmt.Fprintf(b, "  %s\n", off)
		}
	}
}

// counted tells how often each answer was given, in the order of the alphabet.
func counted(b *strings.Builder, label string, o *Outcomes, answer func(Attempt) string) {
	times := map[string]int{}
	for _, a := range o.Attempts {
		if text := answer(a); text != "" {
			times[text]++
		}
	}
	for _, text := range slices.Sorted(maps.Keys(times)) {
		fmt.Fprintf(b, "  %s %s: %d\n", label, text, times[text])
	}
}

// offFrom says that history is not what the fault was said to begin from.
func (m Metric) offFrom(in *Injection) string {
	if m.Latency || m.Requests == 0 {
		return ""
	}
	share := float64(m.Bad) / float64(m.Requests)
	if share >= in.From/2 && share <= 2*in.From {
		return ""
	}
	return fmt.Sprintf("%s had %s bad in history, not %s: the canary half then has about %s", m.Name, percent(share), percent(in.From), percent(share+(1-share)*in.extra()))
}

// percent has two digits that count.
func percent(share float64) string {
	text := fmt.Sprintf("%.2g", 100*share)
	if share >= 0.1 {
		text = fmt.Sprintf("%.0f", 100*share)
	}
	return text + " %"
}

func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return short(d)
}

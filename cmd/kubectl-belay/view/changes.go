package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Changes says in lines what is different in a newer state of the same Rollout, for logs and pipes. With no older state it
// is one line about the newer one. Each line starts with the time of day in UTC and the Rollout's name.
func Changes(older, newer *v1alpha1.Rollout, now time.Time) []string {
	var out []string
	head := now.UTC().Format("15:04:05") + "  " + clean(newer.Namespace+"/"+newer.Name) + "  "
	add := func(format string, args ...any) { out = append(out, head+clean(fmt.Sprintf(format, args...))) }
	if older == nil || stateText(older) != stateText(newer) {
		out = append(out, head+stateText(newer))
	}
	if older == nil {
		return out
	}
	for _, m := range newer.Status.Metrics {
		before, known := findMetric(older, m.Name)
		if m.Verdict == before.Verdict && (known || m.Verdict == v1alpha1.VerdictPending) {
			continue
		}
		text := fmt.Sprintf("metric %s: %s", m.Name, m.Verdict)
		if m.Value != "" {
			text += fmt.Sprintf(", %s against %s", m.Value, m.Limit)
		}
		if m.Message != "" {
			text += ": " + m.Message
		}
		add("%s", text)
	}
	if r := newer.Status.Request; r != nil && (older.Status.Request == nil || older.Status.Request.Token != r.Token) {
		add("request %s %s%s %s", r.Verb, byText(r.User), r.Outcome, r.Message)
	}
	// History is the newest first: what is new stands in front.
	known := int64(0)
	if len(older.Status.History) > 0 {
		known = older.Status.History[0].Attempt
	}
	for i := len(newer.Status.History) - 1; i >= 0; i-- {
		a := newer.Status.History[i]
		if a.Attempt <= known && (i > 0 || len(older.Status.History) == 0 || older.Status.History[0].Commit == a.Commit) {
			continue
		}
		text := fmt.Sprintf("attempt %d: %s after %s", a.Attempt, a.Outcome, a.Duration)
		if a.Commit != "" {
			text += ", reverted by " + shortCommit(a.Commit)
		}
		if a.Reason != "" && a.Outcome != v1alpha1.OutcomePromoted {
			text += ": " + a.Reason
		}
		add("%s", text)
	}
	return out
}

// stateText is what a Rollout says about itself, in one line.
func stateText(r *v1alpha1.Rollout) string {
	parts := []string{phaseCell(r).text}
	if r.Status.Step != "" {
		parts = append(parts, "step "+clean(r.Status.Step))
	}
	if r.Status.Weight != "" {
		parts = append(parts, clean(r.Status.Weight))
	}
	if r.Status.Message != "" {
		parts = append(parts, clean(r.Status.Message))
	}
	return strings.Join(parts, "  ")
}

func findMetric(r *v1alpha1.Rollout, name string) (v1alpha1.MetricStatus, bool) {
	for _, m := range r.Status.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return v1alpha1.MetricStatus{}, false
}

package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Changes says in lines what is different in a newer state of the same Rollout, for logs and pipes. With no older state it
// is one line about the newer one. Each line starts with the time of day in UTC and the Rollout's name.
func Changes(older, newer *v1alpha1.Rollout, now time.Time) []string {
	var texts []string
	if older == nil || stateText(older) != stateText(newer) {
		texts = append(texts, stateText(newer))
	}
	if older != nil {
		texts = append(texts, verdictChanges(older, newer)...)
		if r := newer.Status.Request; r != nil && (older.Status.Request == nil || older.Status.Request.Token != r.Token) {
			texts = append(texts, clean(fmt.Sprintf("request %s %s%s %s", r.Verb, byText(r.User), r.Outcome, r.Message)))
		}
		texts = append(texts, historyChanges(older, newer)...)
	}
	head := now.UTC().Format("15:04:05") + "  " + clean(newer.Namespace+"/"+newer.Name) + "  "
	for i := range texts {
		texts[i] = head + texts[i]
	}
	return texts
}

// verdictChanges leaves numbers alone that led to no other verdict: they would be a line per measurement.
func verdictChanges(older, newer *v1alpha1.Rollout) []string {
	var out []string
	for _, m := range newer.Status.Metrics {
		before, known := findMetric(older, m.Name)
		if m.Verdict == before.Verdict || !known && m.Verdict == v1alpha1.VerdictPending {
			continue
		}
		text := fmt.Sprintf("metric %s: %s", m.Name, m.Verdict)
		if m.Value != "" {
			text += fmt.Sprintf(", %s against %s", m.Value, m.Limit)
		}
		if m.Message != "" {
			text += ": " + m.Message
		}
		out = append(out, clean(text))
	}
	return out
}

// historyChanges tells of attempts that ended and of commits that came later, the oldest first.
func historyChanges(older, newer *v1alpha1.Rollout) []string {
	told := map[v1alpha1.AttemptRecord]bool{}
	for _, a := range older.Status.History {
		told[identity(a)] = true
	}
	var out []string
	for _, a := range slices.Backward(newer.Status.History) {
		if told[identity(a)] {
			continue
		}
		text := fmt.Sprintf("attempt %d: %s after %s", a.Attempt, a.Outcome, a.Duration)
		if a.Commit != "" {
			text += ", reverted by " + shortCommit(a.Commit)
		}
		if a.Reason != "" && a.Outcome != v1alpha1.OutcomePromoted {
			text += ": " + a.Reason
		}
		out = append(out, clean(text))
	}
	return out
}

// identity is what makes a record another one. A bypass has the number of the attempt before it.
func identity(a v1alpha1.AttemptRecord) v1alpha1.AttemptRecord {
	return v1alpha1.AttemptRecord{Attempt: a.Attempt, Outcome: a.Outcome, Revision: a.Revision, Commit: a.Commit}
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

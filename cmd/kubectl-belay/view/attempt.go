package view

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// stepsNode is the ladder. In flight the status says how it really runs; at rest the spec says how it will.
func stepsNode(t Tree) *node {
	steps := t.Rollout.Status.Steps
	current := currentStep(t.Rollout.Status.Step)
	if len(steps) == 0 {
		current = 0
		if canary := t.Rollout.Spec.Strategy.Canary; canary != nil {
			for _, step := range canary.Steps {
				steps = append(steps, stepText(step))
			}
		}
	}
	if len(steps) == 0 {
		return nil
	}
	n := node{cells: []cell{{"Steps", strong}}}
	for i, step := range steps {
		mark, text := stepMark(i+1, current, t.Rollout.Status.Phase)
		n.children = append(n.children, node{cells: []cell{mark, {strconv.Itoa(i + 1), text}, {clean(step), text}}})
	}
	return &n
}

func stepMark(step, current int, phase v1alpha1.Phase) (mark cell, text style) {
	switch {
	case phase == v1alpha1.PhaseHealthy:
		return cell{"·", faint}, faint
	case step < current:
		return cell{"✔", good}, plain
	case step > current:
		return cell{"·", faint}, faint
	}
	switch phaseStyle(phase) {
	case bad:
		return cell{"✖", bad}, strong
	case warning:
		return cell{"‖", warning}, strong
	default:
		return cell{"▶", lively}, strong
	}
}

// currentStep reads "3/5"; 0 when there is none.
func currentStep(step string) int {
	n, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(step, "/", 2)[0]))
	if err != nil {
		return 0
	}
	return n
}

func stepText(s v1alpha1.Step) string {
	if s.Approve != nil {
		text := "approve"
		if s.Approve.Timeout != nil {
			text += " within " + plainDuration(s.Approve.Timeout.Duration)
		}
		if s.Approve.OnTimeout == v1alpha1.TimeoutContinue {
			text += ", else continue"
		}
		return text
	}
	var parts []string
	switch {
	case s.Weight != nil:
		parts = append(parts, fmt.Sprintf("%d%%", *s.Weight))
	case s.WeightPermille != nil:
		parts = append(parts, permille(*s.WeightPermille))
	}
	if s.Bake != nil {
		parts = append(parts, "bake "+plainDuration(s.Bake.Duration))
	}
	if s.Replicas != nil {
		parts = append(parts, "replicas "+s.Replicas.String())
	}
	return strings.Join(parts, ", ")
}

func permille(n int32) string {
	if n%10 == 0 {
		return fmt.Sprintf("%d%%", n/10)
	}
	return fmt.Sprintf("%d.%d%%", n/10, n%10)
}

func routesNode(t Tree) *node {
	if len(t.Rollout.Status.Routes) == 0 {
		return nil
	}
	n := node{cells: []cell{{"Routes", strong}}}
	for _, r := range t.Rollout.Status.Routes {
		child := node{cells: []cell{{"✔", good}, {clean(r.Kind + " " + r.Name), plain}, {permille(r.WantedPermille), plain}, {"programmed", faint}}}
		if !r.Programmed {
			child.cells[0] = cell{"◌", warning}
			child.cells[3] = cell{"wanted, not programmed yet", warning}
		}
		if r.Message != "" {
			child.note = []cell{{clean(r.Message), plain}}
		}
		n.children = append(n.children, child)
	}
	return &n
}

func metricsNode(t Tree) *node {
	if len(t.Rollout.Status.Metrics) == 0 {
		return nil
	}
	n := node{cells: []cell{{"Metrics", strong}}}
	if t.Rollout.Status.Phase == v1alpha1.PhaseHealthy {
		n.cells = append(n.cells, cell{"of the last attempt", faint})
	}
	for _, m := range t.Rollout.Status.Metrics {
		mark := verdictMark(m.Verdict)
		name := cell{clean(m.Name), plain}
		if m.DryRun {
			mark.style, name.text = faint, name.text+" (dry run)"
		}
		value := clean(m.Value)
		if value == "" {
			value = "no data"
		}
		child := node{cells: []cell{
			mark, name, {clean(string(m.Verdict)), mark.style}, {value, plain}, {clean(m.Limit), faint}, {measuredText(m), faint},
		}}
		if m.MeasuredAt != nil {
			child.cells = append(child.cells, cell{span(t.Now.Sub(m.MeasuredAt.Time)) + " ago", faint})
		}
		if m.Message != "" && (m.Verdict != v1alpha1.VerdictPass || m.Comparison != nil) {
			child.note = []cell{{clean(m.Message), plain}}
		}
		n.children = append(n.children, child)
	}
	return &n
}

func verdictMark(v v1alpha1.Verdict) cell {
	switch v {
	case v1alpha1.VerdictPass:
		return cell{"✔", good}
	case v1alpha1.VerdictFail:
		return cell{"✖", bad}
	case v1alpha1.VerdictInconclusive:
		return cell{"?", warning}
	default:
		return cell{"·", faint}
	}
}

// measuredText says how often a metric was measured.
func measuredText(m v1alpha1.MetricStatus) string {
	if c := m.Comparison; c != nil {
		return fmt.Sprintf("%d ticks of %d s", c.Ticks, c.TickSeconds)
	}
	if m.MeasuredAt != nil && m.Counts == (v1alpha1.MeasurementCounts{}) {
		return ""
	}
	return countsText(m.Counts)
}

func countsText(c v1alpha1.MeasurementCounts) string {
	var parts []string
	for _, p := range []struct {
		n    int32
		word string
	}{{c.Success, "good"}, {c.Failure, "bad"}, {c.Inconclusive, "inconclusive"}, {c.Error, "without data"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	if len(parts) == 0 {
		return "not measured yet"
	}
	return strings.Join(parts, ", ")
}

func requestNode(t Tree) *node {
	answered := t.Rollout.Status.Request
	token := ""
	if answered != nil {
		token = answered.Token
	}
	n := node{cells: []cell{{"Requests", strong}}}
	if asked := strings.Fields(t.Rollout.Annotations[v1alpha1.AnnotationRequest]); len(asked) == 3 && asked[2] != token {
		n.children = append(n.children, node{cells: []cell{{"◌", warning}, {clean(asked[0]), plain},
			{byText(t.Rollout.Annotations[v1alpha1.AnnotationRequestedBy]) + "not answered yet", warning}}})
	}
	if answered != nil {
		mark := cell{"✔", good}
		if answered.Outcome != "Accepted" {
			mark = cell{"✖", bad}
		}
		text := byText(answered.User) + clean(answered.Outcome)
		if answered.At != nil {
			text += " " + span(t.Now.Sub(answered.At.Time)) + " ago"
		}
		child := node{cells: []cell{mark, {clean(answered.Verb), plain}, {text, plain}}}
		if answered.Message != "" {
			child.note = []cell{{clean(answered.Message), plain}}
		}
		n.children = append(n.children, child)
	}
	if len(n.children) == 0 {
		return nil
	}
	return &n
}

func byText(user string) string {
	if user == "" {
		return ""
	}
	return "by " + clean(user) + ", "
}

func historyNode(t Tree) *node {
	if len(t.Rollout.Status.History) == 0 {
		return nil
	}
	n := node{cells: []cell{{"History", strong}}}
	for _, a := range t.Rollout.Status.History {
		mark := outcomeMark(a.Outcome)
		child := node{cells: []cell{
			mark, {fmt.Sprintf("#%d", a.Attempt), plain}, {clean(string(a.Outcome)), mark.style}, {shortImage(a.Image), plain},
			{clean(a.Step), plain}, {clean(a.Duration), plain},
		}}
		when := ""
		if a.EndedAt != nil {
			when = span(t.Now.Sub(a.EndedAt.Time)) + " ago"
		}
		child.cells = append(child.cells, cell{when, faint})
		if a.Commit != "" {
			child.cells = append(child.cells, cell{"reverted by " + shortCommit(a.Commit), plain})
		}
		if a.Reason != "" && a.Outcome != v1alpha1.OutcomePromoted {
			child.note = []cell{{clean(said(a)), faint}}
		}
		n.children = append(n.children, child)
	}
	return &n
}

func outcomeMark(o v1alpha1.Outcome) cell {
	switch o {
	case v1alpha1.OutcomePromoted:
		return cell{"✔", good}
	case v1alpha1.OutcomeFailed, v1alpha1.OutcomeAborted, v1alpha1.OutcomeTimedOut, v1alpha1.OutcomeUndecided:
		return cell{"✖", bad}
	default:
		return cell{"·", faint}
	}
}

// said is why an attempt ended, and what it cost where that was counted.
func said(a v1alpha1.AttemptRecord) string {
	if a.Cost == "" {
		return a.Reason
	}
	return a.Reason + " (" + a.Cost + ")"
}

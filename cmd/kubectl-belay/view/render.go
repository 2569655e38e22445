package view

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Render draws a Rollout as a tree that ends with a newline.
func Render(t Tree, o Options) string {
	r := t.Rollout
	root := node{cells: []cell{
		{"Rollout " + clean(r.Namespace+"/"+r.Name), strong},
		phaseCell(r),
	}}
	if r.Status.Step != "" {
		root.cells = append(root.cells, cell{"step " + clean(r.Status.Step), plain})
	}
	if r.Status.Weight != "" {
		root.cells = append(root.cells, cell{"weight " + clean(r.Status.Weight), plain})
	}
	if r.Spec.Suspend {
		root.cells = append(root.cells, cell{"suspended", warning})
	}
	if r.Status.Message != "" {
		root.note = append(root.note, cell{clean(r.Status.Message), plain})
	}
	if w := r.Status.Waiting; w != nil {
		root.note = append(root.note, cell{waitingText(*w, t.Now), warning})
	}
	for _, note := range t.Notes {
		root.note = append(root.note, cell{clean(note), faint})
	}
	for _, branch := range []func(Tree) *node{
		workloadNode, stepsNode, routesNode, metricsNode, requestNode, conditionsNode, historyNode,
	} {
		if n := branch(t); n != nil {
			root.children = append(root.children, *n)
		}
	}
	return drawTree(root, o)
}

func phaseCell(r *v1alpha1.Rollout) cell {
	phase := r.Status.Phase
	if phase == "" {
		return cell{"not seen by the controller yet", warning}
	}
	return cell{clean(string(phase)), phaseStyle(phase)}
}

func phaseStyle(phase v1alpha1.Phase) style {
	switch phase {
	case v1alpha1.PhaseHealthy:
		return good
	case v1alpha1.PhaseProgressing:
		return lively
	case v1alpha1.PhasePending, v1alpha1.PhasePaused, v1alpha1.PhaseInconclusive:
		return warning
	case v1alpha1.PhaseAborted, v1alpha1.PhaseReverting, v1alpha1.PhaseHeld, v1alpha1.PhaseDegraded:
		return bad
	default:
		return plain
	}
}

func waitingText(w v1alpha1.Waiting, now time.Time) string {
	text := "waits for " + clean(w.For)
	var times []string
	if w.Since != nil {
		times = append(times, "for "+span(now.Sub(w.Since.Time))+" now")
	}
	if w.Until != nil {
		if left := w.Until.Sub(now); left > 0 {
			times = append(times, "at most "+span(left)+" more")
		} else {
			times = append(times, "its time is over")
		}
	}
	if len(times) > 0 {
		text += " (" + strings.Join(times, ", ") + ")"
	}
	return text
}

func workloadNode(t Tree) *node {
	ref := t.Rollout.Spec.WorkloadRef
	n := node{cells: []cell{{clean(ref.Kind + " " + ref.Name), strong}}}
	if w := t.Workload; w != nil {
		n.cells = append(n.cells, cell{plural(w.Replicas, "replica"), plain})
		if w.Held {
			n.cells = append(n.cells, cell{"held", warning})
		}
		if w.Bypass != "" {
			n.cells = append(n.cells, cell{"bypass: " + clean(w.Bypass), bad})
		}
	}
	if s := t.Rollout.Status.Stable; s != nil {
		n.children = append(n.children, revisionNode("stable", *s, t.Stable, t.Now))
	}
	if c := t.Rollout.Status.Canary; c != nil {
		n.children = append(n.children, revisionNode("canary", *c, t.Canary, t.Now))
	}
	return &n
}

func revisionNode(role string, s v1alpha1.RevisionStatus, g *Group, now time.Time) node {
	name, replicas, ready := s.Revision, s.Replicas, s.Ready
	if g != nil {
		name, replicas, ready = g.Name, g.Replicas, g.Ready
	}
	count := cell{fmt.Sprintf("%d/%d ready", ready, replicas), good}
	switch {
	case replicas == 0:
		count = cell{"no pods", faint}
	case ready < replicas:
		count.style = warning
	}
	n := node{cells: []cell{{role, strong}, {clean(name), plain}, {shortImage(s.Image), plain}, count}}
	if s.SourceRevision != "" {
		n.cells = append(n.cells, cell{"from " + shortCommit(s.SourceRevision), faint})
	}
	if g != nil {
		for _, p := range g.Pods {
			n.children = append(n.children, podNode(p, now))
		}
	}
	return n
}

func podNode(p Pod, now time.Time) node {
	mark := cell{"✔", good}
	state := cell{clean(p.State), plain}
	switch {
	case p.Ready:
	case p.State == "Running" || p.State == "Pending" || p.State == "ContainerCreating" || p.State == "Terminating":
		mark = cell{"◌", warning}
		if p.State == "Running" {
			state.text = "Running, not ready"
		}
	default:
		mark, state.style = cell{"✖", bad}, bad
	}
	n := node{cells: []cell{mark, {clean(p.Name), plain}, state, {span(now.Sub(p.Created)), faint}}}
	if p.Restarts > 0 {
		n.cells = append(n.cells, cell{plural(p.Restarts, "restart"), warning})
	}
	return n
}

func conditionsNode(t Tree) *node {
	n := node{cells: []cell{{"Conditions", strong}}}
	for _, c := range t.Rollout.Status.Conditions {
		if !wantsAttention(c, t.Rollout) {
			continue
		}
		mark := cell{"✖", bad}
		switch {
		case c.Status == metav1.ConditionUnknown:
			mark = cell{"?", warning}
		case c.Reason == "Reverting":
			mark = cell{"◌", warning}
		}
		n.children = append(n.children, node{
			cells: []cell{mark, {clean(c.Type + "=" + string(c.Status)), plain}, {clean(c.Reason), plain}},
			note:  []cell{{clean(c.Message), plain}},
		})
	}
	if len(n.children) == 0 {
		return nil
	}
	return &n
}

// wantsAttention leaves out what is as it should be, and what the phase or the routes say already.
func wantsAttention(c metav1.Condition, r *v1alpha1.Rollout) bool {
	switch c.Type {
	case v1alpha1.ConditionReady, v1alpha1.ConditionReconciling:
		return false
	case v1alpha1.ConditionStalled:
		return c.Status == metav1.ConditionTrue
	case v1alpha1.ConditionTrafficReady:
		return c.Status != metav1.ConditionTrue && len(r.Status.Routes) == 0
	case v1alpha1.ConditionGitReverted:
		return c.Status != metav1.ConditionTrue && r.Spec.Git != nil
	default:
		return c.Status != metav1.ConditionTrue
	}
}

func span(d time.Duration) string {
	return duration.HumanDuration(max(d, 0))
}

func plural(n int32, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// shortImage leaves what tells two revisions apart: the last part of the name, the tag, the head of a digest.
func shortImage(image string) string {
	image = clean(image)
	if slash := strings.LastIndexByte(image, '/'); slash >= 0 {
		image = image[slash+1:]
	}
	if name, digest, ok := strings.Cut(image, "@sha256:"); ok && len(digest) > 12 {
		image = name + "@sha256:" + digest[:12]
	}
	return image
}

// shortCommit is the commit as git log --oneline shows it. Agents write branch@sha1:hex.
func shortCommit(revision string) string {
	revision = clean(revision)
	if colon := strings.LastIndexByte(revision, ':'); colon >= 0 {
		revision = revision[colon+1:]
	}
	if len(revision) > 8 && strings.Trim(revision, "0123456789abcdef") == "" {
		return revision[:8]
	}
	return revision
}

package controllers

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// conditions are outputs: computed from what was observed and planned, and never read back.
func conditions(st *v1alpha1.RolloutStatus, s *observe.Scene, p plan.Plan, progress *v1alpha1.Progress) {
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&st.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: s.Generation,
		})
	}
	readiness(set, p, progress)
	guarded(set, s)
	traffic(set, s, progress)
	analysisHealth(set, s, progress)
	reverted(set, s, progress)
}

type setter func(kind string, status metav1.ConditionStatus, reason, message string)

// readiness sets the three conditions that kstatus reads. A failed attempt is Failed at once: reporting it as in
// progress until Git has followed would let an agent wait for its own revert.
func readiness(set setter, p plan.Plan, progress *v1alpha1.Progress) {
	phase := string(p.Phase)
	stalled := p.Stalled
	if stalled == nil && failed(progress) && p.Phase != v1alpha1.PhaseHealthy {
		stalled = &plan.Problem{Reason: "Attempt" + string(progress.Ending.Outcome), Message: progress.Ending.Reason}
	}
	if stalled == nil && p.Phase == v1alpha1.PhaseInconclusive {
		stalled = &plan.Problem{Reason: "Inconclusive", Message: p.Reason}
	}
	if stalled != nil {
		set(v1alpha1.ConditionStalled, metav1.ConditionTrue, stalled.Reason, stalled.Message)
		set(v1alpha1.ConditionReconciling, metav1.ConditionFalse, phase, p.Reason)
		set(v1alpha1.ConditionReady, metav1.ConditionFalse, stalled.Reason, stalled.Message)
		return
	}
	set(v1alpha1.ConditionStalled, metav1.ConditionFalse, phase, "nothing needs a person")
	if p.Phase == v1alpha1.PhaseHealthy {
		set(v1alpha1.ConditionReconciling, metav1.ConditionFalse, phase, p.Reason)
		set(v1alpha1.ConditionReady, metav1.ConditionTrue, phase, p.Reason)
		return
	}
	set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, phase, p.Reason)
	set(v1alpha1.ConditionReady, metav1.ConditionFalse, phase, p.Reason)
}

// failed says that the last attempt ended badly and is not over yet.
func failed(p *v1alpha1.Progress) bool {
	switch p.Stage {
	case v1alpha1.StageAborting, v1alpha1.StageDraining, v1alpha1.StageRetiring, v1alpha1.StageHeld:
	default:
		return false
	}
	return p.Ending != nil && p.Ending.Outcome != v1alpha1.OutcomeSuperseded && p.Ending.Outcome != v1alpha1.OutcomeWithdrawn
}

func guarded(set setter, s *observe.Scene) {
	switch g := s.Guarded; {
	case !g.Known && g.Why != "":
		set(v1alpha1.ConditionGuarded, metav1.ConditionUnknown, "NotProved", "nothing has been proved yet, do not ship before this is True: "+g.Why)
	case !g.Known:
		set(v1alpha1.ConditionGuarded, metav1.ConditionUnknown, "NotProved", "nothing has been proved yet: do not ship before this is True")
	case g.Holds:
		set(v1alpha1.ConditionGuarded, metav1.ConditionTrue, "Proved", "a new template is held")
	default:
		set(v1alpha1.ConditionGuarded, metav1.ConditionFalse, "NotHeld", g.Why)
	}
}

func traffic(set setter, s *observe.Scene, p *v1alpha1.Progress) {
	for _, r := range s.Routes {
		if r.Found && !r.Programmed {
			set(v1alpha1.ConditionTrafficReady, metav1.ConditionFalse, "NotProgrammed", fmt.Sprintf("%s %s: %s", r.Ref.Kind, r.Ref.Name, r.Why))
			return
		}
	}
	if flying(p.Stage) {
		set(v1alpha1.ConditionTrafficReady, metav1.ConditionTrue, "Programmed", "every route is programmed as written")
		return
	}
	set(v1alpha1.ConditionTrafficReady, metav1.ConditionTrue, "AtRest", "the routes are as Git declares them")
}

// unmeasurable is what is wrong with the metrics as they are declared; nil: nothing.
func unmeasurable(s *observe.Scene) *plan.Problem {
	for i := range s.Problems {
		switch s.Problems[i].Reason {
		case "InvalidAnalysis", "InvalidMetric", "InvalidRamp", "UnknownProvider":
			return &s.Problems[i]
		}
	}
	return nil
}

func analysisHealth(set setter, s *observe.Scene, p *v1alpha1.Progress) {
	switch m, problem := s.Measurement, unmeasurable(s); {
	case len(s.Effective.Metrics) == 0:
		set(v1alpha1.ConditionAnalysisHealthy, metav1.ConditionTrue, "NoMetrics", "no metric is declared: a release is judged by its pods alone")
	case problem != nil:
		set(v1alpha1.ConditionAnalysisHealthy, metav1.ConditionFalse, problem.Reason, problem.Message)
	case m.Misconfigured != "":
		set(v1alpha1.ConditionAnalysisHealthy, metav1.ConditionFalse, "Misconfigured", m.Misconfigured)
	case len(m.Warnings) > 0 && p.Step == s.Progress.Step: // a warning is about its step
		set(v1alpha1.ConditionAnalysisHealthy, metav1.ConditionTrue, "Warning", m.Warnings[0])
	default:
		set(v1alpha1.ConditionAnalysisHealthy, metav1.ConditionTrue, "Measurable", "metrics can be measured")
	}
}

// reverted says whether Git has followed the last failed attempt, or could. It is True only when nothing that the cluster
// rejected is left in Git.
func reverted(set setter, s *observe.Scene, p *v1alpha1.Progress) {
	status, reason, message := metav1.ConditionFalse, "", ""
	switch r := p.Revert; {
	case !s.Git.Configured:
		if !rejects(p) {
			status = metav1.ConditionUnknown
		}
		reason, message = "NoGit", "spec.git is not set: a failed revision stays in Git until a person takes it out"
	case s.Git.Problem != nil:
		reason, message = s.Git.Problem.Reason, s.Git.Problem.Message
	case s.Git.Failure != nil && (r == nil || reverting(p)):
		reason, message = s.Git.Failure.Reason, s.Git.Failure.Message
	case rejects(p):
		reason, message = rejected(s, p)
	case r == nil || leftAlone(r):
		status, reason, message = metav1.ConditionTrue, "NothingToRevert", "Git and the cluster agree"
	default:
		status, reason, message = metav1.ConditionTrue, r.Reason, r.Message
	}
	set(v1alpha1.ConditionGitReverted, status, orUnknown(reason), message)
}

// rejected says why Git still has what the cluster has rejected.
func rejected(s *observe.Scene, p *v1alpha1.Progress) (reason, message string) {
	switch r := p.Revert; {
	case r == nil && s.Git.Off != "":
		return "Off", s.Git.Off
	case r == nil:
		return "Reverting", "traffic goes back to stable first, then the failed revision is taken out of Git"
	case !reverting(p):
		return r.Reason, r.Message
	case r.Barrier != "" && r.Accepted != r.Barrier:
		return "Reverting", "Git has a newer change of the same files; waits until the agent has applied it"
	}
	return "Reverting", "the failed revision is being taken out of Git"
}

// rejects says that Git still has a revision that the cluster has rejected. When the stable template is back in the
// cluster, Git has it too, or nothing of ours.
func rejects(p *v1alpha1.Progress) bool {
	return reverting(p) || (failed(p) && p.Ending.Outcome != v1alpha1.OutcomeUndecided && (p.Revert == nil || leftAlone(p.Revert)))
}

// leftAlone says that nothing was written although there was something to write.
func leftAlone(r *v1alpha1.RevertRecord) bool {
	return r.State == v1alpha1.RevertBlocked || (r.State == v1alpha1.RevertSkipped && r.Reason != "NotNeeded")
}

func orUnknown(reason string) string {
	if reason == "" {
		return "Unknown"
	}
	return reason
}

package command

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// result of looking at a Rollout once.
type result int

const (
	notYet result = iota
	reached
	endedOtherwise
)

func goals() []string {
	return []string{"healthy", "promoted", "aborted", "paused", "reverted", "held"}
}

// situation is what a Rollout is in, as far as waiting is concerned.
type situation int

const (
	running  situation = iota // an attempt runs or is about to
	waiting                   // an attempt waits for a person
	backing                   // the attempt failed, traffic or Git are being put right
	holding                   // the attempt failed, the workload holds its template
	resting                   // nothing in flight
	troubled                  // something has to be mended before anything is known
)

func situationOf(r *v1alpha1.Rollout, held bool) situation {
	if r.Status.ObservedGeneration < r.Generation {
		return troubled
	}
	switch r.Status.Phase {
	case v1alpha1.PhaseHealthy:
		if held {
			return running // the controller has not seen the new template yet
		}
		return resting
	case v1alpha1.PhasePaused, v1alpha1.PhaseInconclusive:
		return waiting
	case v1alpha1.PhaseAborted, v1alpha1.PhaseReverting:
		return backing
	case v1alpha1.PhaseHeld:
		return holding
	case v1alpha1.PhaseProgressing, v1alpha1.PhasePending:
		return running
	default:
		return troubled
	}
}

// judge says whether the goal is reached, and in a sentence why or why not.
func judge(goal string, r *v1alpha1.Rollout, held bool) (result, string) {
	at := situationOf(r, held)
	failed := at == backing || at == holding
	rests := at == resting
	text := describe(r)
	switch goal {
	case "healthy":
		return when(rests, false), text
	case "promoted":
		return when(rests && lastOutcome(r) == v1alpha1.OutcomePromoted, failed || rests), text
	case "aborted":
		return when(failed || rests && isFailure(lastOutcome(r)), rests), text
	case "paused":
		return when(at == waiting, failed || rests), text
	case "held":
		return when(at == holding, rests), text
	default: // reverted
		if !failed && !rests {
			return notYet, text
		}
		return judgeRevert(r, at)
	}
}

// judgeRevert looks at an attempt that failed, or at rest at the last one: an older one's commit says nothing.
func judgeRevert(r *v1alpha1.Rollout, at situation) (result, string) {
	c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionGitReverted)
	if at == resting && !isFailure(lastOutcome(r)) || c == nil {
		return when(false, at == resting), describe(r)
	}
	text := c.Message
	if text == "" {
		text = describe(r)
	}
	done := c.Status == metav1.ConditionTrue && (c.Reason == "Pushed" || c.Reason == "AlreadyReverted")
	if at == resting {
		return when(done || r.Status.History[0].Commit != "", true), text
	}
	gaveUp := at == holding && c.Reason != "Reverting"
	return when(done, gaveUp), text
}

func when(goal, over bool) result {
	switch {
	case goal:
		return reached
	case over:
		return endedOtherwise
	default:
		return notYet
	}
}

func lastOutcome(r *v1alpha1.Rollout) v1alpha1.Outcome {
	if len(r.Status.History) == 0 {
		return ""
	}
	return r.Status.History[0].Outcome
}

func isFailure(o v1alpha1.Outcome) bool {
	switch o {
	case v1alpha1.OutcomeFailed, v1alpha1.OutcomeAborted, v1alpha1.OutcomeTimedOut, v1alpha1.OutcomeUndecided:
		return true
	default:
		return false
	}
}

func describe(r *v1alpha1.Rollout) string {
	if r.Status.Phase == "" || r.Status.ObservedGeneration < r.Generation {
		return fmt.Sprintf("the controller has not seen generation %d of the Rollout yet; is it running?", r.Generation)
	}
	text := string(r.Status.Phase)
	if len(r.Status.History) > 0 && r.Status.Phase == v1alpha1.PhaseHealthy {
		last := r.Status.History[0]
		text += fmt.Sprintf(", attempt %d: %s", last.Attempt, last.Outcome)
		if last.Reason != "" && last.Outcome != v1alpha1.OutcomePromoted {
			text += ": " + last.Reason
		}
		return text
	}
	// While traffic and Git are put right the message says how far that is. Who waits for the release wants to know why.
	if c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionStalled); c != nil && c.Status == metav1.ConditionTrue &&
		c.Message != "" && !strings.Contains(r.Status.Message, c.Message) {
		text += ": " + c.Message
	}
	if r.Status.Message != "" {
		text += ": " + r.Status.Message
	}
	return text
}

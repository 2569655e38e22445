package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// GitReverted is True only where nothing is left in Git that the cluster has rejected.
func TestReverted(t *testing.T) {
	const (
		yes, no, unknown = metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
		held, rests      = v1alpha1.StageHeld, v1alpha1.StageResting
		bad              = v1alpha1.OutcomeFailed
	)
	revert := func(state v1alpha1.RevertState, reason string) *v1alpha1.RevertRecord {
		return &v1alpha1.RevertRecord{State: state, Reason: reason, Message: "because"}
	}
	skipped := func(reason string) *v1alpha1.RevertRecord { return revert(v1alpha1.RevertSkipped, reason) }
	wanted := revert(v1alpha1.RevertWanted, "")
	barrier := revert(v1alpha1.RevertPlanned, "")
	barrier.Barrier = "c9"
	git, off := plan.Git{Configured: true}, plan.Git{Configured: true, Off: "it is off"}
	failing := plan.Git{Configured: true, Failure: &plan.Problem{Reason: "GitTransient", Message: "away"}}
	denied := plan.Git{Configured: true, Problem: &plan.Problem{Reason: "RepositoryMissing", Message: "none"}}
	for name, tc := range map[string]struct {
		git     plan.Git
		stage   v1alpha1.Stage
		outcome v1alpha1.Outcome
		revert  *v1alpha1.RevertRecord
		status  metav1.ConditionStatus
		reason  string
	}{
		"nothing has happened":            {git, rests, "", nil, yes, "NothingToRevert"},
		"an attempt runs":                 {git, v1alpha1.StageStepping, "", nil, yes, "NothingToRevert"},
		"traffic goes back first":         {git, v1alpha1.StageAborting, bad, nil, no, "Reverting"},
		"traffic goes back, Git is off":   {off, v1alpha1.StageAborting, bad, nil, no, "Off"},
		"superseded, traffic goes back":   {git, v1alpha1.StageAborting, v1alpha1.OutcomeSuperseded, nil, yes, "NothingToRevert"},
		"wanted":                          {git, v1alpha1.StageDraining, bad, wanted, no, "Reverting"},
		"wanted, the server is away":      {failing, held, bad, wanted, no, "GitTransient"},
		"waits for the agent":             {git, held, bad, barrier, no, "Reverting"},
		"pushed, held":                    {git, held, bad, revert(v1alpha1.RevertPushed, "Pushed"), yes, "Pushed"},
		"pushed, at rest":                 {git, rests, bad, revert(v1alpha1.RevertPushed, "Pushed"), yes, "Pushed"},
		"a person was first":              {git, held, bad, revert(v1alpha1.RevertUnneeded, "AlreadyReverted"), yes, "AlreadyReverted"},
		"not from Git":                    {git, held, bad, revert(v1alpha1.RevertUnneeded, "NotFromGit"), yes, "NotFromGit"},
		"superseded in Git":               {git, held, bad, revert(v1alpha1.RevertSuperseded, "Superseded"), yes, "Superseded"},
		"blocked":                         {git, held, bad, revert(v1alpha1.RevertBlocked, "Conflict"), no, "Conflict"},
		"blocked, stable is back":         {git, rests, bad, revert(v1alpha1.RevertBlocked, "Conflict"), yes, "NothingToRevert"},
		"off":                             {off, held, bad, skipped("Off"), no, "Off"},
		"off, while it drains":            {off, v1alpha1.StageDraining, bad, skipped("Off"), no, "Off"},
		"off, while pods end":             {off, v1alpha1.StageRetiring, bad, skipped("Off"), no, "Off"},
		"off, stable is back":             {off, rests, bad, skipped("Off"), yes, "NothingToRevert"},
		"no stable source":                {git, held, bad, skipped("NoStableSource"), no, "NoStableSource"},
		"known to be bad":                 {git, held, bad, skipped("KnownBadRevision"), no, "KnownBadRevision"},
		"known to be bad, stable is back": {git, rests, bad, skipped("KnownBadRevision"), yes, "NothingToRevert"},
		"tried again":                     {git, rests, bad, skipped("Retried"), yes, "NothingToRevert"},
		"let through":                     {git, v1alpha1.StageAdopting, bad, skipped("NotHeld"), yes, "NothingToRevert"},
		"undecided":                       {git, held, v1alpha1.OutcomeUndecided, skipped("NotNeeded"), yes, "NotNeeded"},
		"undecided, at rest":              {git, rests, v1alpha1.OutcomeUndecided, skipped("NotNeeded"), yes, "NotNeeded"},
		"no Git at rest":                  {plan.Git{}, rests, bad, skipped("NoGit"), unknown, "NoGit"},
		"no Git, held":                    {plan.Git{}, held, bad, skipped("NoGit"), no, "NoGit"},
		"no Git, traffic goes back":       {plan.Git{}, v1alpha1.StageAborting, bad, nil, no, "NoGit"},
		"no Git, undecided":               {plan.Git{}, held, v1alpha1.OutcomeUndecided, skipped("NotNeeded"), unknown, "NoGit"},
		"no Git any more":                 {plan.Git{}, held, bad, revert(v1alpha1.RevertPushed, "Pushed"), unknown, "NoGit"},
		"no Repository":                   {denied, rests, "", nil, no, "RepositoryMissing"},
		"the head cannot be read":         {failing, rests, "", nil, no, "GitTransient"},
		"an old failure is none":          {failing, rests, bad, revert(v1alpha1.RevertPushed, "Pushed"), yes, "Pushed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &v1alpha1.Progress{Stage: tc.stage, Revert: tc.revert}
			if tc.outcome != "" {
				p.Ending = &v1alpha1.Ending{Outcome: tc.outcome}
			}
			var st v1alpha1.RolloutStatus
			conditions(&st, &observe.Scene{Observed: plan.Observed{Git: tc.git}}, plan.Plan{}, p)
			c := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionGitReverted)
			if c.Status != tc.status || c.Reason != tc.reason || c.Message == "" {
				t.Errorf("GitReverted is %s %s %q, want %s %s", c.Status, c.Reason, c.Message, tc.status, tc.reason)
			}
		})
	}
}

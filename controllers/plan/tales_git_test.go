package plan

import "github.com/belay-dev/belay/api/v1alpha1"

// interruptions are a Rollout that is suspended, invalid or deleted meanwhile.
func interruptions() map[string]tale {
	routeMissing := func(when func(Observed, Plan) bool) happening {
		return happens("the route is taken out of the Rollout's reach", when, func(w *world) {
			w.problems = []Problem{{"RouteMissing", "spec.routes: HTTPRoute shop does not exist: create it, or correct the name"}}
		})
	}
	mended := func(when func(Observed, Plan) bool) happening {
		return happens("the Rollout is valid again", when, func(w *world) { w.problems = nil })
	}
	return map[string]tale{
		"suspended and taken up again": {happenings: []happening{v2Shipped, suspends(true, bakes(1)), suspends(false, atRule("waitingForPerson"))}},
		"suspended for good":           {happenings: []happening{v2Shipped, suspends(true, bakes(1))}},
		"suspended at rest":            {happenings: []happening{suspends(true, quiet), v2Shipped, suspends(false, atRule("suspended"))}},
		"suspended while pinning":      {happenings: []happening{v2Shipped, suspends(true, inStage(v1alpha1.StagePinning))}},
		"suspended at the handover":    {happenings: []happening{v2Shipped, suspends(true, inStage(v1alpha1.StageHandingOver))}},
		"bad while suspended": {happenings: []happening{
			v2Shipped, suspends(true, bakes(2)), happens("the metric fails", bakes(2), fails),
		}},
		"invalid in flight": {happenings: []happening{v2Shipped, routeMissing(bakes(2))}},
		"invalid for a while": {happenings: []happening{
			v2Shipped, routeMissing(bakes(2)), mended(atRule("waitingForPerson")),
		}},
		"invalid at rest":         {happenings: []happening{routeMissing(quiet), v2Shipped, mended(atRule("invalid"))}},
		"deleted in flight":       {happenings: []happening{v2Shipped, deletes(bakes(2))}},
		"deleted while pinning":   {happenings: []happening{v2Shipped, deletes(inStage(v1alpha1.StagePinning))}},
		"deleted at rest":         {happenings: []happening{deletes(quiet)}},
		"deleted at the handover": {happenings: []happening{v2Shipped, deletes(inStage(v1alpha1.StageHandingOver))}},
		"deleted after a failure": {begin: func(w *world) { fails(w); w.git.git.Configured = false }, happenings: []happening{v2Shipped, deletes(waitsIn(v1alpha1.StageHeld))}},
	}
}

// reverts are the ways in which a failed revision gets out of Git, or does not.
func reverts() map[string]tale {
	answers := func(answers ...Answer) func(*world) {
		return func(w *world) { fails(w); w.git.answers = answers }
	}
	undoes := func(when func(Observed, Plan) bool) happening {
		return happens("a person undoes it", when, func(w *world) { w.apply("v1", "c1") })
	}
	barred := func(o Observed, _ Plan) bool { r := o.Progress.Revert; return r != nil && r.Barrier != "" }
	gone := happens("Git does not answer any more", inStage(v1alpha1.StageAborting), func(w *world) { w.git.gone = true })
	return map[string]tale{
		"bad, and not in Git":            {begin: func(w *world) { fails(w); w.git.git.Configured = false }, happenings: []happening{v2Shipped, undoes(waitsIn(v1alpha1.StageHeld))}},
		"Git has an unrelated change":    {begin: answers(Answer{Result: "HeadMoved", Head: "c9"}), happenings: []happening{v2Shipped}},
		"Git has the fix":                {begin: answers(Answer{Result: "HeadMoved", Head: "c-v3"}), happenings: []happening{v2Shipped, pushes("v3", barred)}},
		"Git has a newer value":          {begin: answers(Answer{Result: "Superseded", Why: "apps/checkout.yaml has a newer value"}), happenings: []happening{v2Shipped, pushes("v3", waitsIn(v1alpha1.StageHeld))}},
		"Git has a conflict":             {begin: answers(Answer{Result: "Conflict", Why: "apps/checkout.yaml was changed in the same place: take the change out by hand"}), happenings: []happening{v2Shipped, pushes("v3", waitsIn(v1alpha1.StageHeld))}},
		"Git is denied":                  {begin: answers(Answer{Result: "PushDenied", Why: "branch main is protected"}), happenings: []happening{v2Shipped, undoes(waitsIn(v1alpha1.StageHeld))}},
		"somebody reverted it first":     {begin: answers(Answer{Result: "AlreadyReverted", Commit: "r0"}), happenings: []happening{v2Shipped, undoes(waitsIn(v1alpha1.StageHeld))}},
		"not from Git":                   {begin: answers(Answer{Result: "NotFromGit", Why: "the files are the same at both commits"}), happenings: []happening{v2Shipped, undoes(waitsIn(v1alpha1.StageHeld))}},
		"undone before Git answers":      {begin: fails, happenings: []happening{v2Shipped, undoes(inStage(v1alpha1.StageDraining))}},
		"superseded before Git answers":  {begin: fails, happenings: []happening{v2Shipped, pushes("v3", inStage(v1alpha1.StageDraining))}},
		"spec.git taken out":             {begin: fails, happenings: []happening{v2Shipped, happens("spec.git is taken out", inStage(v1alpha1.StageDraining), func(w *world) { w.git.git.Configured = false })}},
		"let through while Git is asked": {begin: answers(Answer{Result: "HeadMoved", Head: "c9"}), happenings: []happening{v2Shipped, happens("a person resumes the held Deployment", waitsIn(v1alpha1.StageHeld), (*world).loosen)}},
		"Git gone and back":              {begin: fails, happenings: []happening{v2Shipped, gone, happens("Git is back", waitsIn(v1alpha1.StageHeld), func(w *world) { w.git.gone = false })}},
		"Git gone for good": {begin: fails, happenings: []happening{v2Shipped, gone, undoes(func(o Observed, p Plan) bool {
			return o.Progress.Stage == v1alpha1.StageHeld && p.Phase == v1alpha1.PhaseHeld && p.Progress == nil
		})}},
		"no access to Git": {begin: fails, happenings: []happening{
			v2Shipped,
			happens("the Repository is deleted", inStage(v1alpha1.StageAborting), func(w *world) {
				w.git.git.Problem = &Problem{"RepositoryMissing", "Repository platform does not exist"}
			}),
			happens("it is back", waitsIn(v1alpha1.StageHeld), func(w *world) { w.git.git.Problem = nil }),
		}},
	}
}

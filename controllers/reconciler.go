package controllers

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/apply"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// lookAgain is when to look after effects, should none of them cause a change that wakes the loop.
const lookAgain = 2 * time.Second

// Reconciler runs the loop for every Rollout.
type Reconciler struct {
	Client client.Client
	// Live reads past the cache.
	Live     client.Reader
	Observer *observe.Observer
	Applier  *apply.Applier
	Reporter *Reporter
	Metrics  *Metrics
	// StopMeasuring, KeepGit and ForgetGit end what runs beside the loop; KeepGit only the kinds of orders that it is not given.
	StopMeasuring func(types.NamespacedName)
	KeepGit       func(types.NamespacedName, ...gitwork.Kind)
	ForgetGit     func(types.NamespacedName)
	written       written
	conflicts     conflicts
}

// Reconcile observes, decides, records or acts, and reports.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	result, err := r.round(ctx, req)
	if err != nil {
		return r.conflicts.outcome(req.NamespacedName, err)
	}
	r.conflicts.forget(req.NamespacedName)
	return result, nil
}

func (r *Reconciler) round(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	log := logr.FromContextOrDiscard(ctx)
	rollout := &v1alpha1.Rollout{}
	if err := r.Client.Get(ctx, req.NamespacedName, rollout); err != nil {
		if apierrors.IsNotFound(err) {
			r.forget(req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, err
	}
	if r.written.ahead(rollout) {
		// The cache does not show our own last record yet. Its arrival wakes the loop; this is the belt.
		return ctrl.Result{RequeueAfter: lookAgain}, nil
	}
	scene, err := r.Observer.Observe(ctx, rollout)
	if err != nil {
		return ctrl.Result{}, err
	}
	decided := plan.Decide(scene.Observed)
	if held := r.check(scene, &decided); held {
		log.Error(nil, "a law would be broken: the rollout is held", "rule", decided.Rule, "reason", decided.Reason)
	}
	r.quiet(req.NamespacedName, scene, decided)
	if decided.Progress != nil {
		log.Info(decided.Reason, "rule", decided.Rule, "stage", decided.Progress.Stage, "sequence", decided.Progress.Sequence)
		return r.record(ctx, scene, decided)
	}
	return r.act(ctx, log, scene, decided)
}

// check holds the plan against the laws. One that breaks a law is replaced by waiting, unless the attempt is ending.
func (r *Reconciler) check(s *observe.Scene, p *plan.Plan) bool {
	violations := plan.Check(s.Observed, *p)
	if len(violations) == 0 {
		return false
	}
	text := ""
	for _, v := range violations {
		r.Metrics.violation(v.Law)
		text += fmt.Sprintf("%s: %s; ", v.Law, v.Text)
	}
	if s.Progress.Ending != nil && !exposes(p.Effects) {
		return true
	}
	*p = plan.Plan{Rule: p.Rule, Reason: "a law of Belay would be broken, the rollout is held: " + text, Phase: v1alpha1.PhaseDegraded,
		Stalled: &plan.Problem{Reason: "InvariantViolated", Message: text + "abort it, and report this with the controller's log"}}
	return true
}

// exposes says that effects let somebody's requests reach another revision. Nothing of an abort does.
func exposes(effects []plan.Effect) bool {
	for _, e := range effects {
		switch e := e.(type) {
		case plan.Split:
			if e.Split.Weight > 0 {
				return true
			}
		case plan.Adopt, plan.Release:
			return true
		}
	}
	return false
}

// quiet ends measurements that no stage asks for any more, or that begin afresh, and questions to Git that nobody has.
func (r *Reconciler) quiet(key types.NamespacedName, s *observe.Scene, p plan.Plan) {
	stage := s.Progress.Stage
	if (stage != v1alpha1.StageStepping && stage != v1alpha1.StageUnpinning) || p.Afresh {
		r.StopMeasuring(key)
	}
	switch {
	case p.Progress == nil:
		r.KeepGit(key, questions(p.Effects)...)
	case !reverting(p.Progress):
		// Before it is recorded: what was planned is not pushed any more.
		r.KeepGit(key, gitwork.Tip)
	}
}

// reverting says that a commit is wanted.
func reverting(p *v1alpha1.Progress) bool {
	return p.Revert != nil && (p.Revert.State == v1alpha1.RevertWanted || p.Revert.State == v1alpha1.RevertPlanned)
}

// questions are the kinds of orders to Git among effects.
func questions(effects []plan.Effect) []gitwork.Kind {
	var out []gitwork.Kind
	for _, e := range effects {
		switch e.(type) {
		case plan.ReadTip:
			out = append(out, gitwork.Tip)
		case plan.Locate:
			out = append(out, gitwork.Locate)
		case plan.Revert:
			out = append(out, gitwork.Revert)
		}
	}
	return out
}

// record writes what is to be remembered, and nothing else happens in this round.
func (r *Reconciler) record(ctx context.Context, s *observe.Scene, p plan.Plan) (ctrl.Result, error) {
	if _, err := r.Reporter.Report(ctx, s, p); err != nil {
		return ctrl.Result{}, err
	}
	r.written.remember(s.Rollout, p.Progress.Sequence)
	r.Metrics.recorded(s, p)
	return ctrl.Result{RequeueAfter: lookAgain}, nil
}

// act carries effects out and reports.
func (r *Reconciler) act(ctx context.Context, log logr.Logger, s *observe.Scene, p plan.Plan) (ctrl.Result, error) {
	if err := r.outdated(ctx, s, p.Effects); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.Applier.Apply(ctx, s, p.Effects); err != nil {
		log.Info("not carried out", "rule", p.Rule, "reason", p.Reason, "error", err.Error())
		if problem := refused(err); problem != nil {
			p.Stalled = problem
			p.Effects = nil // what was not carried out keeps no status back
			if _, reportErr := r.Reporter.Report(ctx, s, p); reportErr != nil {
				log.Info("not reported", "error", reportErr.Error())
			}
		}
		return ctrl.Result{}, err
	}
	r.Metrics.acted(s, p)
	if changes := changing(p.Effects); changes > 0 {
		log.Info(p.Reason, "rule", p.Rule, "effects", changes)
		p.Wake = earliest(p.Wake, s.Now.Add(lookAgain))
	}
	again, err := r.Reporter.Report(ctx, s, p)
	if err != nil {
		return ctrl.Result{}, err
	}
	if !again.IsZero() {
		p.Wake = earliest(p.Wake, again)
	}
	if !s.ProveAgain.IsZero() {
		p.Wake = earliest(p.Wake, s.ProveAgain)
	}
	if p.Wake.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(time.Millisecond, p.Wake.Sub(r.Observer.Clock.Now()))}, nil
}

// outdated compares the record that effects rest on with the one that is stored: a cache that lags shows a leader of
// before what its successor has long gone past. It is a conflict. Taking traffic off the canary does not wait for it: the
// fence of the plan is enough where what is left is stable.
func (r *Reconciler) outdated(ctx context.Context, s *observe.Scene, effects []plan.Effect) error {
	if changing(effects) == 0 || apply.Clears(effects) {
		return nil
	}
	stored := &v1alpha1.Rollout{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(s.Rollout), stored); err != nil {
		return fmt.Errorf("reading the record once more: %w", err)
	}
	known, now := s.Progress, v1alpha1.Progress{}
	if stored.Status.Progress != nil {
		now = *stored.Status.Progress
	}
	if stored.UID == s.Rollout.UID && now.Attempt == known.Attempt && now.Sequence == known.Sequence {
		return nil
	}
	return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("rollouts").GroupResource(), s.Name,
		fmt.Errorf("record %d.%d is stored, the plan was made from %d.%d", now.Attempt, now.Sequence, known.Attempt, known.Sequence))
}

// changing counts effects that write to the API server.
func changing(effects []plan.Effect) int {
	n := 0
	for _, e := range effects {
		switch e.(type) {
		case plan.Measure, plan.ReadTip, plan.Locate, plan.Revert:
		default:
			n++
		}
	}
	return n
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func (r *Reconciler) forget(key types.NamespacedName) {
	r.StopMeasuring(key)
	r.ForgetGit(key)
	r.Observer.Forget(key)
	r.written.forget(key)
	r.Metrics.forget(key)
	r.Reporter.forget(key)
}

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/measure"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// softEvery is how often at most a status is written for words alone: what is waited for, how many pods are ready. What
// passes within that time is not worth a write. Phases, verdicts and records are written at once.
const softEvery = time.Second

// measuredEvery is how often a status is written only because a measurement brought another number.
const measuredEvery = time.Minute

// historyLength is how many attempts a status remembers.
const historyLength = 10

// EventSink writes an Event about a Rollout.
type EventSink func(r *v1alpha1.Rollout, eventType, reason, message string)

// Reporter turns what was observed and planned into the status and into Events, once, at the end of a round.
type Reporter struct {
	Client client.Client
	Event  EventSink

	mu   sync.Mutex
	said map[types.NamespacedName]map[string]string
	// wrote is when a status was written last.
	wrote map[types.NamespacedName]time.Time
}

// Report writes the status if it says something new, with the observed resourceVersion as precondition, and Events
// after that. It returns when to report again what was not worth a write yet; zero: nothing is owed.
func (r *Reporter) Report(ctx context.Context, s *observe.Scene, p plan.Plan) (time.Time, error) {
	again, err := r.status(ctx, s, p)
	if err == nil {
		r.contested(s) // who wrote against an intent is no word of the status, so it needs no write
	}
	return again, err
}

func (r *Reporter) status(ctx context.Context, s *observe.Scene, p plan.Plan) (time.Time, error) {
	if s.Progress.Version > v1alpha1.ProgressVersion {
		return r.standBack(ctx, s, p)
	}
	if p.Phase == "" {
		p.Phase = s.Rollout.Status.Phase
	}
	next := s.Rollout.DeepCopy()
	write(&next.Status, s, p)
	if p.Progress == nil {
		due := r.due(client.ObjectKeyFromObject(next), &s.Rollout.Status, &next.Status, s.Now)
		if due.IsZero() || due.After(s.Now) {
			return due, nil
		}
		if (s.Deleting && len(p.Effects) > 0) || finalizes(p.Effects) {
			return time.Time{}, nil // the effects have changed the Rollout itself, or removed it
		}
	}
	if err := r.Client.Status().Update(ctx, next); err != nil {
		return time.Time{}, fmt.Errorf("writing the status: %w", err)
	}
	r.remember(client.ObjectKeyFromObject(next), s.Now)
	r.events(s, p, &next.Status)
	return time.Time{}, nil
}

// finalizes says that effects put our finalizer on, so that the Rollout is not the one that was observed any more.
func finalizes(effects []plan.Effect) bool {
	return slices.ContainsFunc(effects, func(e plan.Effect) bool { _, adds := e.(plan.AddFinalizer); return adds })
}

// due says when a status is to be written: now, later, or never (zero).
func (r *Reporter) due(key types.NamespacedName, old, next *v1alpha1.RolloutStatus, now time.Time) time.Time {
	if !news(old, next, now) {
		return time.Time{}
	}
	if hard(old, next) {
		return now
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return latest(now, r.wrote[key].Add(softEvery))
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (r *Reporter) remember(key types.NamespacedName, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wrote == nil {
		r.wrote = map[types.NamespacedName]time.Time{}
	}
	r.wrote[key] = at
}

// hard says that a status brings more than words: a phase, the status of a condition, why one is not True.
func hard(old, next *v1alpha1.RolloutStatus) bool {
	if old.Phase != next.Phase || len(old.Conditions) != len(next.Conditions) {
		return true
	}
	for _, c := range next.Conditions {
		// Traffic is not ready for a moment at every step; that is what waiting says, too.
		if c.Type == v1alpha1.ConditionTrafficReady {
			continue
		}
		was := meta.FindStatusCondition(old.Conditions, c.Type)
		if was == nil || was.Status != c.Status || (was.Reason != c.Reason && c.Status != metav1.ConditionTrue) {
			return true
		}
	}
	return false
}

// news says whether a status is worth a write: everything but the numbers of measurements at once, those at times.
func news(old, next *v1alpha1.RolloutStatus, now time.Time) bool {
	a, b := old.DeepCopy(), next.DeepCopy()
	last := blur(a)
	blur(b)
	if !equality.Semantic.DeepEqual(a, b) {
		return true
	}
	if equality.Semantic.DeepEqual(old.Metrics, next.Metrics) {
		return false
	}
	return now.Sub(last) >= measuredEvery
}

// blur takes the numbers out of the metrics and gives the time of the latest one.
func blur(s *v1alpha1.RolloutStatus) time.Time {
	var last time.Time
	for i := range s.Metrics {
		m := &s.Metrics[i]
		if m.MeasuredAt != nil && m.MeasuredAt.After(last) {
			last = m.MeasuredAt.Time
		}
		m.Value, m.Message, m.Query, m.MeasuredAt, m.Counts, m.Comparison = "", "", "", nil, v1alpha1.MeasurementCounts{}, nil
	}
	return last
}

// write computes the whole status.
func write(st *v1alpha1.RolloutStatus, s *observe.Scene, p plan.Plan) {
	st.ObservedGeneration = s.Generation
	progress := s.Progress
	if p.Progress != nil {
		progress = *p.Progress
		st.Progress = p.Progress
	}
	st.Phase, st.Message, st.Waiting = p.Phase, p.Reason, p.Waiting
	if p.Ack != nil {
		st.Request = p.Ack
	}
	if p.Ended != nil {
		st.History = append([]v1alpha1.AttemptRecord{*p.Ended}, st.History...)
		st.History = st.History[:min(len(st.History), historyLength)]
	}
	if r := progress.Revert; r != nil && r.State == v1alpha1.RevertPushed {
		for i := range st.History {
			if st.History[i].Attempt == progress.Attempt {
				st.History[i].Commit = r.Commit
			}
		}
	}
	writeTraffic(st, s, &progress)
	st.Stable = revision(s, progress.Stable, s.Config.Service)
	st.Canary = revision(s, progress.Canary, progress.CanaryService)
	writeMetrics(st, s, &progress)
	conditions(st, s, p, &progress)
}

func writeTraffic(st *v1alpha1.RolloutStatus, s *observe.Scene, p *v1alpha1.Progress) {
	st.Step, st.Steps, st.Weight, st.Routes = "", nil, "", nil
	if !flying(p.Stage) {
		return
	}
	for _, step := range s.Config.Ladder {
		st.Steps = append(st.Steps, stepLine(step))
	}
	if p.Step > 0 {
		st.Step = fmt.Sprintf("%d/%d", p.Step, len(s.Config.Ladder))
	}
	programmed, wanted := int32(-1), p.WeightPermille
	for _, r := range s.Routes {
		st.Routes = append(st.Routes, v1alpha1.RouteStatus{
			Kind: r.Ref.Kind, Name: r.Ref.Name, WantedPermille: r.Permille(), Programmed: r.Programmed, Message: r.Why,
		})
		if programmed < 0 || r.Permille() < programmed {
			programmed = r.Permille()
		}
	}
	st.Weight = plan.Percent(wanted)
	if programmed >= 0 && programmed != wanted {
		st.Weight = fmt.Sprintf("%s → %s", plan.Percent(programmed), plan.Percent(wanted))
	}
}

// flying says that the ladder means something.
func flying(stage v1alpha1.Stage) bool {
	switch stage {
	case "", v1alpha1.StageAdopting, v1alpha1.StageResting, v1alpha1.StageHeld:
		return false
	}
	return true
}

func stepLine(s plan.Step) string {
	if s.Approve {
		return fmt.Sprintf("approve within %s", s.Timeout)
	}
	line := fmt.Sprintf("%s for %s", plan.Percent(s.Permille), s.Bake)
	if s.Appended {
		line += " (appended)"
	}
	return line
}

func revision(s *observe.Scene, r *v1alpha1.RevisionRecord, service string) *v1alpha1.RevisionStatus {
	if r == nil {
		return nil
	}
	out := &v1alpha1.RevisionStatus{Revision: r.Revision, Image: r.Image, SourceRevision: r.Source, Service: service}
	if set, ok := s.Workload.Find(r.ReplicaSet); ok {
		out.Replicas, out.Ready = set.Replicas, set.Ready
	}
	return out
}

// writeMetrics keeps the last words of an attempt after its end, until the next one begins. What the entry into a step
// makes of the metrics is written with it.
func writeMetrics(st *v1alpha1.RolloutStatus, s *observe.Scene, p *v1alpha1.Progress) {
	switch {
	case p.Stage == v1alpha1.StageStepping && p.Step != s.Progress.Step && p.Step >= s.Config.StartAt:
		st.Metrics = measure.Pending(s.Plans, p.Step)
	case len(s.Metrics) > 0:
		st.Metrics = s.Metrics
	case p.Stage == v1alpha1.StagePinning:
		st.Metrics = nil
	}
}

// events tells what happened, after it was written. A record is told once; a problem when it is new.
func (r *Reporter) events(s *observe.Scene, p plan.Plan, st *v1alpha1.RolloutStatus) {
	key := client.ObjectKeyFromObject(s.Rollout)
	switch {
	case p.Ack != nil:
		r.Event(s.Rollout, corev1.EventTypeNormal, "Request"+p.Ack.Outcome, fmt.Sprintf("%s: %s", p.Ack.Verb, p.Ack.Message))
	case p.Progress != nil && !p.Quiet:
		r.Event(s.Rollout, eventType(p), eventReason(s, p), p.Reason)
	}
	if p.Ended != nil && p.Ended.Outcome == v1alpha1.OutcomeBypassed {
		r.Event(s.Rollout, corev1.EventTypeWarning, string(p.Ended.Outcome), fmt.Sprintf("revision %s was %s", p.Ended.Revision, p.Ended.Reason))
	}
	for _, t := range []string{v1alpha1.ConditionStalled, v1alpha1.ConditionGuarded, v1alpha1.ConditionGitReverted, v1alpha1.ConditionAnalysisHealthy} {
		c := meta.FindStatusCondition(st.Conditions, t)
		if c == nil || !bad(c) || !r.fresh(key, t, c.Reason+c.Message) {
			continue
		}
		r.Event(s.Rollout, corev1.EventTypeWarning, c.Reason, c.Message)
	}
}

// contested tells who tried to undo an intent, once for each time that somebody begins to.
func (r *Reporter) contested(s *observe.Scene) {
	by := map[string]string{s.WorkloadName: s.Workload.ContestedBy}
	for _, svc := range s.Services {
		by["Service "+svc.Name] = svc.ContestedBy
	}
	for _, route := range s.Routes {
		by[route.Ref.Kind+" "+route.Ref.Name] = route.ContestedBy
	}
	maps.DeleteFunc(by, func(_, who string) bool { return who == "" })
	key := client.ObjectKeyFromObject(s.Rollout)
	r.over(key, by)
	for _, what := range slices.Sorted(maps.Keys(by)) {
		if r.fresh(key, contest+what, by[what]) {
			r.Event(s.Rollout, corev1.EventTypeWarning, "Contested", fmt.Sprintf("%s was written by %s against the attempt in flight; nothing changed", what, by[what]))
		}
	}
}

// contest begins the topics of what is contested.
const contest = "contested/"

// over forgets what was said of contests that are over: the next one is told again.
func (r *Reporter) over(key types.NamespacedName, by map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.said[key], func(topic, _ string) bool {
		what, isContest := strings.CutPrefix(topic, contest)
		return isContest && by[what] == ""
	})
}

// bad says that a condition wants a person's attention.
func bad(c *metav1.Condition) bool {
	if c.Type == v1alpha1.ConditionStalled {
		return c.Status == metav1.ConditionTrue
	}
	return c.Status == metav1.ConditionFalse && c.Reason != "Reverting"
}

// fresh remembers what was said last, so that the same is not said again at every round.
func (r *Reporter) fresh(key types.NamespacedName, topic, text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == nil {
		r.said = map[types.NamespacedName]map[string]string{}
	}
	if r.said[key] == nil {
		r.said[key] = map[string]string{}
	}
	if r.said[key][topic] == text {
		return false
	}
	r.said[key][topic] = text
	return true
}

func (r *Reporter) forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.said, key)
	delete(r.wrote, key)
}

func eventType(p plan.Plan) string {
	switch p.Phase {
	case v1alpha1.PhaseAborted, v1alpha1.PhaseInconclusive, v1alpha1.PhaseHeld, v1alpha1.PhaseDegraded, v1alpha1.PhaseReverting:
		return corev1.EventTypeWarning
	}
	return corev1.EventTypeNormal
}

// eventReason is the stage that was entered, or the rule that recorded.
func eventReason(s *observe.Scene, p plan.Plan) string {
	if p.Progress.Stage != s.Progress.Stage {
		return string(p.Progress.Stage)
	}
	if p.Progress.Step != s.Progress.Step {
		return "Step"
	}
	return "Recorded"
}

package sim

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/server"
	"github.com/belay-dev/belay/routers"
)

// violation is a law that was broken.
type violation struct {
	law, text string
	at        time.Duration
}

// broken notes a violation. The run goes on to its end, so that the transcript shows what came of it.
func (w *World) broken(law, format string, args ...any) {
	v := violation{law, fmt.Sprintf(format, args...), w.schedule.Now().Sub(noon)}
	w.violations = append(w.violations, v)
	w.say("!!! %s: %s", v.law, v.text)
}

// laws is what the checker has seen so far. It looks at what is stored, never at what a controller thinks.
type laws struct {
	w *World
	// record is the last stored memory of the Rollout; nil: none.
	record *v1alpha1.Progress
	// allowed is the highest share ever recorded for an attempt, ended says that its end is recorded, cleared that the
	// route was seen without a share after that.
	allowed map[int64]int32
	ended   map[int64]bool
	cleared map[string]bool
	// passed are the images that were stable once: to go back to one of them is always safe.
	passed map[string]bool
	// exposed is since when, and until when, the canary had a share in what is stored.
	exposures []exposure
	steps     steps
}

// exposure is a time in which requests may reach an image that is not stable.
type exposure struct {
	image    string
	from, to time.Time // to zero: it lasts
}

func newLaws(w *World) *laws {
	return &laws{w: w, allowed: map[int64]int32{}, ended: map[int64]bool{}, cleared: map[string]bool{}, passed: map[string]bool{}}
}

// see checks one write.
func (l *laws) see(e server.Event) {
	switch e.Key.Kind.Kind {
	case "Rollout":
		l.rollout(e)
	case "HTTPRoute":
		l.route(e)
	case "Service":
		l.service(e)
	case "Deployment":
		l.deployment(e)
	case "ReplicaSet":
		l.replicaSet(e)
	case "Pod":
		l.pod(e)
		return
	default:
		return
	}
	l.expose()
}

func progressOf(o *unstructured.Unstructured) *v1alpha1.Progress {
	if o == nil {
		return nil
	}
	stored, found, _ := unstructured.NestedMap(o.Object, "status", "progress")
	if !found {
		return nil
	}
	p := &v1alpha1.Progress{}
	convert(stored, p)
	return p
}

// rollout holds the memory to its own laws: it only grows, and it promotes nothing that was not judged good.
func (l *laws) rollout(e server.Event) {
	before := l.record
	l.record = progressOf(e.Object)
	l.count(before)
	switch e.Type {
	case watch.Deleted:
		l.record = nil
	case watch.Added: // one of the same name counts its attempts anew
		clear(l.allowed)
		clear(l.ended)
		clear(l.cleared)
	}
	now := l.record
	if now == nil {
		return
	}
	if before != nil && e.Object.GetUID() == e.Old.GetUID() {
		if now.Attempt < before.Attempt || now.Sequence < before.Sequence {
			l.w.broken("fence", "the record went back from %d.%d to %d.%d", before.Attempt, before.Sequence, now.Attempt, now.Sequence)
		}
	}
	l.allowed[now.Attempt] = max(l.allowed[now.Attempt], now.WeightPermille)
	if now.Ending != nil && now.Stage != v1alpha1.StageResting {
		l.ended[now.Attempt] = true
	}
	l.steps.see(l, before, now)
	l.promotion(before, now)
}

// count follows attempts for the figures.
func (l *laws) count(before *v1alpha1.Progress) {
	now := l.record
	if now == nil || before == nil {
		return
	}
	if now.Attempt > before.Attempt {
		l.w.count.attempts++
	}
	if now.Ending == nil || before.Stage == now.Stage {
		return
	}
	switch {
	case now.Stage == v1alpha1.StageResting && now.Ending.Outcome == v1alpha1.OutcomePromoted && before.Stage == v1alpha1.StageClearing:
		l.w.count.promoted++
	case now.Stage == v1alpha1.StageAborting:
		l.w.count.ended++
	}
}

// promotion: I10. A revision becomes stable when every gating metric said Pass, or when a person said so. What is bad in
// truth, measured by an honest source, never does.
func (l *laws) promotion(before, now *v1alpha1.Progress) {
	if now.Stable == nil || (before != nil && before.Stable != nil && before.Stable.Image == now.Stable.Image) {
		return
	}
	image := now.Stable.Image
	l.passed[image] = true
	if before == nil || before.Stage != v1alpha1.StageHandingOver {
		return // adopted: whoever shipped it did not go through Belay
	}
	if reason := l.w.mayPromote(image); reason != "" {
		l.w.broken("I10", "%s was promoted, %s", image, reason)
	}
}

// route: I1, I2, I3, I5, and that only the controller changes a split.
func (l *laws) route(e server.Event) {
	if e.Type == watch.Deleted {
		delete(l.cleared, l.attemptKey(e.Key.Name))
		return
	}
	was, is := splitOf(e.Old), splitOf(e.Object)
	l.wholeWeights(e.Object, is)
	ours := e.User == controllerUser
	switch {
	case is.share > was.share && !ours:
		l.w.broken("guard", "%s raised the canary's share of %s from %d to %d", e.User, e.Key.Name, was.share, is.share)
	case is.share > was.share:
		l.raised(e.Key.Name, is)
	case e.Type == watch.Modified && !ours && was.intent != is.intent:
		l.w.broken("guard", "%s changed the split of %s from %q to %q", e.User, e.Key.Name, was.intent, is.intent)
	}
	l.steps.share(e.Key.Name, is.share, l.w.schedule.Now())
	if l.record != nil && is.share == 0 && l.ended[l.record.Attempt] {
		l.cleared[l.attemptKey(e.Key.Name)] = true
	}
}

func (l *laws) attemptKey(route string) string {
	if l.record == nil {
		return route
	}
	return fmt.Sprint(route, " ", l.record.Attempt)
}

func (l *laws) raised(route string, is split) {
	if l.w.caller != nil && !l.w.caller.cache.showsReady(is.canary) {
		l.w.broken("I2", "the share on %s was raised to %d‰, and %s knows of no ready endpoint of %s", route, is.share, l.w.caller.name, is.canary)
	}
	if l.record == nil {
		l.w.broken("I5", "the share on %s was raised to %d‰ with nothing recorded", route, is.share)
		return
	}
	if is.share > l.allowed[is.attempt] {
		l.w.broken("I5", "the share on %s was raised to %d‰, attempt %d was never allowed more than %d‰", route, is.share, is.attempt, l.allowed[is.attempt])
	}
	if l.cleared[fmt.Sprint(route, " ", is.attempt)] {
		l.w.broken("I3", "the share on %s was raised to %d‰ after attempt %d was ended there", route, is.share, is.attempt)
	}
	if is.attempt != l.record.Attempt {
		l.w.broken("I3", "the share on %s was raised to %d‰ by attempt %d, it is %d's turn", route, is.share, is.attempt, l.record.Attempt)
	}
}

// split is what a route says of the canary.
type split struct {
	intent, service, canary string
	attempt                 int64
	scale                   int32
	// share is the canary's, in permille, of the Service's: the largest of all rules.
	share int32
}

func splitOf(route *unstructured.Unstructured) split {
	if route == nil {
		return split{}
	}
	out := split{intent: route.GetAnnotations()[v1alpha1.AnnotationSplit]}
	intent, ok := routers.ParseSplit(out.intent)
	if !ok {
		return out
	}
	out.service, out.canary, out.attempt, out.scale = intent.Service, intent.Canary, intent.Attempt, intent.Scale
	for _, refs := range backends(route) {
		for _, half := range halves(refs, intent) {
			if sum := half.stable + half.canary; sum > 0 {
				out.share = max(out.share, int32(1000*half.canary/sum))
			}
		}
	}
	return out
}

type backend struct {
	name   string
	weight int64
}

func backends(route *unstructured.Unstructured) [][]backend {
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	var out [][]backend
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		refs, _ := rule["backendRefs"].([]any)
		var list []backend
		for _, item := range refs {
			ref, _ := item.(map[string]any)
			b := backend{weight: 1}
			b.name, _ = ref["name"].(string)
			if weight, ok := ref["weight"].(int64); ok {
				b.weight = weight
			}
			list = append(list, b)
		}
		out = append(out, list)
	}
	return out
}

type pair struct{ stable, canary int64 }

// halves are the pairs of backends that a Service's share was divided into: the canary stands right after the Service.
func halves(refs []backend, s routers.Split) []pair {
	var out []pair
	for i := 1; i < len(refs); i++ {
		if refs[i].name == s.Canary && refs[i-1].name == s.Service {
			out = append(out, pair{refs[i-1].weight, refs[i].weight})
		}
	}
	return out
}

// wholeWeights: I1. In flight every weight is Git's times the scale, and a Service's share is divided without a rest.
func (l *laws) wholeWeights(route *unstructured.Unstructured, is split) {
	intent, ok := routers.ParseSplit(is.intent)
	for _, refs := range backends(route) {
		divided := ok && len(halves(refs, intent)) > 0
		for _, b := range refs {
			if b.weight < 0 {
				l.w.broken("I1", "%s has the weight %d on %s", b.name, b.weight, route.GetName())
			}
			if divided && b.name != intent.Service && b.name != intent.Canary && b.weight%int64(intent.Scale) != 0 {
				l.w.broken("I1", "%s has the weight %d on %s, which is no multiple of %d", b.name, b.weight, route.GetName(), intent.Scale)
			}
		}
		if !ok {
			continue
		}
		for _, half := range halves(refs, intent) {
			if half.canary*int64(intent.Scale) != int64(intent.Weight)*(half.stable+half.canary) {
				l.w.broken("I1", "%d and %d on %s are not %d of %d", half.stable, half.canary, route.GetName(), intent.Weight, intent.Scale)
			}
		}
	}
}

// service: a pin is in force as long as it is written, and only the controller writes it.
func (l *laws) service(e server.Event) {
	if e.Type == watch.Deleted {
		return
	}
	note := e.Object.GetAnnotations()[v1alpha1.AnnotationPin]
	selector, _, _ := unstructured.NestedStringMap(e.Object.Object, "spec", "selector")
	pin, pinned := routers.ParsePin(note)
	_, canary := e.Object.GetLabels()[v1alpha1.LabelCanaryOf]
	switch {
	case canary:
	case pinned && selector[pin.Key] != pin.Value:
		l.w.broken("guard", "%s is to be pinned to %s and selects %v", e.Key.Name, pin.Value, selector)
	case !pinned && selector[hashKey] != "":
		l.w.broken("guard", "%s selects %s and is not pinned", e.Key.Name, selector[hashKey])
	}
	if e.Type == watch.Modified && e.User != controllerUser && e.Old.GetAnnotations()[v1alpha1.AnnotationPin] != note {
		l.w.broken("guard", "%s changed the pin of %s from %q to %q", e.User, e.Key.Name, e.Old.GetAnnotations()[v1alpha1.AnnotationPin], note)
	}
}

const hashKey = "pod-template-hash"

// deployment: what anybody writes is held while a Rollout governs it.
func (l *laws) deployment(e server.Event) {
	if e.Type != watch.Modified {
		return
	}
	governed := e.Old.GetLabels()[v1alpha1.LabelRollout] != ""
	held := e.Object.GetAnnotations()[v1alpha1.AnnotationHold] != ""
	was := e.Old.GetAnnotations()[v1alpha1.AnnotationHold] != ""
	paused, _, _ := unstructured.NestedBool(e.Object.Object, "spec", "paused")
	switch ours := e.User == controllerUser; {
	case held && !paused:
		l.w.broken("guard", "%s holds a template and is not paused", e.Key.Name)
	case was && !held && !ours:
		l.w.broken("guard", "%s took the hold off %s", e.User, e.Key.Name)
	case governed && !held && !ours && imageOf(e.Object) != imageOf(e.Old) && !l.w.bypassed[imageOf(e.Object)]:
		l.w.broken("guard", "%s brought %s to %s and it is not held", e.User, imageOf(e.Object), e.Key.Name)
	}
}

// replicaSet: I4. The controller never takes pods from stable while the stable Services take traffic.
func (l *laws) replicaSet(e server.Event) {
	if e.User != controllerUser || e.Type != watch.Modified || l.record == nil || l.record.Stable == nil {
		return
	}
	was, _, _ := unstructured.NestedInt64(e.Old.Object, "spec", "replicas")
	is, _, _ := unstructured.NestedInt64(e.Object.Object, "spec", "replicas")
	if e.Key.Name != l.record.Stable.ReplicaSet || is >= was {
		return
	}
	l.w.broken("I4", "%s took stable from %d to %d pods in stage %s", e.User, was, is, l.record.Stage)
}

// pod: I11. No stable pod ends in flight, unless somebody scaled or its node went.
func (l *laws) pod(e server.Event) {
	ended := e.Type == watch.Deleted || (e.Object.GetDeletionTimestamp() != nil && (e.Old == nil || e.Old.GetDeletionTimestamp() == nil))
	if !ended || l.record == nil || l.record.Stable == nil || e.Object.GetLabels()[hashKey] != l.record.Stable.Revision {
		return
	}
	switch l.record.Stage {
	case v1alpha1.StagePinning, v1alpha1.StageStepping, v1alpha1.StageAborting, v1alpha1.StageDraining, v1alpha1.StageRetiring, v1alpha1.StageHeld:
	default:
		return
	}
	if e.Type == watch.Deleted && e.Old != nil && e.Old.GetDeletionTimestamp() != nil {
		return // it was told when it began
	}
	if !l.w.mayEnd(e) {
		l.w.broken("I11", "stable pod %s was ended by %s in stage %s", e.Key.Name, e.User, l.record.Stage)
	}
}

// expose keeps the times in which requests may reach what is not stable.
func (l *laws) expose() {
	images := l.exposedNow()
	now := l.w.schedule.Now()
	for i := range l.exposures {
		x := &l.exposures[i]
		if !x.to.IsZero() {
			continue
		}
		if !images[x.image] {
			x.to = now
		}
		delete(images, x.image)
	}
	for _, image := range sortedKeys(images) {
		l.exposures = append(l.exposures, exposure{image: image, from: now})
	}
}

// exposedNow are the images that may be served as things are stored now.
func (l *laws) exposedNow() map[string]bool {
	out := map[string]bool{}
	for image := range l.w.bypassed {
		out[image] = true
	}
	d := l.w.stored("Deployment", l.w.app)
	r := l.record
	if r == nil || r.Stable == nil || r.Stage == v1alpha1.StageAdopting || d == nil || d.GetLabels()[v1alpha1.LabelRollout] == "" {
		for _, image := range l.w.images {
			out[image] = true // nobody guards it yet, or any more
		}
		return out
	}
	for image := range l.passed {
		out[image] = true
	}
	if paused, _ := field(d, "spec", "paused").(bool); !paused {
		out[imageOf(d)] = true // what is not held, its Deployment rolls out; whether it had to be held is asked elsewhere
	}
	if r.Canary == nil {
		return out
	}
	if l.unpinnable() {
		out[r.Canary.Image] = true
	}
	switch r.Stage {
	case v1alpha1.StageUnpinning, v1alpha1.StageHandingOver, v1alpha1.StageCompleting, v1alpha1.StageClearing:
		out[r.Canary.Image] = true
	}
	for _, route := range l.w.storedAll("HTTPRoute") {
		if splitOf(route).share > 0 {
			out[r.Canary.Image] = true
		}
	}
	return out
}

// unpinnable says that a Service was made anew this very second while the attempt's parameters are gone, of which the policy
// would have taken the pin: it selects whatever the user's selector does until the controller pins it.
func (l *laws) unpinnable() bool {
	s := l.w.stored("Service", l.w.app)
	return s != nil && l.w.stored("ConfigMap", "belay-"+l.w.app) == nil && s.GetAnnotations()[v1alpha1.AnnotationPin] == "" &&
		l.w.schedule.Now().Sub(s.GetCreationTimestamp().Time) < time.Second
}

// answered holds what became of requests to the laws.
func (l *laws) answered(a cluster.Answer) {
	if a.Outcome.Lost() && !l.w.excused && a.Service.Name != l.w.declared.OtherName() {
		l.w.broken("lost", "%d requests via %s: %s", a.Count, a.Via, a.Outcome)
	}
	if a.Image != "" {
		l.served(a.Image, l.lag())
	}
}

// lag is how far what callers see may be behind what is stored.
func (l *laws) lag() time.Duration {
	if l.w.slowGateway {
		return eventful + bounded
	}
	d := l.w.cluster.Delays()
	return d.Settle + d.Gateway.To + d.Endpoints.To
}

// mayPromote says why an image must not become stable; empty: it may.
func (w *World) mayPromote(image string) string {
	is := w.truth[image]
	if w.lied || w.promotedByPerson[image] || w.declared.Unmeasured && is != sick {
		return ""
	}
	switch is {
	case bad, sick, unclear:
		return "and it is " + string(is)
	}
	return ""
}

// mayEnd says that a stable pod may end in flight: its node went, or people did what ends it.
func (w *World) mayEnd(e server.Event) bool {
	return w.scaled || w.recreated || !strings.Contains(e.User, "replicaset-controller")
}

// served checks a request that was answered at a moment against what was allowed within the lag before it.
func (l *laws) served(image string, lag time.Duration) {
	now := l.w.schedule.Now()
	for _, x := range l.exposures {
		if x.image == image && (x.to.IsZero() || !x.to.Before(now.Add(-lag))) {
			return
		}
	}
	l.w.broken("guard", "%s answered a request, and it was not allowed to within the last %s", image, lag)
}

func imageOf(o *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
	if len(containers) == 0 {
		return ""
	}
	c, _ := containers[0].(map[string]any)
	image, _ := c["image"].(string)
	return image
}

// showsReady says that the cache shows a ready endpoint of a Service.
func (c *cache) showsReady(service string) bool {
	for _, o := range c.seen.All(kinds["EndpointSlice"], namespace) {
		if o.GetLabels()["kubernetes.io/service-name"] != service {
			continue
		}
		endpoints, _, _ := unstructured.NestedSlice(o.Object, "endpoints")
		for _, item := range endpoints {
			e, _ := item.(map[string]any)
			if ready, _, _ := unstructured.NestedBool(e, "conditions", "ready"); ready {
				return true
			}
		}
	}
	return false
}

package sim

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/delivery"
)

// person is who writes by hand.
const person = "alice@example.com"

// hand writes by hand what is to be changed of an object. What the server says to that is the person's business.
func (w *World) hand(kind, name, what, patch string) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kinds[kind].WithVersion(versionOf(kind)))
	o.SetNamespace(namespace)
	o.SetName(name)
	err := w.api.Client(person).Patch(context.Background(), o, client.RawPatch(types.MergePatchType, []byte(patch)))
	w.said(what, err)
}

func (w *World) said(what string, err error) {
	if err != nil {
		w.say("a person %s: %v", what, err)
		return
	}
	w.say("a person %s", what)
}

func (w *World) deletes(kind, name string) {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kinds[kind].WithVersion(versionOf(kind)))
	o.SetNamespace(namespace)
	o.SetName(name)
	w.said("deletes "+kind+" "+name, w.api.Client(person).Delete(context.Background(), o))
}

func versionOf(kind string) string {
	if kind == "Rollout" {
		return "v1alpha1"
	}
	return "v1"
}

// asks writes a request on the Rollout, for the revision under judgement.
func (w *World) asks(verb string) {
	p := w.laws.record
	revision := "-"
	if p != nil && p.Canary != nil {
		revision = p.Canary.Revision
		if verb == "promote" || verb == "promote-full" || verb == "retry" {
			w.promotedByPerson[p.Canary.Image] = true
		}
	}
	w.asked++
	w.hand("Rollout", w.app, "asks to "+verb+" "+revision, fmt.Sprintf(
		`{"metadata":{"annotations":{%q:"%s %s t%d"}}}`, v1alpha1.AnnotationRequest, verb, revision, w.asked))
}

// meddling is everything that people do with kubectl although they had better not.
var meddling = []struct {
	what string
	do   func(*World)
}{
	{"a forged split", func(w *World) {
		w.hand("HTTPRoute", w.app, "forges the split", fmt.Sprintf(`{"metadata":{"annotations":{%q:"99.99/%s/%s-canary/100/100"}}}`, v1alpha1.AnnotationSplit, w.app, w.app))
	}},
	{"a removed split", func(w *World) {
		w.hand("HTTPRoute", w.app, "removes the split", fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, v1alpha1.AnnotationSplit))
	}},
	{"a removed hold", func(w *World) {
		w.hand("Deployment", w.app, "resumes the Deployment", fmt.Sprintf(`{"metadata":{"annotations":{%q:null}},"spec":{"paused":false}}`, v1alpha1.AnnotationHold))
	}},
	{"a removed pin", func(w *World) {
		w.hand("Service", w.app, "removes the pin", fmt.Sprintf(`{"metadata":{"annotations":{%q:null}},"spec":{"selector":{%q:null}}}`, v1alpha1.AnnotationPin, hashKey))
	}},
	{"a removed label", func(w *World) {
		w.hand("Deployment", w.app, "takes the label off", fmt.Sprintf(`{"metadata":{"labels":{%q:null}}}`, v1alpha1.LabelRollout))
	}},
	{"the parameters deleted", func(w *World) { w.deletes("ConfigMap", "belay-"+w.app) }},
	{"the canary's Service deleted", func(w *World) { w.deletes("Service", w.app+"-canary") }},
	{"the Service recreated", func(w *World) { w.recreated = true; w.deletes("Service", w.app) }},
	{"the route recreated", func(w *World) { w.recreated = true; w.deletes("HTTPRoute", w.app) }},
	{"the Deployment recreated", func(w *World) { w.recreated = true; w.deletes("Deployment", w.app) }},
	{"the Rollout deleted", func(w *World) { w.recreated = true; w.deletes("Rollout", w.app) }},
	{"the canary's ReplicaSet deleted", func(w *World) {
		if p := w.laws.record; p != nil && p.Canary != nil && (p.Stable == nil || p.Canary.ReplicaSet != p.Stable.ReplicaSet) {
			w.deletes("ReplicaSet", p.Canary.ReplicaSet)
		}
	}},
	{"the canary scaled", func(w *World) {
		if p := w.laws.record; p != nil && p.Canary != nil && (p.Stable == nil || p.Canary.ReplicaSet != p.Stable.ReplicaSet) {
			w.bypassed[p.Canary.Image] = true // where its attempt is over, no Service is pinned any more
			w.hand("ReplicaSet", p.Canary.ReplicaSet, "scales the canary", fmt.Sprintf(`{"spec":{"replicas":%d}}`, w.schedule.Rand().IntN(4)))
		}
	}},
	{"a pod deleted", func(w *World) {
		if pods := w.storedAll("Pod"); len(pods) > 0 {
			w.deletes("Pod", pods[w.schedule.Rand().IntN(len(pods))].GetName())
		}
	}},
	{"a restart", func(w *World) {
		w.hand("Deployment", w.app, "restarts", fmt.Sprintf(
			`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, w.schedule.Now().Format(time.RFC3339)))
	}},
	{"a scale", func(w *World) { w.scale() }},
	{"a suspension", func(w *World) { w.hand("Rollout", w.app, "suspends", `{"spec":{"suspend":true}}`) }},
	{"an end of the suspension", func(w *World) { w.hand("Rollout", w.app, "takes the suspension back", `{"spec":{"suspend":false}}`) }},
}

func (w *World) scale() {
	w.scaled = true
	n := 1 + w.schedule.Rand().IntN(5)
	w.hand("Deployment", w.app, fmt.Sprint("scales to ", n), fmt.Sprintf(`{"spec":{"replicas":%d}}`, n))
}

// meddle does one thing by chance.
func (w *World) meddle() {
	m := meddling[w.schedule.Rand().IntN(len(meddling))]
	m.do(w)
}

// requests that people make while all is well, too.
var verbs = []string{"promote", "promote-full", "pause", "resume", "abort", "retry"}

// decide is what a person does about a Rollout that waits for one.
func (w *World) decide() {
	stored := w.stored("Rollout", w.app)
	if stored == nil || stored.GetDeletionTimestamp() != nil {
		return
	}
	if suspended, _, _ := unstructured.NestedBool(stored.Object, "spec", "suspend"); suspended {
		w.hand("Rollout", w.app, "takes the suspension back", `{"spec":{"suspend":false}}`)
		return
	}
	d := w.stored("Deployment", w.app)
	if d == nil {
		return
	}
	if paused, _ := field(d, "spec", "paused").(bool); paused && d.GetAnnotations()[v1alpha1.AnnotationHold] == "" {
		// A Rollout that was deleted in flight left it so, and says that only a person may go on.
		w.bypassed[imageOf(d)] = true
		w.hand("Deployment", w.app, "resumes the roll-out", `{"spec":{"paused":false}}`)
		return
	}
	if p := w.laws.record; (p == nil || p.Stage == v1alpha1.StageAdopting) && w.truth[imageOf(d)] == sick {
		w.fix() // nobody guards the first roll-out of a Deployment
		return
	}
	phase, _, _ := unstructured.NestedString(stored.Object, "status", "phase")
	switch v1alpha1.Phase(phase) {
	case v1alpha1.PhasePaused, v1alpha1.PhaseInconclusive:
		if w.schedule.Chance(0.5) {
			w.asks("abort")
		} else {
			w.asks("promote")
		}
	case v1alpha1.PhaseHeld, v1alpha1.PhaseReverting:
		w.takeBack()
	}
}

// fix ships a version that runs.
func (w *World) fix() {
	version := fmt.Sprint("v", 100+len(w.images))
	w.image(version, good)
	w.say("— somebody ships %s, which is good", version)
	w.git.Push("team", w.declared.Ship(version))
}

// takeBack pushes the version that is stable, where Git still has the one that failed.
func (w *World) takeBack() {
	p := w.laws.record
	if p == nil || p.Stable == nil {
		return
	}
	version := delivery.VersionOf(p.Stable.Image)
	if w.declared.ShippedIn(w.git.Head().Files) == version {
		// What is held did not come from Git: as kubectl belay undo does.
		w.hand("Deployment", w.app, "puts the stable template back", `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":null}}}}}`)
		return
	}
	w.say("— somebody takes %s back to %s in Git", w.app, version)
	w.git.Push("team", w.declared.Ship(version))
}

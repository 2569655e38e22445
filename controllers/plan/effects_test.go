package plan

import (
	"fmt"
	"slices"
	"strings"
)

// carryOut applies an effect ideally and says what it was, as it stands in a transcript.
func (w *world) carryOut(e Effect) string {
	d := &w.deployment
	switch e := e.(type) {
	case Govern:
		d.governor = "checkout"
	case Ungovern:
		d.governor = ""
	case AddFinalizer:
		w.finalizer = true
	case RemoveFinalizer:
		w.finalizer, w.gone = false, true
	case Release:
		d.held, d.notice = false, ""
	case Notice:
		d.notice = e.Sentence
	case Canaries, Resize, Adopt, ReturnRevision, DropRevision:
		return w.replicaSets(e)
	case EnsureAttempt, DeleteAttempt, EnsureCanaryService, DeleteCanaryService, Pin, Unpin, Split, ClearSplit:
		return w.exposure(e)
	case Measure:
		w.job = &e
		return ""
	case ReadTip, Locate, Revert:
		return w.ask(e)
	}
	return names([]Effect{e})[0]
}

func (w *world) replicaSets(e Effect) string {
	switch e := e.(type) {
	case Canaries:
		if s := w.set(e.Revision.Name); s != nil {
			s.replicas, s.owner = e.Size, "rollout"
		} else {
			w.make(w.deployment.template, "rollout", e.Size)
		}
		return fmt.Sprintf("Canaries %s×%d", e.Revision.Hash, e.Size)
	case Resize:
		w.set(e.Revision.Name).replicas = e.Size
		return fmt.Sprintf("Resize %s×%d", e.Revision.Hash, e.Size)
	case Adopt:
		w.set(e.Revision.Name).owner = "deployment"
		return "Adopt " + e.Revision.Hash
	case ReturnRevision:
		w.set(e.Revision.Name).owner = "deployment"
		return "ReturnRevision " + e.Revision.Hash
	case DropRevision:
		w.sets = slices.DeleteFunc(w.sets, func(s *replicaSet) bool { return "checkout-"+s.hash == e.Name })
		return "DropRevision " + e.Name
	}
	return ""
}

func (w *world) exposure(e Effect) string {
	switch e := e.(type) {
	case EnsureAttempt:
		w.attempt = AttemptState{Found: true, Digest: w.digest, Pin: e.Pin.String()}
		return "EnsureAttempt"
	case DeleteAttempt:
		w.attempt = AttemptState{}
		return "DeleteAttempt"
	case EnsureCanaryService:
		w.canary.Found, w.canary.Current, w.canary.Revision = true, true, e.Revision
		return "EnsureCanaryService of " + e.Revision
	case DeleteCanaryService:
		w.canary.Found = false
		return "DeleteCanaryService"
	case Pin:
		w.service(e.Service).pin = &e.Pin
		return fmt.Sprintf("Pin %s to %s", e.Service, e.Pin.Value)
	case Unpin:
		w.service(e.Service).pin = nil
		return "Unpin " + e.Service
	case Split:
		r := w.route(e.Route.Name)
		r.intent, r.programmed = &e.Split, false
		return fmt.Sprintf("Split %s %s", r.name, Percent(e.Split.Permille()))
	case ClearSplit:
		r := w.route(e.Route.Name)
		r.intent, r.programmed = nil, false
		return "ClearSplit " + r.name
	}
	return ""
}

// ask answers a question to Git at once. A revert first plans its commit and pushes it when that is recorded.
func (w *world) ask(e Effect) string {
	g := &w.git
	switch e := e.(type) {
	case ReadTip:
		g.git.Tip = &Tip{For: e.For, Commit: g.head}
		return "ReadTip for " + e.For
	case Locate:
		g.git.Located = &Located{For: e.For, Stable: e.Record, Failed: e.Head}
		return fmt.Sprintf("Locate %s..%s", e.Record, e.Head)
	case Revert:
		g.git.Answer = g.answer(e)
		if g.git.Answer.Result == "Committed" && g.agent {
			w.agentApplies()
		}
		return fmt.Sprintf("Revert %s..%s", e.Record.Stable, e.Record.Failed)
	}
	return ""
}

func (g *repository) answer(e Revert) *Answer {
	for len(g.answers) > 0 {
		a := g.answers[0]
		g.answers = g.answers[1:]
		if a.Result == "HeadMoved" && a.Head == e.Record.Accepted {
			continue // a head that was accepted is not in the way again
		}
		a.For = e.For
		return &a
	}
	commit := "r-" + e.Record.Failed
	if e.Record.Commit != commit {
		return &Answer{For: e.For, Result: resultPlanned, Key: "key", Commit: commit}
	}
	g.reverts++
	g.head = commit
	return &Answer{For: e.For, Result: "Committed", Key: "key", Commit: commit}
}

// agentApplies brings the stable template back, as Git says now.
func (w *world) agentApplies() {
	w.apply(strings.TrimPrefix(w.progress.Stable.Image, "shop:"), w.git.head)
}

func (w *world) service(name string) *service {
	return w.services[slices.IndexFunc(w.services, func(s *service) bool { return s.name == name })]
}

func (w *world) route(name string) *route {
	return w.routes[slices.IndexFunc(w.routes, func(r *route) bool { return r.name == name })]
}

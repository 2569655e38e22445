package plan

import (
	"fmt"
	"slices"
	"strings"
)

// carryOut does what effects say, in order, and gives what was done and the words for it, as they stand in a transcript.
// After one that was refused only those are done that take traffic off the canary.
func (w *world) carryOut(effects []Effect) (done []Effect, said []string) {
	failed := false
	for _, e := range effects {
		if failed && !clears(e) {
			continue
		}
		if w.refuses(e) {
			failed = true
			continue
		}
		done = append(done, e)
		if words := w.effect(e); words != "" {
			said = append(said, words)
		}
	}
	return done, said
}

// clears says that an effect does nothing but take the canary's share away.
func clears(e Effect) bool {
	if split, ok := e.(Split); ok {
		return split.Split.Weight == 0
	}
	_, ok := e.(ClearSplit)
	return ok
}

// refuses says that a write fails: its object is another one by now, or, by chance, for no reason that can be seen.
func (w *world) refuses(e Effect) bool {
	if w.chance != nil && w.chance.IntN(20) == 0 {
		return true
	}
	switch e := e.(type) {
	case Release:
		return e.ResourceVersion != w.deployment.version()
	case Pin:
		return e.ResourceVersion != w.service(e.Service).version()
	case Unpin:
		return e.ResourceVersion != w.service(e.Service).version()
	case Split:
		return e.ResourceVersion != w.route(e.Route.Name).version()
	case ClearSplit:
		return e.ResourceVersion != w.route(e.Route.Name).version()
	case DropRevision:
		s := w.set(e.Name)
		return s == nil || s.owner != "rollout" || s.replicas > 0
	}
	return w.refusesRevision(e)
}

// refusesRevision is refuses for effects on ReplicaSets, which compare what is stored once more.
func (w *world) refusesRevision(e Effect) bool {
	var name, version string
	switch e := e.(type) {
	case Canaries:
		if !e.Revision.Exists { // it is made from the template that is stored
			return e.Revision.Name != "checkout-"+w.deployment.template
		}
		name, version = e.Revision.Name, e.Revision.ResourceVersion
	case Resize:
		name, version = e.Revision.Name, e.Revision.ResourceVersion
		if !w.deployment.held {
			return true
		}
	case Adopt:
		name, version = e.Revision.Name, e.Revision.ResourceVersion
		if w.unadopted {
			w.late = &e
			return true
		}
		if s := w.set(name); s != nil && s.version != w.deployment.template {
			return true
		}
	case CallOff:
		name, version = e.Revision.Name, e.Revision.ResourceVersion
	case ReturnRevision:
		name, version = e.Revision.Name, e.Revision.ResourceVersion
	default:
		return false
	}
	s := w.set(name)
	return s == nil || w.versionOf(s) != version
}

// effect carries one out and says what it was; nothing where a transcript is not to tell of it.
func (w *world) effect(e Effect) string {
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
	case Claim:
		d.claim = fmt.Sprint(w.progress.Attempt, ".", w.progress.Sequence)
	case Release:
		d.held, d.notice, d.claim, w.loose = false, "", "", false
	case Notice:
		d.notice = e.Sentence
	case Canaries, Resize, Adopt, CallOff, ReturnRevision, DropRevision:
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
			s.wants(e.Size)
			s.owner = "rollout"
		} else {
			w.make(w.deployment.template, "rollout", e.Size)
		}
		return fmt.Sprintf("Canaries %s×%d", e.Revision.Hash, e.Size)
	case Resize:
		w.set(e.Revision.Name).wants(e.Size)
		return fmt.Sprintf("Resize %s×%d", e.Revision.Hash, e.Size)
	case CallOff:
		w.set(e.Revision.Name).calledOff = fmt.Sprint(w.progress.Attempt, ".", w.progress.Sequence)
		return "CallOff " + e.Revision.Hash
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
		w.snapshot = w.live
		w.attempt = AttemptState{Found: true, Digest: w.live.digest, Pin: e.Pin.String()}
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

func (w *world) service(name string) *service {
	return w.services[slices.IndexFunc(w.services, func(s *service) bool { return s.name == name })]
}

func (w *world) route(name string) *route {
	return w.routes[slices.IndexFunc(w.routes, func(r *route) bool { return r.name == name })]
}

// repository is Git: every question is answered at once, a revert by the next of the answers.
type repository struct {
	head    string
	answers []Answer
	git     Git
	// agent: what is committed is applied to the cluster; applies: it is about to be.
	agent, applies bool
	// gone: it does not answer. asked: an answer is on its way.
	gone, asked bool
	// reverts counts the commits that took a revision out, by the commit that had brought it.
	reverts map[string]int
}

// ask answers a question to Git. A revert first plans its commit and pushes it when that is recorded.
func (w *world) ask(e Effect) string {
	g := &w.git
	g.asked = !g.gone && !w.acts()
	if g.gone || g.asked {
		return fmt.Sprintf("%s, and Git does not answer", names([]Effect{e})[0])
	}
	switch e := e.(type) {
	case ReadTip:
		g.git.Tip = &Tip{For: e.For, Commit: g.head}
		return "ReadTip for " + e.For
	case Locate:
		g.git.Located = &Located{For: e.For, Stable: e.Record, Failed: e.Head}
		return fmt.Sprintf("Locate %s..%s", e.Record, e.Head)
	case Revert:
		g.git.Answer = g.answer(e)
		if g.git.Answer.Result == resultCommitted && g.agent {
			g.applies = true
			if w.chance == nil {
				w.agentApplies()
			}
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
	g.reverts[e.Record.Failed]++
	g.head = commit
	return &Answer{For: e.For, Result: resultCommitted, Key: "key", Commit: commit}
}

// agentApplies brings the stable template back, as Git says now.
func (w *world) agentApplies() {
	w.git.applies = false
	w.apply(strings.TrimPrefix(w.progress.Stable.Image, "shop:"), w.git.head)
}

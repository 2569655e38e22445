package plan

import (
	"slices"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// turn is one round of a story: what was seen and decided, what was done of it, and what there was before.
type turn struct {
	o      Observed
	p      Plan
	before stock
	// fresh: what was seen is how it was. done are the effects that went through; refused: not all, or not the record.
	fresh, recorded, refused, changed bool
	done                              []Effect
	// good is how long the step had had its pods and its weight. lost says who went without a pod; empty: nobody.
	good time.Duration
	lost string
}

// stock is what a law compares before and after our writes.
type stock struct {
	stable          *replicaSet
	replicas, ended int32
	owner           string
}

func (w *world) stock() stock {
	if w.progress.Stable == nil {
		return stock{}
	}
	s := w.set(w.progress.Stable.ReplicaSet)
	if s == nil {
		return stock{}
	}
	return stock{s, s.replicas, s.ended, s.owner}
}

// book is what has to be remembered of a story to judge it.
type book struct {
	// good is how long the present step has had its pods and its weight, blind how long nobody could see whether it had.
	good, blind time.Duration
	unseen      bool
	// ended are the attempts that were decided to end.
	ended map[int64]bool
	// bare counts rounds in which a canary without a ready pod had a share.
	bare int
	// begun is the attempt of which the rest speaks: its stable pods, and what people had done until then.
	begun   int64
	stable  stock
	meddled int
}

// pass notes time that goes by.
func (b *book) pass(w *world, d time.Duration) {
	o := w.observe()
	programmed := !slices.ContainsFunc(w.routes, func(r *route) bool { return !r.programmed })
	if o.Progress.Stage == v1alpha1.StageStepping && o.trafficLag() == "" && o.canaryReady() >= o.size() && programmed {
		b.good += d
	}
	if b.unseen {
		b.blind += d
	}
}

// note keeps what the next rounds are judged by.
func (b *book) note(w *world, t turn) {
	b.unseen = !t.fresh || t.refused
	p := w.progress
	if t.recorded && p.Step != t.o.Progress.Step {
		b.good, b.blind = 0, 0
	}
	if b.ended == nil {
		b.ended = map[int64]bool{}
	}
	if p.Ending != nil && t.recorded {
		b.ended[p.Attempt] = true
	}
	if p.Attempt != b.begun {
		b.begun, b.stable, b.meddled = p.Attempt, w.stock(), w.meddled
	}
	b.bare++
	if !t.fresh || t.o.Canary.Ready > 0 || !slices.ContainsFunc(w.routes, func(r *route) bool { return r.share() > 0 }) || !exposes(p.Stage) {
		b.bare = 0
	}
}

// exposes says that in a stage the routes' share of the canary goes to pods that only the canary's Service has.
func exposes(stage v1alpha1.Stage) bool {
	return slices.Contains([]v1alpha1.Stage{
		v1alpha1.StageStepping, v1alpha1.StageUnpinning, v1alpha1.StageHandingOver, v1alpha1.StageCompleting, v1alpha1.StageAborting,
	}, stage)
}

func (r *route) share() int32 {
	if r.intent == nil {
		return 0
	}
	return r.intent.Permille()
}

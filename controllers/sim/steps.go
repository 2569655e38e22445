package sim

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
)

// steps is I6 seen from outside: no step is shorter than its bake, counted over the time in which every route had its
// weight.
type steps struct {
	shares map[string]int32
	// reached is how long all routes have been at the weight in force, up to since.
	lowest  int32
	since   time.Time
	reached map[int32]time.Duration
}

// share follows the canary's share on a route.
func (s *steps) share(route string, permille int32, now time.Time) {
	if s.shares == nil {
		s.shares = map[string]int32{}
	}
	s.account(now)
	s.shares[route] = permille
	first := true
	for _, share := range s.shares {
		if first || share < s.lowest {
			s.lowest, first = share, false
		}
	}
}

// account adds the time since the last look to the share that all routes had.
func (s *steps) account(now time.Time) {
	if s.reached == nil {
		s.reached = map[int32]time.Duration{}
	}
	if !s.since.IsZero() {
		s.reached[s.lowest] += now.Sub(s.since)
	}
	s.since = now
}

func (s *steps) see(l *laws, before, now *v1alpha1.Progress) {
	s.account(l.w.schedule.Now())
	if before == nil || now.Attempt != before.Attempt {
		clear(s.reached)
		return
	}
	onward := before.Stage == v1alpha1.StageStepping && (now.Step > before.Step || now.Stage == v1alpha1.StageUnpinning)
	if !onward {
		return
	}
	step, ok := l.ladder(before.Step)
	took := s.reached[before.WeightPermille]
	clear(s.reached)
	byPerson := before.Request != now.Request || before.PromoteFull || now.PromoteFull
	if !ok || byPerson || step.Bake == nil || l.w.faults.clocksJump {
		return
	}
	if took < step.Bake.Duration {
		l.w.broken("I6", "step %d of attempt %d lasted %s at %d‰, its bake is %s", before.Step, before.Attempt, took, before.WeightPermille, step.Bake.Duration)
	}
}

// ladder gives a step of the snapshot that the attempt runs on; false: there is none, or the step was appended.
func (l *laws) ladder(step int32) (v1alpha1.Step, bool) {
	stored := l.w.stored("ConfigMap", "belay-"+l.w.app)
	if stored == nil {
		return v1alpha1.Step{}, false
	}
	text, _, _ := unstructured.NestedString(stored.Object, "data", "snapshot")
	var s observe.Snapshot
	if err := json.Unmarshal([]byte(text), &s); err != nil || s.Spec.Strategy.Canary == nil {
		return v1alpha1.Step{}, false
	}
	ladder := s.Spec.Strategy.Canary.Steps
	if step < 1 || int(step) > len(ladder) {
		return v1alpha1.Step{}, false
	}
	return ladder[step-1], true
}

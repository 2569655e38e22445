package plan

import (
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var orders = flag.Uint64("orders", 10, "in how many orders each story is told")

// Each story is told again with neighbours that act or do not get to it, pods that come one by one, endpoints and routes
// that are known late, writes that are refused in the middle of a plan, records that meet a conflict, and what was seen
// before seen once more. The order of everything follows from the seed. Every law holds all the same, and the end is the
// one of the transcript.
func TestStoriesInAnyOrder(t *testing.T) {
	for name, tale := range tales() {
		t.Run(name, func(t *testing.T) {
			want := tale.story(t).run().end()
			for seed := range *orders {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					s := tale.story(t)
					s.world.shuffle(name, seed)
					s.rounds = 5000
					s.run()
					if got := s.end(); got != want && got != tale.or {
						t.Errorf("it ends as\n%s\nwant\n%s\n%s", got, want, s.told())
					}
					s.rescue()
				})
			}
		})
	}
}

// shuffle leaves to chance what neighbours do when.
func (w *world) shuffle(name string, seed uint64) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	w.chance = rand.New(rand.NewPCG(h.Sum64(), seed))
	for _, s := range w.sets {
		s.pods, s.up = s.replicas, s.replicas
	}
	for _, s := range w.services {
		s.seen = w.endpoints(s)
	}
}

// end says how a story has come out, whatever the way there was.
func (s *story) end() string {
	w := s.world
	p := w.progress
	stage, stable := string(p.Stage), "none"
	if p.Stable != nil {
		stable = p.Stable.Image
	}
	if w.gone {
		stage = "gone"
	}
	var pods []string
	for _, set := range w.sets {
		if set.replicas > 0 {
			pods = append(pods, fmt.Sprintf("%d of %s for the %s", set.replicas, set.version, set.owner))
		}
	}
	reverts := slices.Sorted(maps.Keys(w.git.reverts))
	slices.Sort(pods)
	return fmt.Sprintf("%s with stable %s, template %s, held: %t; ended: %s; reverted: %s, %s; pods: %s", stage, stable,
		w.deployment.template, w.deployment.held, strings.Join(s.outcomes, ", "), strings.Join(reverts, ", "), revertState(p), strings.Join(pods, ", "))
}

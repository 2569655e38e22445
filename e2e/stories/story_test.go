package stories

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

// story is a shop and the test in which it is told. A method that cannot do what it says ends the test.
type story struct {
	*world.Shop
	t *testing.T
}

// open makes a shop in a world. Its namespace goes when the story is over, so that the next one has the machine for itself.
func open(t *testing.T, w *world.World, o world.ShopOptions) *story {
	t.Helper()
	shop, err := w.Open(t.Context(), o)
	s := &story{Shop: shop, t: t}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if t.Failed() && shop != nil {
			s.picture(ctx)
		}
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.Name}}
		if err := w.Client.Delete(ctx, ns); err != nil {
			t.Log(err)
		}
	})
	s.must(err)
	return s
}

// picture logs how the shop looks after a failure.
func (s *story) picture(ctx context.Context) {
	r, err := s.Rollout(ctx)
	pods, podsErr := s.Pods(ctx)
	r.ManagedFields = nil
	text, yamlErr := yaml.Marshal(r)
	s.t.Logf("agent: %v\npods: %v\n%v\n%s", s.Agent.Err(), pods, errors.Join(err, podsErr, yamlErr), text)
	if s.Users != nil {
		s.t.Logf("users: %+v", s.Users.Snapshot())
	}
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ship commits an image and gives the commit.
func (s *story) ship(image string) string {
	s.t.Helper()
	sha, err := s.Ship(s.t.Context(), image, nil)
	s.must(err)
	return sha
}

// commit commits files and gives the commit.
func (s *story) commit(message string, files map[string]string) string {
	s.t.Helper()
	sha, err := s.Commit(s.t.Context(), message, files)
	s.must(err)
	return sha
}

// edited is a file of the shop with one text replaced by another.
func (s *story) edited(path, old, now string) string {
	s.t.Helper()
	if strings.Count(s.Files[path], old) != 1 {
		s.t.Fatalf("%s does not have %q once:\n%s", path, old, s.Files[path])
	}
	return strings.Replace(s.Files[path], old, now, 1)
}

func (s *story) until(within time.Duration, what string, is func(*v1alpha1.Rollout) bool) *v1alpha1.Rollout {
	s.t.Helper()
	s.must(s.Until(s.t.Context(), within, what, is))
	return s.rollout()
}

func (s *story) eventually(within time.Duration, check func(context.Context) error) {
	s.t.Helper()
	s.must(world.Eventually(s.t.Context(), within, check))
}

func (s *story) promoted(image string) {
	s.t.Helper()
	s.must(s.Promoted(s.t.Context(), 2*time.Minute, image))
}

// step waits until the canary bakes at a rung of the ladder, as "2/3", with its weight programmed.
func (s *story) step(image, step string) *v1alpha1.Rollout {
	s.t.Helper()
	return s.until(time.Minute, image+" is at step "+step, func(r *v1alpha1.Rollout) bool {
		return r.Status.Step == step && r.Status.Canary != nil && r.Status.Canary.Image == image &&
			r.Status.Progress.ProgrammedSince != nil
	})
}

// ended waits until the newest line of history is about an attempt and has an outcome, and the Rollout is at rest.
func (s *story) ended(image string, outcome v1alpha1.Outcome, phase v1alpha1.Phase) v1alpha1.AttemptRecord {
	s.t.Helper()
	r := s.until(2*time.Minute, image+" ends "+string(outcome), func(r *v1alpha1.Rollout) bool {
		h := r.Status.History
		return len(h) > 0 && h[0].Image == image && h[0].Outcome == outcome && r.Status.Phase == phase
	})
	return r.Status.History[0]
}

func (s *story) rollout() *v1alpha1.Rollout {
	s.t.Helper()
	r, err := s.Rollout(s.t.Context())
	s.must(err)
	return r
}

func (s *story) pods() map[string]world.Pod {
	s.t.Helper()
	pods, err := s.Pods(s.t.Context())
	s.must(err)
	return pods
}

func (s *story) podsOf(image string) map[string]world.Pod { return world.PodsOf(s.pods(), image) }

// get reads one of the shop's objects, each of which is called shop.
func (s *story) get(into client.Object) {
	s.t.Helper()
	s.must(s.World.Client.Get(s.t.Context(), client.ObjectKey{Namespace: s.Name, Name: "shop"}, into))
}

package tell

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

// Story is a shop and the test in which it is told. A method that cannot do what it says ends the test; those that the
// shop has too do.
type Story struct {
	*world.Shop
	T *testing.T
}

// Open makes a shop in a world. Its namespace goes when the story is over, so that the next one has the machine for itself.
func Open(t *testing.T, w *world.World, o world.ShopOptions) *Story {
	t.Helper()
	shop, err := w.Open(t.Context(), o)
	s := &Story{Shop: shop, T: t}
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
	s.Must(err)
	return s
}

// picture logs how the shop looks after a failure.
func (s *Story) picture(ctx context.Context) {
	r, err := s.Shop.Rollout(ctx)
	pods, podsErr := s.Shop.Pods(ctx)
	r.ManagedFields = nil
	text, yamlErr := yaml.Marshal(r)
	s.T.Logf("agent: %v\npods: %v\n%v\n%s", s.Agent.Err(), pods, errors.Join(err, podsErr, yamlErr), text)
	if s.Users != nil {
		s.T.Logf("users: %+v", s.Users.Snapshot())
	}
}

// Must ends the test on an error.
func (s *Story) Must(err error) {
	s.T.Helper()
	if err != nil {
		s.T.Fatal(err)
	}
}

// Ship commits an image and gives the commit.
func (s *Story) Ship(image string) string {
	s.T.Helper()
	sha, err := s.Shop.Ship(s.T.Context(), image, nil)
	s.Must(err)
	return sha
}

// Commit commits files and gives the commit.
func (s *Story) Commit(message string, files map[string]string) string {
	s.T.Helper()
	sha, err := s.Shop.Commit(s.T.Context(), message, files)
	s.Must(err)
	return sha
}

// Edited is a file of the shop with one text replaced by another.
func (s *Story) Edited(path, old, now string) string {
	s.T.Helper()
	if strings.Count(s.Files[path], old) != 1 {
		s.T.Fatalf("%s does not have %q once:\n%s", path, old, s.Files[path])
	}
	return strings.Replace(s.Files[path], old, now, 1)
}

// Until waits until the Rollout is as wanted, and gives it.
func (s *Story) Until(within time.Duration, what string, is func(*v1alpha1.Rollout) bool) *v1alpha1.Rollout {
	s.T.Helper()
	s.Must(s.Shop.Until(s.T.Context(), within, what, is))
	return s.Rollout()
}

// Eventually asks again and again until check is content.
func (s *Story) Eventually(within time.Duration, check func(context.Context) error) {
	s.T.Helper()
	s.Must(world.Eventually(s.T.Context(), within, check))
}

// Promoted waits until an image is stable and everything is at rest.
func (s *Story) Promoted(image string) {
	s.T.Helper()
	s.Must(s.Shop.Promoted(s.T.Context(), 2*time.Minute, image))
}

// Step waits until the canary bakes at a rung of the ladder, as "2/3", with its weight programmed.
func (s *Story) Step(image, step string) *v1alpha1.Rollout {
	s.T.Helper()
	return s.Until(time.Minute, image+" is at step "+step, func(r *v1alpha1.Rollout) bool {
		return r.Status.Step == step && r.Status.Canary != nil && r.Status.Canary.Image == image &&
			r.Status.Progress.ProgrammedSince != nil
	})
}

// Ended waits until the newest line of history is about an attempt and has an outcome, and the Rollout is at rest.
func (s *Story) Ended(image string, outcome v1alpha1.Outcome, phase v1alpha1.Phase) v1alpha1.AttemptRecord {
	s.T.Helper()
	r := s.Until(2*time.Minute, image+" ends "+string(outcome), func(r *v1alpha1.Rollout) bool {
		h := r.Status.History
		return len(h) > 0 && h[0].Image == image && h[0].Outcome == outcome && r.Status.Phase == phase
	})
	return r.Status.History[0]
}

// Rollout as it is stored.
func (s *Story) Rollout() *v1alpha1.Rollout {
	s.T.Helper()
	r, err := s.Shop.Rollout(s.T.Context())
	s.Must(err)
	return r
}

// Pods of the shop that are not going away, by name.
func (s *Story) Pods() map[string]world.Pod {
	s.T.Helper()
	pods, err := s.Shop.Pods(s.T.Context())
	s.Must(err)
	return pods
}

// PodsOf an image.
func (s *Story) PodsOf(image string) map[string]world.Pod { return world.PodsOf(s.Pods(), image) }

// Get reads one of the shop's objects, each of which is called shop.
func (s *Story) Get(into client.Object) {
	s.T.Helper()
	s.Must(s.World.Client.Get(s.T.Context(), client.ObjectKey{Namespace: s.Name, Name: "shop"}, into))
}

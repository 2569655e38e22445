package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

const deployment = world.Path + "/deployment.yaml"

// shop whose releases are measured.
type shop struct {
	*world.Shop
	// first is the Deployment's file as it was committed first.
	first  string
	serial int
	diary  diary
	pushes pushes
}

func (b *bench) open(ctx context.Context, o world.ShopOptions) (*shop, error) {
	opened, err := b.world.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &shop{Shop: opened, first: opened.Files[deployment]}
	s.pushes.follow(ctx, s.Repo)
	if !o.WithoutRollout {
		b.rollouts++
		_, err = s.Watch(ctx, &v1alpha1.RolloutList{}, s.diary.look)
	}
	return s, err
}

// ship commits a template that never was there before, so that nothing is known of its revision.
func (s *shop) ship(ctx context.Context, image string) error {
	const before = `prometheus.io/scrape: "true"`
	s.serial++
	text := strings.Replace(s.first, before, fmt.Sprintf("%s\n        serial: %q", before, s.release()), 1)
	_, err := s.Commit(ctx, fmt.Sprintf("release %d: %s", s.serial, image), map[string]string{deployment: world.WithImage(text, image)})
	return err
}

func (s *shop) release() string { return strconv.Itoa(s.serial) }

// promoted waits until an image is stable and nothing of an attempt is left, but for the canary's Service.
func (s *shop) promoted(ctx context.Context, image string) error {
	return s.Until(ctx, 3*time.Minute, image+" is promoted", func(r *v1alpha1.Rollout) bool {
		p := r.Status.Progress
		return r.Status.Phase == v1alpha1.PhaseHealthy && p.Canary == nil && p.Ending != nil &&
			p.Ending.Outcome == v1alpha1.OutcomePromoted && r.Status.Stable.Image == image && p.Attempt == int64(s.serial)
	})
}

// withdrawn waits until the release under way has failed and Git and cluster are back at what was stable.
func (s *shop) withdrawn(ctx context.Context) error {
	return s.Until(ctx, 3*time.Minute, "the release is withdrawn", func(r *v1alpha1.Rollout) bool {
		h := r.Status.History
		return r.Status.Phase == v1alpha1.PhaseHealthy && len(h) > 0 && h[0].Attempt == int64(s.serial) &&
			h[0].Outcome == v1alpha1.OutcomeFailed && h[0].Commit != ""
	})
}

// rolledOut waits until the Deployment runs the last release with all its pods and with no other, as
// `kubectl rollout status` does.
func (s *shop) rolledOut(ctx context.Context) error {
	return world.Eventually(ctx, 3*time.Minute, func(ctx context.Context) error {
		var d appsv1.Deployment
		if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, &d); err != nil {
			return err
		}
		st, want := d.Status, *d.Spec.Replicas
		if d.Spec.Template.Annotations["serial"] != s.release() || d.Spec.Paused || st.ObservedGeneration < d.Generation ||
			st.Replicas != want || st.UpdatedReplicas != want || st.AvailableReplicas != want {
			return fmt.Errorf("release %s is not rolled out: %d of %d pods are updated, %d are there", s.release(), st.UpdatedReplicas, want, st.Replicas)
		}
		return nil
	})
}

// quiet is how long a Rollout's status has to be the same before it counts as at rest: the last words of a release may
// come a second after it.
const quiet = 3 * time.Second

// atRest waits until the canary's Service is gone too, a minute after the split, and nothing more is written.
func (s *shop) atRest(ctx context.Context) error {
	var version string
	var since time.Time
	return world.Eventually(ctx, 2*time.Minute, func(ctx context.Context) error {
		var list corev1.ServiceList
		if err := s.World.Client.List(ctx, &list, client.InNamespace(s.Name), client.HasLabels{v1alpha1.LabelCanaryOf}); err != nil {
			return err
		}
		r, err := s.Rollout(ctx)
		if err != nil {
			return err
		}
		if p := r.Status.Progress; len(list.Items) > 0 || p.Retiring != nil || r.Status.Phase != v1alpha1.PhaseHealthy {
			return fmt.Errorf("%s is not at rest: %s, %d Services of canaries", s.Name, r.Status.Phase, len(list.Items))
		}
		if r.ResourceVersion != version {
			version, since = r.ResourceVersion, time.Now()
		}
		if time.Since(since) < quiet {
			return fmt.Errorf("%s was written to a moment ago: %s", s.Name, r.Status.Message)
		}
		return nil
	})
}

// together does something in every shop at once.
func together(shops []*shop, do func(*shop) error) error {
	errs := make([]error, len(shops))
	var all sync.WaitGroup
	for i, s := range shops {
		all.Go(func() {
			if err := do(s); err != nil {
				errs[i] = fmt.Errorf("%s: %w", s.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

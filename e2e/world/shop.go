package world

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/agent"
	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/load"
)

// Credentials with which Belay pushes.
const (
	gitUser     = "belay"
	gitPassword = "password-of-the-local-server"
)

// ShopOptions say what a shop is like.
type ShopOptions struct {
	// Name is the namespace, and the host name in front of .example.com.
	Name string
	// First image to be live. Empty: shop:v1.
	Image string
	// Replicas; 0: three.
	Replicas int
	// Steps of the ladder as YAML items; empty: a quick one.
	Steps string
	// Rate of requests per second; 0: 50.
	Rate float64
	// AgentInterval is the time between two applies by the agent; 0: a second. A push has it apply at once.
	AgentInterval time.Duration
	// SourceRevision lets the agent say which commit it applied.
	SourceRevision bool
	// WithoutRollout leaves the Rollout out of the first commit.
	WithoutRollout bool
	// Edit changes the first files, by path.
	Edit func(files map[string]string)
	// Unhurried leaves out the wait for the first deployment.
	Unhurried bool
	// Git server of its own, for a shop whose server has accidents; nil: the world's.
	Git *gitserver.Server
}

// Shop is one application with its repository, its agent and its users.
type Shop struct {
	World *World
	Name  string
	Repo  *gitserver.Repository
	Agent *agent.Agent
	Users *load.Client
	// Files as they were committed last, by path.
	Files map[string]string
}

// Path of the shop's files in its repository.
const Path = "apps/shop"

// Open makes a shop and waits until its first revision serves and is guarded.
func (w *World) Open(ctx context.Context, o ShopOptions) (*Shop, error) {
	o = o.withDefaults()
	s := &Shop{World: w, Name: o.Name, Files: files(o)}
	if o.Edit != nil {
		o.Edit(s.Files)
	}
	if err := w.namespace(ctx, o.Name); err != nil {
		return nil, err
	}
	server := w.Git
	if o.Git != nil {
		server = o.Git
	}
	var err error
	if s.Repo, err = server.Create(ctx, o.Name, gitUser, gitPassword); err != nil {
		return nil, err
	}
	if err := s.repository(ctx); err != nil {
		return nil, err
	}
	if _, err := s.Repo.Commit(ctx, "main", gitserver.Change{Message: "shop v1", Files: s.Files}); err != nil {
		return nil, err
	}
	s.Agent, err = agent.Start(ctx, agent.Options{
		Config: w.Cluster.Config(), Repository: s.Repo.URL(), Branch: "main", Path: Path, Namespace: o.Name,
		Interval: o.AgentInterval, Pushed: s.Repo.Pushed(), Force: true, SourceRevision: o.SourceRevision,
	})
	if err != nil || o.Unhurried {
		return s, err
	}
	if err := s.healthy(ctx, o); err != nil {
		return s, err
	}
	s.Users = s.Visit(ctx, "/", o.Rate)
	return s, nil
}

// Visit sends users to a path of the shop, so many requests per second; 0: 50.
func (s *Shop) Visit(ctx context.Context, path string, rate float64) *load.Client {
	if rate == 0 {
		rate = 50
	}
	return load.Start(ctx, load.Options{URL: "http://" + s.World.Cluster.Gateway() + path, Host: s.Host(), RatePerSecond: rate})
}

func (o ShopOptions) withDefaults() ShopOptions {
	if o.Image == "" {
		o.Image = "shop:v1"
	}
	if o.Replicas == 0 {
		o.Replicas = 3
	}
	if o.Steps == "" {
		o.Steps = "[{weight: 10, bake: 3s}, {weight: 50, bake: 3s}, {weight: 100, bake: 2s}]"
	}
	return o
}

// Host is the shop's host name at the gateway.
func (s *Shop) Host() string { return s.Name + ".example.com" }

// healthy waits until the first revision serves, and is guarded where a Rollout is there.
func (s *Shop) healthy(ctx context.Context, o ShopOptions) error {
	if err := s.serves(ctx); err != nil {
		return err
	}
	if o.WithoutRollout {
		return nil
	}
	return s.Until(ctx, time.Minute, "the Rollout is healthy and guarded", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && condition(r, v1alpha1.ConditionGuarded) && r.Status.Stable.SourceRevision != ""
	})
}

// serves waits until a request through the gateway is answered.
func (s *Shop) serves(ctx context.Context) error {
	return Eventually(ctx, time.Minute, func(ctx context.Context) error {
		probe := s.Visit(ctx, "/", 20)
		defer probe.Stop()
		tick := time.NewTimer(300 * time.Millisecond)
		defer tick.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if t := probe.Snapshot(); t.Answered == 0 || t.Failed > 0 {
			return fmt.Errorf("the gateway does not serve %s yet: %d answers, %d failed", s.Host(), t.Answered, t.Failed)
		}
		return nil
	})
}

// repository declares the shop's repository to Belay, as a platform team does.
func (s *Shop) repository(ctx context.Context) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: s.Name + "-git"},
		StringData: map[string]string{"username": gitUser, "password": gitPassword},
	}
	address, err := url.Parse(s.Repo.URL())
	if err != nil {
		return err
	}
	address.User = nil
	repo := &v1alpha1.Repository{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: s.Name},
		Spec: v1alpha1.RepositorySpec{
			URL:       address.String(),
			Access:    []v1alpha1.RepositoryAccess{{Namespaces: []string{s.Name}, Branches: []string{"main"}, Paths: []string{"apps/**"}}},
			SecretRef: &v1alpha1.SecretReference{Name: secret.Name},
			Author:    v1alpha1.GitIdentity{Name: "belay", Email: "belay@example.com"},
		},
	}
	return errors.Join(s.World.Client.Create(ctx, secret), s.World.Client.Create(ctx, repo))
}

// Rollout as it is stored.
func (s *Shop) Rollout(ctx context.Context) (*v1alpha1.Rollout, error) {
	var r v1alpha1.Rollout
	err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, &r)
	return &r, err
}

// Until waits until the Rollout is as wanted; the error says how it was instead.
func (s *Shop) Until(ctx context.Context, within time.Duration, what string, is func(*v1alpha1.Rollout) bool) error {
	return Eventually(ctx, within, func(ctx context.Context) error {
		r, err := s.Rollout(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if !is(r) {
			return fmt.Errorf("%s: phase %s, step %s, weight %s, %s", what, r.Status.Phase, r.Status.Step, r.Status.Weight, r.Status.Message)
		}
		return nil
	})
}

func condition(r *v1alpha1.Rollout, kind string) bool {
	for _, c := range r.Status.Conditions {
		if c.Type == kind {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

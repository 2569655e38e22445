package stories

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// Another team pushes first, three times. The revert is computed anew each time and lands on top, once.
func TestPushBeaten(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "beaten"})
	var pushes atomic.Int32
	s.Repo.BeforePush(func() {
		if n := pushes.Add(1); n <= 3 {
			s.others(fmt.Sprintf("notes/%d.md", n))
		}
	})
	sha := s.Ship("shop:v3")

	h := s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)

	log := s.Since(sha)
	if len(log) != 4 {
		t.Fatalf("%d commits came after the failed one, want three of others and one revert: %+v", len(log), log)
	}
	s.IsRevert(log[0], sha)
	for _, c := range log[1:] {
		if !strings.HasPrefix(c.Message, "another team writes") {
			t.Errorf("this came between: %s", c.Message)
		}
	}
	if h.Commit != log[0].SHA {
		t.Errorf("the history names %q, the revert is %s", h.Commit, log[0].SHA)
	}
	if attempted, accepted := s.Repo.Pushes(); attempted != 4 || accepted != 1 {
		t.Errorf("%d pushes, %d of them accepted, want 4 and 1", attempted, accepted)
	}
	s.GitAgrees()
	s.OnlyFailed("v3")
}

// The commit that wins the race is the fix. Nothing is written, and the fix is judged as any release.
func TestPushBeatenByTheFix(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "beaten-by-fix"})
	fix := gitserver.Change{Message: "the fix", Files: map[string]string{
		world.Path + "/deployment.yaml": world.WithImage(s.Files[world.Path+"/deployment.yaml"], "shop:v4"),
	}}
	var pushes atomic.Int32
	s.Repo.BeforePush(func() {
		if pushes.Add(1) == 1 {
			if _, err := s.Repo.Commit(context.WithoutCancel(t.Context()), "main", fix); err != nil {
				t.Error(err)
			}
		}
	})
	sha := s.Ship("shop:v3")

	r := s.Until(time.Minute, "the revert is superseded", func(r *v1alpha1.Rollout) bool {
		return r.Status.Progress.Revert != nil && r.Status.Progress.Revert.State == v1alpha1.RevertSuperseded
	})
	s.condition(r, v1alpha1.ConditionGitReverted, metav1.ConditionTrue, "Superseded")
	s.Promoted("shop:v4")

	if log := s.Since(sha); len(log) != 1 || log[0].Message != fix.Message {
		t.Errorf("after the failed commit came %+v, want the fix alone", log)
	}
	if attempted, accepted := s.Repo.Pushes(); attempted != 1 || accepted != 0 {
		t.Errorf("%d pushes, %d of them accepted, want 1 and 0", attempted, accepted)
	}
	history := s.Rollout().Status.History
	if len(history) != 2 || history[1].Outcome != v1alpha1.OutcomeFailed || history[1].Commit != "" {
		t.Errorf("the history is %+v, want a failed attempt without a commit below the promoted one", history)
	}
	s.GitAgrees()
	s.OnlyFailed("v3")
}

// The Git server is away when the release fails. Traffic goes back at once all the same, and the commit comes when the
// server is back. (People will have to wait longer than these fifteen seconds.)
func TestGitDown(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]gitserver.Outage{"refusing": gitserver.Refusing, "unavailable": gitserver.Unavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			git, err := gitserver.Start(t.Context(), gitserver.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(git.Close)
			s := open(t, shared, world.ShopOptions{Name: "git-" + name, Git: git})
			before := s.Pods()
			sha := s.Ship("shop:v3")
			s.Until(time.Minute, "the attempt knows its commit", func(r *v1alpha1.Rollout) bool {
				return r.Status.Progress.Canary != nil && r.Status.Progress.Canary.Source == sha
			})
			git.Down(how)

			s.Until(time.Minute, "traffic is back while Git is away", func(r *v1alpha1.Rollout) bool {
				c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionGitReverted)
				return r.Status.Progress.ClearedAt != nil && c.Status == metav1.ConditionFalse && c.Reason == "GitTransient"
			})
			s.Must(world.Throughout(t.Context(), 15*time.Second, func(ctx context.Context) error { return s.onStable(ctx) }))
			if served := s.Users.Last(5 * time.Second); served.Of("v3") > 0 || served.Failed > 0 {
				t.Errorf("the users get %v while Git is away", served.By)
			}
			s.NoCommit(sha)
			s.Must(git.Up())

			s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
			s.OneRevert(sha)
			s.GitAgrees()
			s.SamePods("v1", before, s.Pods())
			s.OnlyFailed("v3")
		})
	}
}

// The server refuses the push. The condition says what it said, nobody tries again, and traffic is on stable meanwhile.
// A person reverts, and all is well.
func TestPushDenied(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "denied"})
	before := s.Pods()
	s.Must(s.Repo.Refuse("main is protected, open a pull request"))
	sha := s.Ship("shop:v3")

	r := s.Until(time.Minute, "the push is denied", reverted(metav1.ConditionFalse, "PushDenied"))
	s.condition(r, v1alpha1.ConditionGitReverted, metav1.ConditionFalse, "PushDenied", `branch "main"`, "main is protected, open a pull request", "by hand")
	s.event(corev1.EventTypeWarning, "PushDenied", "main is protected, open a pull request")
	s.Must(world.Throughout(t.Context(), 10*time.Second, func(ctx context.Context) error {
		if attempted, _ := s.Repo.Pushes(); attempted != 1 {
			return fmt.Errorf("%d pushes came, want one", attempted)
		}
		return s.onStable(ctx)
	}))
	s.NoCommit(sha)
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHeld)

	s.Ship("shop:v1")
	s.healthy()
	if attempted, _ := s.Repo.Pushes(); attempted != 1 {
		t.Errorf("%d pushes came, want one", attempted)
	}
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	s.OnlyFailed("v3")
}

// The Secret of the Repository has a wrong password. The condition says which Secret to correct, and when that is done
// the revert goes through by itself.
func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "wrong-password"})
	right := s.password("not the password")
	sha := s.Ship("shop:v3")

	r := s.Until(time.Minute, "Git does not accept the credentials", reverted(metav1.ConditionFalse, "GitAuth"))
	s.condition(r, v1alpha1.ConditionGitReverted, metav1.ConditionFalse, "GitAuth", "does not accept the credentials", "Secret", "spec.secretRef")
	s.event(corev1.EventTypeWarning, "GitAuth", "does not accept the credentials")
	s.Eventually(20*time.Second, s.onStable)
	s.NoCommit(sha)

	s.password(right)
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.OneRevert(sha)
	s.GitAgrees()
	s.OnlyFailed("v3")
}

// A commit says that it must not be reverted by a machine. Traffic goes back, Git is left to people.
func TestNoAutoRevert(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "no-auto-revert"})
	before := s.Pods()
	const file = world.Path + "/deployment.yaml"
	sha := s.Commit("a new schema\n\nThe old version cannot read it.\n\nNo-Auto-Revert: true", map[string]string{file: world.WithImage(s.Files[file], "shop:v3")})

	r := s.Until(time.Minute, "the commit is left alone", reverted(metav1.ConditionFalse, "NoAutoRevert"))
	s.condition(r, v1alpha1.ConditionGitReverted, metav1.ConditionFalse, "NoAutoRevert", "No-Auto-Revert: true", "by hand")
	s.event(corev1.EventTypeWarning, "NoAutoRevert", "No-Auto-Revert: true")
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHeld)
	s.Must(s.onStable(t.Context()))
	s.NoCommit(sha)
	if attempted, _ := s.Repo.Pushes(); attempted != 0 {
		t.Errorf("%d pushes came, want none", attempted)
	}

	s.Ship("shop:v1")
	s.healthy()
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	s.OnlyFailed("v3")
}

// others commit a file that is not the shop's. It is called beside the test.
func (s *story) others(path string) {
	change := gitserver.Change{Message: "another team writes " + path, Files: map[string]string{path: "Words.\n"}}
	if _, err := s.Repo.Commit(context.WithoutCancel(s.T.Context()), "main", change); err != nil {
		s.T.Error(err)
	}
}

// reverted is for until: what the condition GitReverted says.
func reverted(status metav1.ConditionStatus, reason string) func(*v1alpha1.Rollout) bool {
	return func(r *v1alpha1.Rollout) bool {
		c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionGitReverted)
		return c != nil && c.Status == status && c.Reason == reason
	}
}

// onStable says that the route is as Git declares it, so that all of the shop's traffic goes to its stable pods.
func (s *story) onStable(ctx context.Context) error {
	route := tell.Object("gateway.networking.k8s.io/v1", "HTTPRoute")
	if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "shop"}, route); err != nil {
		return err
	}
	if share := tell.ShareIn(route); share != "0%" {
		return fmt.Errorf("the canary has %s of the traffic", share)
	}
	return nil
}

// healthy waits until the shop rests with nothing held.
func (s *story) healthy() *v1alpha1.Rollout {
	s.T.Helper()
	return s.Until(time.Minute, "healthy", func(r *v1alpha1.Rollout) bool { return r.Status.Phase == v1alpha1.PhaseHealthy })
}

// condition says how a condition is, and which texts its message has.
func (s *story) condition(r *v1alpha1.Rollout, kind string, status metav1.ConditionStatus, reason string, texts ...string) {
	s.T.Helper()
	c := meta.FindStatusCondition(r.Status.Conditions, kind)
	if c == nil || c.Status != status || c.Reason != reason || !hasAll(c.Message, texts) {
		s.T.Errorf("condition %s is %+v, want %s %s with %q", kind, c, status, reason, texts)
	}
}

// event waits for an Event about the Rollout whose note has certain texts.
func (s *story) event(kind, reason string, texts ...string) {
	s.T.Helper()
	s.Eventually(10*time.Second, func(ctx context.Context) error {
		var list corev1.EventList
		if err := s.World.Client.List(ctx, &list, client.InNamespace(s.Name)); err != nil {
			return err
		}
		var told []string
		for _, e := range list.Items {
			if e.InvolvedObject.Kind == "Rollout" && e.Type == kind && e.Reason == reason && hasAll(e.Message, texts) {
				return nil
			}
			told = append(told, e.Type+" "+e.Reason+": "+e.Message)
		}
		slices.Sort(told)
		return fmt.Errorf("no %s Event %s with %q was told, but\n%s", kind, reason, texts, strings.Join(told, "\n"))
	})
}

func hasAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// password writes another one into the Secret of the shop's Repository, as a platform team does, and gives the old one.
func (s *story) password(now string) (old string) {
	s.T.Helper()
	var secret corev1.Secret
	s.Must(s.World.Client.Get(s.T.Context(), client.ObjectKey{Namespace: world.Namespace, Name: s.Name + "-git"}, &secret))
	old = string(secret.Data["password"])
	secret.Data["password"] = []byte(now)
	s.Must(s.World.Client.Update(s.T.Context(), &secret))
	return old
}

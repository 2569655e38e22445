package stories

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/parts"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// People of a shop: vera may view, eddie edit, anna is admin. They have what the chart's roles add to the built-in ones.

// A person approves. Whoever may only look or edit is told which right it takes.
func TestPluginApproves(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "approves", Steps: "[{weight: 10, bake: 1s}, approve: {}, {weight: 100, bake: 1s}]"})
	s.people()
	s.belay("vera", "wait", "shop", "--for=healthy", "--timeout=0").is(t, 0, "healthy")
	sha := s.Ship("shop:v2")
	s.Must(s.Agent.WaitApplied(t.Context(), sha))

	s.belay("vera", "wait", "shop", "--for=paused", "--timeout=1m").is(t, 0, "step 2/3 waits for a person")
	tree := s.belay("vera", "get", "shop").is(t, 0, "Rollout approves/shop  Paused  step 2/3  weight 10%")
	for name, pod := range s.Pods() {
		if !strings.Contains(tree.out, name) {
			t.Errorf("the tree lacks the pod %s of %s:\n%s", name, pod.Image, tree.out)
		}
	}
	for _, line := range []string{"Deployment shop  3 replicas  held", "shop:v1  3/3 ready", "shop:v2  1/1 ready", "HTTPRoute shop  10%  programmed", "approve within 24h"} {
		if !strings.Contains(tree.out, line) {
			t.Errorf("the tree lacks %q:\n%s", line, tree.out)
		}
	}
	s.belay("vera", "get").is(t, 0, "Paused  2/3   10%")
	s.belay("vera", "wait", "shop", "--for=promoted", "--timeout=0").is(t, 3, "not promoted")
	s.belay("vera", "promote", "shop").is(t, 2, "needed: the verbs patch and promote on rollouts.belay.dev in namespace approves")
	s.belay("eddie", "promote", "shop").is(t, 2, "needed: the verbs patch and promote on rollouts.belay.dev in namespace approves")
	if r := s.Rollout(); r.Status.Step != "2/3" || r.Annotations[v1alpha1.AnnotationRequest] != "" {
		t.Errorf("step %s, request %q: those who may not have changed something", r.Status.Step, r.Annotations[v1alpha1.AnnotationRequest])
	}

	s.belay("anna", "promote", "shop").is(t, 0, "Accepted: promote shop")
	s.belay("vera", "wait", "shop", "--for=promoted", "--timeout=1m").is(t, 0, "promoted")
	if r := s.Rollout().Status.Request; r == nil || r.User != "anna" || r.Verb != "promote" {
		t.Errorf("the request is remembered as %+v", r)
	}
	s.Promoted("shop:v2")
	s.GitAgrees()
	s.NoRequestLost()
}

// Nothing advances while a person says so, and everything goes on afterwards.
func TestPluginPauses(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "pauses"})
	s.people()
	s.Ship("shop:v2")
	s.Step("shop:v2", "1/3")
	s.belay("vera", "pause", "shop").is(t, 2, "needed: the verbs patch and pause on rollouts.belay.dev in namespace pauses")
	s.belay("eddie", "pause", "shop").is(t, 0, "Accepted: pause shop")

	s.belay("vera", "wait", "shop", "--for=paused", "--timeout=30s").is(t, 0, "paused")
	// Three times as long as the step has to bake and settle.
	s.Must(world.Throughout(t.Context(), 12*time.Second, func(ctx context.Context) error {
		route := tell.Object("gateway.networking.k8s.io/v1", "HTTPRoute")
		s.Get(route)
		if r := s.Rollout(); r.Status.Step != "1/3" || tell.ShareIn(route) != "10%" {
			return fmt.Errorf("the paused canary is at step %s with %s", r.Status.Step, tell.ShareIn(route))
		}
		return nil
	}))
	s.belay("eddie", "resume", "shop").is(t, 0, "Accepted: resume shop")
	s.Promoted("shop:v2")
	s.NoRequestLost()
}

// A person is sure, and skips the rest of the ladder.
func TestPluginPromotesFully(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "promotes", Steps: "[{weight: 10, bake: 30m}, {weight: 50, bake: 30m}, {weight: 100, bake: 30m}]"})
	s.people()
	s.Ship("shop:v2")
	s.Step("shop:v2", "1/3")
	s.belay("eddie", "promote", "shop", "--full").is(t, 2, "needed: the verbs patch and promote on")
	s.belay("anna", "promote", "shop", "--full").is(t, 0, "Accepted: promote-full shop")
	s.Step("shop:v2", "3/3")
	full := s.PodsOf("shop:v2")
	s.Promoted("shop:v2")
	s.SamePods("v2 at 100 % and after the hand-over", full, s.Pods())
	s.NoRequestLost()
}

// A person does not like it. All traffic is back on stable, and Git follows as after a verdict.
func TestPluginAborts(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "aborts", Steps: "[{weight: 50, bake: 30m}]"})
	s.people()
	before := s.Pods()
	sha := s.Ship("shop:v2")
	s.Step("shop:v2", "1/2")
	s.belay("vera", "abort", "shop").is(t, 2, "needed: the verbs patch and abort on rollouts.belay.dev in namespace aborts")
	s.belay("eddie", "abort", "shop").is(t, 0, "Accepted: abort shop")

	s.belay("vera", "wait", "shop", "--for=aborted", "--timeout=30s").is(t, 0, "eddie aborted the attempt")
	s.Eventually(5*time.Second, s.onStable)
	s.belay("vera", "wait", "shop", "--for=reverted", "--timeout=1m").is(t, 0, "reverted")
	s.belay("vera", "wait", "shop", "--for=promoted", "--timeout=2m").is(t, 1, "eddie aborted the attempt")
	s.Ended("shop:v2", v1alpha1.OutcomeAborted, v1alpha1.PhaseHealthy)
	s.OneRevert(sha, "eddie aborted the attempt")
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	s.NoRequestLost()
}

// A failed revision is tried again by a person, fails again, and is taken out of the Deployment by a person. Git is left
// to people in this shop.
func TestPluginRetriesAndUndoes(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "undoes", Edit: func(files map[string]string) {
		const file = world.Path + "/rollout.yaml"
		files[file] = strings.Replace(files[file], "    path: apps/shop\n", "    path: apps/shop\n    mode: \"Off\"\n", 1)
	}})
	s.people()
	before := s.Pods()
	sha := s.Ship("shop:v3")
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHeld)
	s.belay("vera", "wait", "shop", "--for=held", "--timeout=0").is(t, 0, "held")
	s.belay("vera", "wait", "shop", "--for=reverted", "--timeout=0").is(t, 1, "Off")

	s.belay("vera", "retry", "shop").is(t, 2, "needed: the verbs patch and retry on rollouts.belay.dev in namespace undoes")
	s.belay("eddie", "retry", "shop").is(t, 0, "Accepted: retry shop")
	s.Until(2*time.Minute, "the second attempt fails", func(r *v1alpha1.Rollout) bool {
		h := r.Status.History
		return len(h) == 2 && h[0].Outcome == v1alpha1.OutcomeFailed && r.Status.Phase == v1alpha1.PhaseHeld
	})

	// An agent would apply the failed template again within a second.
	s.Agent.Pause()
	s.belay("vera", "undo", "shop").is(t, 2, "needed: the verb patch on deployments.apps in namespace undoes")
	s.belay("eddie", "undo", "shop", "--dry-run=server").is(t, 0, "Nothing was written")
	s.belay("eddie", "undo", "shop").is(t, 0, `image: "shop:v3" → "shop:v1"`)
	s.healthy()
	var d appsv1.Deployment
	s.Get(&d)
	if d.Spec.Paused || d.Spec.Template.Spec.Containers[0].Image != "shop:v1" {
		t.Errorf("paused is %t and the image %s, want a free v1", d.Spec.Paused, d.Spec.Template.Spec.Containers[0].Image)
	}
	s.NoCommit(sha)
	s.Ship("shop:v1")
	s.Agent.Resume()
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	s.OnlyFailed("v3")
}

// Nobody approves in time.
func TestApproveTimesOut(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "unapproved", Steps: "[{weight: 10, bake: 1s}, approve: {timeout: 5s}, {weight: 100, bake: 1s}]"})
	before := s.Pods()
	sha := s.Ship("shop:v2")
	s.Until(time.Minute, "it waits for a person", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhasePaused && r.Status.Waiting != nil && r.Status.Waiting.Until != nil
	})

	h := s.Ended("shop:v2", v1alpha1.OutcomeTimedOut, v1alpha1.PhaseHealthy)

	if h.Step != "2/3" || !strings.Contains(h.Reason, "nobody approved within 5s") {
		t.Errorf("the history says %+v", h)
	}
	s.OneRevert(sha, "nobody approved within 5s")
	s.event(corev1.EventTypeWarning, "Aborting", "nobody approved within 5s")
	s.GitAgrees()
	s.SamePods("v1", before, s.Pods())
	s.NoRequestLost()
}

// people come to the shop.
func (s *story) people() {
	s.T.Helper()
	for user, role := range map[string]string{"vera": "view", "eddie": "edit", "anna": "admin"} {
		s.Must(s.World.Client.Create(s.T.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: user},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}))
	}
	s.Eventually(10*time.Second, func(context.Context) error {
		// The API server's authorizer learns of a binding a moment later.
		if got := s.belay("vera", "get", "shop"); got.code != 0 {
			return errors.New(got.err)
		}
		return nil
	})
}

// said is what came of a command line.
type said struct {
	command  string
	code     int
	out, err string
}

// belay runs the plugin as a person of the shop.
func (s *story) belay(user string, args ...string) said {
	s.T.Helper()
	root, err := parts.Root()
	s.Must(err)
	plugin := filepath.Join(root, "bin", "kubectl-belay")
	if _, err := os.Stat(plugin); err != nil {
		s.T.Fatalf("the plugin is not built (looked for %s): run `make build`", plugin)
	}
	cmd := exec.CommandContext(s.T.Context(), plugin, append([]string{"--kubeconfig", s.World.Cluster.Kubeconfig(), "--namespace", s.Name, "--as", user}, args...)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.T.Fatal(err)
	}
	return said{command: user + ": kubectl belay " + strings.Join(args, " "), code: cmd.ProcessState.ExitCode(), out: out.String(), err: errOut.String()}
}

// is says how the command ended and what it told, on either output.
func (r said) is(t *testing.T, code int, text string) said {
	t.Helper()
	if r.code != code || !strings.Contains(r.out+r.err, text) {
		t.Errorf("%s: exit code %d, want %d with %q\noutput:\n%s\nerror output:\n%s", r.command, r.code, code, text, r.out, r.err)
	}
	return r
}

package install

import (
	"context"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/belay-dev/belay/api/v1alpha1"
)

var rollouts = v1alpha1.GroupVersion.WithResource("rollouts")

func TestPluginWithoutCRDs(t *testing.T) {
	shared.before.check(t, 2, "", "Belay's CRDs are not installed in this cluster")
}

// makeRollout stores a Rollout with a status as a controller would write it.
func makeRollout(t *testing.T, name string, status v1alpha1.RolloutStatus) {
	t.Helper()
	r := &v1alpha1.Rollout{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Rollout"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: v1alpha1.RolloutSpec{
			WorkloadRef: v1alpha1.WorkloadReference{Kind: "Deployment", Name: name},
			Services:    []v1alpha1.ServiceReference{{Name: name}},
			Routes:      []v1alpha1.RouteReference{{Kind: "HTTPRoute", Name: name}},
			Strategy:    v1alpha1.Strategy{Canary: &v1alpha1.Canary{Steps: []v1alpha1.Step{{Weight: new(int32)}}}},
		},
	}
	made, err := shared.objects.Resource(rollouts).Namespace("shop").Create(t.Context(), unstructuredOf(t, r), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := shared.objects.Resource(rollouts).Namespace("shop").Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	status.ObservedGeneration = made.GetGeneration()
	setStatus(t, name, func(s *v1alpha1.RolloutStatus) { *s = status })
}

func setStatus(t *testing.T, name string, change func(*v1alpha1.RolloutStatus)) {
	t.Helper()
	stored, err := shared.objects.Resource(rollouts).Namespace("shop").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := &v1alpha1.Rollout{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(stored.Object, r); err != nil {
		t.Fatal(err)
	}
	change(&r.Status)
	if _, err := shared.objects.Resource(rollouts).Namespace("shop").UpdateStatus(t.Context(), unstructuredOf(t, r), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func unstructuredOf(t *testing.T, o any) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}

func inFlight() v1alpha1.RolloutStatus {
	return v1alpha1.RolloutStatus{
		Phase: v1alpha1.PhaseProgressing, Step: "1/2", Weight: "5%", Message: "Bakes.",
		Stable: &v1alpha1.RevisionStatus{Revision: "aaa", Image: "web:v1"}, Canary: &v1alpha1.RevisionStatus{Revision: "bbb", Image: "web:v2"},
	}
}

func TestPluginShows(t *testing.T) {
	makeRollout(t, "shown", inFlight())
	for name, c := range map[string]struct {
		user     string
		args     []string
		code     int
		out, err string
	}{
		"table":          {user: "vera", args: []string{"get"}, out: "shown  Progressing  1/2   5%      web:v2"},
		"tree":           {user: "vera", args: []string{"get", "shown"}, out: "Rollout shop/shown  Progressing  step 1/2  weight 5%"},
		"name":           {user: "vera", args: []string{"get", "rollout/shown", "-o", "name"}, out: "rollout.belay.dev/shown\n"},
		"all namespaces": {user: "admin", args: []string{"get", "-A", "-o", "wide"}, out: "shop       shown"},
		"nothing":        {user: "admin", args: []string{"get", "-n", "empty"}, err: "No Rollouts found in namespace empty."},
		"unknown":        {user: "vera", args: []string{"get", "shwn"}, code: 2, err: `there is no Rollout "shwn" in namespace shop. There are: shown.`},
		"not mine":       {user: "vera", args: []string{"get", "-n", "empty"}, code: 2, err: "needed: the verb list on rollouts.belay.dev in namespace empty"},
		"not all mine":   {user: "vera", args: []string{"get", "-A"}, code: 2, err: "-n NAMESPACE asks for less"},
		"completion":     {user: "admin", args: []string{"__complete", "abort", ""}, out: "shown\n"},
		"version":        {user: "admin", args: []string{"version"}, out: "Belay's API:   belay.dev/v1alpha1"},
	} {
		t.Run(name, func(t *testing.T) {
			shared.belay(t.Context(), c.user, c.args...).check(t, c.code, c.out, c.err)
		})
	}
}

func TestPluginRequests(t *testing.T) {
	makeRollout(t, "asked", inFlight())
	for name, c := range map[string]struct {
		user string
		verb []string
		want string // empty: may not
		err  string
	}{
		"viewer pauses":   {user: "vera", verb: []string{"pause"}, err: "needed: the verbs patch and pause on rollouts.belay.dev in namespace shop"},
		"editor pauses":   {user: "eddie", verb: []string{"pause"}, want: "pause bbb "},
		"editor resumes":  {user: "eddie", verb: []string{"resume"}, want: "resume bbb "},
		"editor aborts":   {user: "eddie", verb: []string{"abort"}, want: "abort bbb "},
		"editor retries":  {user: "eddie", verb: []string{"retry"}, want: "retry bbb "},
		"editor promotes": {user: "eddie", verb: []string{"promote"}, err: "needed: the verbs patch and promote on rollouts.belay.dev in namespace shop"},
		"admin promotes":  {user: "anna", verb: []string{"promote"}, want: "promote bbb "},
		"admin, fully":    {user: "anna", verb: []string{"promote", "--full"}, want: "promote-full bbb "},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{c.verb[0], "asked", "--wait=false"}, c.verb[1:]...)
			got := shared.belay(t.Context(), c.user, args...)
			if c.want == "" {
				got.check(t, 2, "", c.err)
				return
			}
			got.check(t, 0, "Asked: ", "")
			stored, err := shared.objects.Resource(rollouts).Namespace("shop").Get(t.Context(), "asked", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if text := stored.GetAnnotations()[v1alpha1.AnnotationRequest]; !strings.HasPrefix(text, c.want) {
				t.Errorf("the request is %q, want %q and a token", text, c.want)
			}
			if by := stored.GetAnnotations()[v1alpha1.AnnotationRequestedBy]; by != c.user {
				t.Errorf("requested by %q, want %q", by, c.user)
			}
		})
	}
}

// The answer comes while the plugin waits.
func TestPluginWaitsForTheAnswer(t *testing.T) {
	makeRollout(t, "answered", inFlight())
	done := make(chan ran, 1)
	go func() { done <- shared.belay(t.Context(), "anna", "promote", "answered", "--timeout=1m") }()
	var asked []string
	eventually(t, "the request is written", func(ctx context.Context) (bool, error) {
		stored, err := shared.objects.Resource(rollouts).Namespace("shop").Get(ctx, "answered", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		asked = strings.Fields(stored.GetAnnotations()[v1alpha1.AnnotationRequest])
		return len(asked) == 3, nil
	})
	setStatus(t, "answered", func(s *v1alpha1.RolloutStatus) {
		s.Request = &v1alpha1.RequestStatus{Verb: asked[0], Revision: asked[1], Token: asked[2], Outcome: "Refused", Message: "no step waits"}
	})
	(<-done).check(t, 1, "", "Refused: promote answered (revision bbb): no step waits")
}

func TestPluginWaits(t *testing.T) {
	makeRollout(t, "waited", inFlight())
	shared.belay(t.Context(), "vera", "wait", "waited", "--for=promoted", "--timeout=0").check(t, 3, "", "not promoted: Progressing: Bakes.")
	done := make(chan ran, 1)
	go func() { done <- shared.belay(t.Context(), "vera", "wait", "waited", "--for=aborted", "--timeout=1m") }()
	setStatus(t, "waited", func(s *v1alpha1.RolloutStatus) {
		s.Phase, s.Message = v1alpha1.PhaseAborted, "error-rate 7.2% > 1%"
	})
	(<-done).check(t, 0, "aborted: Aborted: error-rate 7.2% > 1%", "")
}

// A held Deployment gets its stable template back from somebody who may edit.
func TestPluginUndoes(t *testing.T) {
	owner := asUser(t, ours)
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "undone", Labels: map[string]string{v1alpha1.LabelRollout: "undone"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "undone"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "undone"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web:v1"}}},
			},
		},
	}
	// Not even the controller may create Deployments, so its label comes with an update.
	made, err := shared.client.AppsV1().Deployments("shop").Create(t.Context(), d, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.client.AppsV1().Deployments("shop").Delete(context.WithoutCancel(t.Context()), "undone", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	revision := ""
	eventually(t, "the Deployment has a ReplicaSet", func(ctx context.Context) (bool, error) {
		sets, err := shared.client.AppsV1().ReplicaSets("shop").List(ctx, metav1.ListOptions{LabelSelector: "app=undone"})
		if err != nil || len(sets.Items) == 0 {
			return false, err
		}
		revision = sets.Items[0].Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		return true, nil
	})
	label := []byte(`{"metadata":{"labels":{"` + v1alpha1.LabelRollout + `":"undone"}}}`)
	if _, err := owner.AppsV1().Deployments("shop").Patch(t.Context(), "undone", "application/merge-patch+json", label, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	status := inFlight()
	status.Phase, status.Stable.Revision = v1alpha1.PhaseHealthy, revision
	makeRollout(t, "undone", status)
	shared.belay(t.Context(), "eddie", "undo", "undone").check(t, 0, "nothing to do", "")

	image := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"web:v2"}]}}}}`)
	changed, err := asUser(t, "eddie").AppsV1().Deployments("shop").Patch(t.Context(), "undone", "application/strategic-merge-patch+json", image, metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !changed.Spec.Paused {
		t.Fatalf("the change was not held: %v", changed.Annotations)
	}
	shared.belay(t.Context(), "vera", "wait", "undone", "--for=healthy", "--timeout=0").check(t, 3, "", "not healthy")
	shared.belay(t.Context(), "vera", "get", "undone").check(t, 0, "Deployment undone  0 replicas  held", "")
	shared.belay(t.Context(), "vera", "undo", "undone").check(t, 2, "", "needed: the verb patch on deployments.apps in namespace shop")
	shared.belay(t.Context(), "eddie", "undo", "undone", "--dry-run=server").check(t, 0, "The server accepts it. Nothing was written (dry run).", "")
	shared.belay(t.Context(), "eddie", "undo", "undone").check(t, 0, `spec.containers.web.image: "web:v2" → "web:v1"`, "")
	now, err := shared.client.AppsV1().Deployments("shop").Get(t.Context(), "undone", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := now.Spec.Template.Spec.Containers[0].Image; got != "web:v1" {
		t.Errorf("image %s, want web:v1", got)
	}
	if !now.Spec.Paused {
		t.Error("the hold is gone; only the controller may take it off")
	}
	if made.UID != now.UID {
		t.Error("it is another Deployment")
	}
	if len(now.Spec.Template.Labels) != 1 {
		t.Errorf("the template has the labels %v", now.Spec.Template.Labels)
	}
}

func TestPluginInterrupted(t *testing.T) {
	makeRollout(t, "watched", inFlight())
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	got := shared.belay(ctx, "vera", "get", "watched", "--watch")
	if !strings.Contains(got.out, "shop/watched  Progressing  step 1/2  5%  Bakes.\n") {
		t.Errorf("printed before the end: %q, %q", got.out, got.err)
	}
}

func asUser(t *testing.T, user string) kubernetes.Interface {
	t.Helper()
	config := shared.server.Config()
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

package command

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func template(image string, labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}},
	}
}

func replicaSet(name, hash, image string, owner metav1.OwnerReference) *appsv1.ReplicaSet {
	labels := map[string]string{"app": "checkout", "pod-template-hash": hash}
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: labels, OwnerReferences: []metav1.OwnerReference{owner}},
		Spec:       appsv1.ReplicaSetSpec{Template: template(image, labels), Selector: &metav1.LabelSelector{MatchLabels: labels}},
	}
}

func TestUndo(t *testing.T) {
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "checkout", UID: "d1", Controller: ptr.To(true)}
	foreign := owner
	foreign.UID = "another"
	shop := map[string]string{"app": "checkout"}
	git := func(r *v1alpha1.Rollout) { r.Spec.Git = &v1alpha1.Git{Path: "apps/checkout", Branch: "main"} }
	for name, c := range map[string]struct {
		change   func(*v1alpha1.Rollout)
		live     string
		set      *appsv1.ReplicaSet
		args     []string
		code     int
		out, err string
		image    string
	}{
		"written": {
			live: "web:v2", set: replicaSet("checkout-aaa", "aaa", "web:v1", owner),
			out: "Deployment checkout back to the stable revision aaa:\n  spec.containers.web.image: \"web:v2\" → \"web:v1\"\nWritten.\n", image: "web:v1",
		},
		"written, Git stays": {
			change: git, live: "web:v2", set: replicaSet("checkout-aaa", "aaa", "web:v1", owner),
			out: "Git still declares the other template (apps/checkout, branch main)", image: "web:v1",
		},
		"shown only": {
			live: "web:v2", set: replicaSet("checkout-aaa", "aaa", "web:v1", owner), args: []string{"--dry-run=client"},
			out: "Nothing was written (dry run).", image: "web:v2",
		},
		"nothing to do": {
			live: "web:v1", set: replicaSet("checkout-aaa", "aaa", "web:v1", owner),
			out: "already; nothing to do", image: "web:v1",
		},
		"no stable yet": {
			change: func(r *v1alpha1.Rollout) { r.Status.Stable = nil }, live: "web:v2",
			set: replicaSet("checkout-aaa", "aaa", "web:v1", owner), code: 2, err: "knows no stable revision yet", image: "web:v2",
		},
		"set is gone": {
			live: "web:v2", set: replicaSet("checkout-ccc", "ccc", "web:v0", owner), code: 2, err: "the ReplicaSet of the stable revision aaa of Deployment checkout is gone", image: "web:v2",
		},
		"set of another": {
			live: "web:v2", set: replicaSet("checkout-aaa", "aaa", "web:v1", foreign), code: 2, err: "is gone", image: "web:v2",
		},
		"unknown dry run": {
			live: "web:v2", set: replicaSet("checkout-aaa", "aaa", "web:v1", owner), args: []string{"--dry-run=maybe"}, code: 2, err: "say none, client or server", image: "web:v2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rollout("checkout")
			if c.change != nil {
				c.change(r)
			}
			d := deployment(true)
			d.Spec.Template = template(c.live, shop)
			cl := &cluster{objects: []client.Object{r, d, c.set}}
			run(t, cl, append([]string{"undo", "checkout"}, c.args...)...).check(t, c.code, c.out, c.err)
			got := &appsv1.Deployment{}
			if err := cl.made.Get(t.Context(), client.ObjectKeyFromObject(d), got); err != nil {
				t.Fatal(err)
			}
			if image := got.Spec.Template.Spec.Containers[0].Image; image != c.image {
				t.Errorf("image %s, want %s", image, c.image)
			}
			if hash := got.Spec.Template.Labels["pod-template-hash"]; hash != "" {
				t.Errorf("the template carries the hash %s: it would be another revision", hash)
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	one, two := map[string]any{"name": "one"}, map[string]any{"name": "two"}
	from := map[string]any{"a": int64(1), "list": []any{"x"}, "named": []any{map[string]any{"name": "one", "v": int64(1)}}, "ordered": []any{one, two}}
	to := map[string]any{"b": "new", "list": []any{"y"}, "named": []any{two, map[string]any{"name": "one", "v": int64(2)}}, "ordered": []any{two, one}}
	want := []string{"a: 1 → nothing", `b: nothing → "new"`, `list: ["x"] → ["y"]`, "named.one.v: 1 → 2", `named.two: nothing → {"name":"two"}`,
		`ordered: order ["one","two"] → ["two","one"]`}
	got := differences("", from, to)
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %s, want %s", got[i], want[i])
		}
	}
}

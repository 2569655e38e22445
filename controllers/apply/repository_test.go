package apply

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
)

func platform(change func(*v1alpha1.Repository)) *v1alpha1.Repository {
	r := &v1alpha1.Repository{
		ObjectMeta: metav1.ObjectMeta{Namespace: "belay-system", Name: "platform", UID: "u", Generation: 1},
		Spec: v1alpha1.RepositorySpec{
			URL:    "https://git.example.com/apps.git",
			Access: []v1alpha1.RepositoryAccess{{Namespaces: []string{"shop"}, Branches: []string{"main"}, Paths: []string{"apps/**"}}},
		},
	}
	change(r)
	return r
}

// ordered is the order that an effect puts on the desk for a Rollout whose Repository was observed as given.
func ordered(a *Applier, observed *v1alpha1.Repository, git v1alpha1.Git) gitwork.Order {
	var out gitwork.Order
	a.Git = func(_ types.NamespacedName, o gitwork.Order) { out = o }
	s := &observe.Scene{Rollout: &v1alpha1.Rollout{}, Repository: observed, Observed: plan.Observed{Namespace: "shop"}}
	s.Rollout.Spec.Git = &git
	a.git(s, plan.ReadTip{For: "stable/1"})
	return out
}

var checkout = v1alpha1.Git{Repository: "platform", Branch: "main", Path: "apps/checkout"}

// An order stands for as long as a server is away. What the platform team changes meanwhile holds at the next call.
func TestRepositoryIsReadAtEveryCall(t *testing.T) {
	unchanged := func(*v1alpha1.Repository) {}
	secret := func(r *v1alpha1.Repository) { r.Spec.SecretRef = &v1alpha1.SecretReference{Name: "git"} }
	for name, tc := range map[string]struct {
		since func(*v1alpha1.Repository) // nil: the Repository was deleted
		url   string
		class gitops.Class
		text  string
	}{
		"nothing changed": {unchanged, "https://git.example.com/apps.git", "", ""},
		"it moved":        {func(r *v1alpha1.Repository) { r.Spec.URL = "https://new.example.com/apps.git" }, "https://new.example.com/apps.git", "", ""},
		"it was deleted": {nil, "", gitops.ClassNotFound,
			`spec.git.repository: there is no Repository "platform" in namespace belay-system: correct the name, or ask the platform team for it`},
		"access was taken away": {func(r *v1alpha1.Repository) { r.Spec.Access[0].Namespaces = []string{"cart"} }, "", gitops.ClassNotFound,
			`Repository platform gives namespace shop no access to path "apps/checkout" on branch "main": its spec.access must list them`},
		"it was switched off": {func(r *v1alpha1.Repository) { r.Spec.Mode = v1alpha1.GitModeOff }, "", gitops.ClassNotFound, "spec.mode of Repository platform is Off"},
		"its Secret is gone": {secret, "", gitops.ClassAuth,
			`spec.secretRef.name of Repository platform names Secret "git", which does not exist in the controller's namespace`},
	} {
		t.Run(name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			builder := fake.NewClientBuilder().WithScheme(scheme)
			if tc.since != nil {
				builder = builder.WithObjects(platform(tc.since))
			}
			a := &Applier{Client: builder.Build(), Namespace: "belay-system", Secret: func(_ context.Context, name string) (*corev1.Secret, error) {
				return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
			}}

			got, err := ordered(a, platform(unchanged), checkout).Repository(t.Context())

			var failed *gitops.Error
			if errors.As(err, &failed) != (tc.class != "") || (failed != nil && (failed.Class != tc.class || failed.Text != tc.text)) {
				t.Errorf("the error is %+v, want %s %q", err, tc.class, tc.text)
			}
			if err == nil && got.URL != tc.url {
				t.Errorf("reaches %s, want %s", got.URL, tc.url)
			}
		})
	}
}

// An order to an edited Repository is another one.
func TestOrderNamesItsRepository(t *testing.T) {
	a := &Applier{}
	first := ordered(a, platform(func(*v1alpha1.Repository) {}), checkout)
	edited := ordered(a, platform(func(r *v1alpha1.Repository) { r.Generation = 2 }), checkout)
	made := ordered(a, platform(func(r *v1alpha1.Repository) { r.UID = "v" }), checkout)
	if first.From == edited.From || first.From == made.From {
		t.Errorf("orders come from %s, %s and %s", first.From, edited.From, made.From)
	}
	if first.Source.Branch != "main" || first.Source.Paths[0] != "apps/checkout" {
		t.Errorf("the order is about %+v", first.Source)
	}
}

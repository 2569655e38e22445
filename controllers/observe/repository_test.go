package observe

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

func TestAllowed(t *testing.T) {
	entry := func(namespaces, branches, paths string) v1alpha1.RepositoryAccess {
		list := func(s string) []string { return strings.Split(s, " ") }
		return v1alpha1.RepositoryAccess{Namespaces: list(namespaces), Branches: list(branches), Paths: list(paths)}
	}
	tests := map[string]struct {
		access                []v1alpha1.RepositoryAccess
		namespace, branch, in string
		want                  bool
	}{
		"everything below":          {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**")}, "shop", "main", "apps/checkout/prod", true},
		"the directory itself":      {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**")}, "shop", "main", "apps", true},
		"a sibling":                 {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**")}, "shop", "main", "apps2/checkout", false},
		"one element":               {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/*/prod")}, "shop", "main", "apps/checkout/prod", true},
		"not two":                   {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/*/prod")}, "shop", "main", "apps/a/b/prod", false},
		"part of one":               {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/check*")}, "shop", "main", "apps/checkout", true},
		"any number in the middle":  {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**/prod")}, "shop", "main", "apps/a/b/prod", true},
		"none in the middle":        {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**/prod")}, "shop", "main", "apps/prod", true},
		"exactly":                   {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/checkout")}, "shop", "main", "apps/checkout", true},
		"not below":                 {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/checkout")}, "shop", "main", "apps/checkout/prod", false},
		"not above":                 {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/checkout")}, "shop", "main", "apps", false},
		"written untidily":          {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**")}, "shop", "main", "apps//checkout/", true},
		"climbing out":              {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/**")}, "shop", "main", "apps/../infra", false},
		"climbing above the root":   {[]v1alpha1.RepositoryAccess{entry("shop", "main", "*")}, "shop", "main", "../infra", false},
		"another namespace":         {[]v1alpha1.RepositoryAccess{entry("shop", "main", "**")}, "cart", "main", "apps", false},
		"another branch":            {[]v1alpha1.RepositoryAccess{entry("shop", "main", "**")}, "shop", "production", "apps", false},
		"second entry":              {[]v1alpha1.RepositoryAccess{entry("cart", "main", "**"), entry("shop", "main release", "infra apps/**")}, "shop", "release", "apps/x", true},
		"entries do not add up":     {[]v1alpha1.RepositoryAccess{entry("cart", "main", "apps/**"), entry("shop", "main", "infra/**")}, "shop", "main", "apps/x", false},
		"a glob that cannot be one": {[]v1alpha1.RepositoryAccess{entry("shop", "main", "apps/[")}, "shop", "main", "apps/[", false},
		"nothing":                   {nil, "shop", "main", "apps", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			repo := &v1alpha1.Repository{Spec: v1alpha1.RepositorySpec{Access: tc.access}}
			if got := allowed(repo, tc.namespace, tc.branch, tc.in); got != tc.want {
				t.Errorf("allowed: %t", got)
			}
		})
	}
}

func TestRepository(t *testing.T) {
	repo := func(mode v1alpha1.GitMode) *v1alpha1.Repository {
		return &v1alpha1.Repository{
			ObjectMeta: metav1.ObjectMeta{Namespace: "belay-system", Name: "platform"},
			Spec: v1alpha1.RepositorySpec{Mode: mode, Access: []v1alpha1.RepositoryAccess{
				{Namespaces: []string{"shop"}, Branches: []string{"main"}, Paths: []string{"apps/**"}},
			}},
		}
	}
	elsewhere := repo(v1alpha1.GitModePush)
	elsewhere.Namespace = "shop"
	git := func(path string, mode v1alpha1.GitMode) *v1alpha1.Git {
		return &v1alpha1.Git{Repository: "platform", Branch: "main", Path: path, Mode: mode}
	}
	tests := map[string]struct {
		git     *v1alpha1.Git
		repo    *v1alpha1.Repository
		problem string
		off     string
	}{
		"not asked for":           {nil, nil, "", ""},
		"given":                   {git("apps/checkout", ""), repo(""), "", ""},
		"missing":                 {git("apps/checkout", ""), nil, "RepositoryMissing", ""},
		"in the user's namespace": {git("apps/checkout", ""), elsewhere, "RepositoryMissing", ""},
		"no access":               {git("infra", ""), repo(""), "RepositoryAccessDenied", ""},
		"off by the Rollout":      {git("apps/checkout", v1alpha1.GitModeOff), repo(""), "", "spec.git.mode is Off"},
		"off by the Repository":   {git("apps/checkout", v1alpha1.GitModePush), repo(v1alpha1.GitModeOff), "", "spec.mode of Repository platform is Off"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			if tc.repo != nil {
				objects = append(objects, tc.repo)
			}
			o := &Observer{Reader: reader(t, objects...), Namespace: "belay-system", Git: func(key types.NamespacedName) plan.Git {
				return plan.Git{Tip: &plan.Tip{For: key.String()}}
			}}
			s := sceneOf(v1alpha1.StageResting, "")
			s.Rollout.Spec.Git = tc.git
			must(t, o.repository(t.Context(), s))
			if s.Git.Tip == nil || s.Git.Tip.For != "shop/web" {
				t.Errorf("what the desk knows is lost: %+v", s.Git)
			}
			reason := ""
			if s.Git.Problem != nil {
				reason = s.Git.Problem.Reason
			}
			if s.Git.Configured != (tc.git != nil) || reason != tc.problem || !strings.HasPrefix(s.Git.Off, tc.off) || (tc.off == "") != (s.Git.Off == "") {
				t.Errorf("git is %+v, problem %+v", s.Git, s.Git.Problem)
			}
			if found := s.Repository != nil; found != (tc.git != nil && reason != "RepositoryMissing") {
				t.Errorf("Repository %v", s.Repository)
			}
		})
	}
}

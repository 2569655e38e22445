package observe

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

// repository reads the Repository that spec.git names and what it allows.
func (o *Observer) repository(ctx context.Context, s *Scene) error {
	s.Git = o.Git(types.NamespacedName{Namespace: s.Namespace, Name: s.Name})
	git := s.Rollout.Spec.Git
	if git == nil {
		return nil
	}
	s.Git.Configured, s.Git.MaxAge = true, s.MaxAge()
	repo, problem, err := Repository(ctx, o.Reader, o.Namespace, s.Namespace, git)
	if err != nil {
		return err
	}
	s.Repository, s.Git.Problem = repo, problem
	switch {
	case problem != nil:
	case git.Mode == v1alpha1.GitModeOff:
		s.Git.Off = "spec.git.mode is Off: the failed revision stays in Git until a person takes it out"
	case repo.Spec.Mode == v1alpha1.GitModeOff:
		s.Git.Off = fmt.Sprintf("spec.mode of Repository %s is Off: the failed revision stays in Git until a person takes it out", repo.Name)
	}
	return nil
}

// Repository reads the Repository of a Rollout's spec.git in the controller's namespace, and says what keeps a namespace
// from using it; no problem: nothing. It is nil where there is none.
func Repository(ctx context.Context, r client.Reader, controller, namespace string, git *v1alpha1.Git) (*v1alpha1.Repository, *plan.Problem, error) {
	repo := &v1alpha1.Repository{}
	err := r.Get(ctx, client.ObjectKey{Namespace: controller, Name: git.Repository}, repo)
	switch {
	case apierrors.IsNotFound(err):
		return nil, &plan.Problem{Reason: "RepositoryMissing", Message: fmt.Sprintf(
			"spec.git.repository: there is no Repository %q in namespace %s: correct the name, or ask the platform team for it", git.Repository, controller)}, nil
	case err != nil:
		return nil, nil, fmt.Errorf("reading Repository %s: %w", git.Repository, err)
	case !allowed(repo, namespace, git.Branch, git.Path):
		return repo, &plan.Problem{Reason: "RepositoryAccessDenied", Message: fmt.Sprintf(
			"Repository %s gives namespace %s no access to path %q on branch %q: its spec.access must list them", repo.Name, namespace, git.Path, git.Branch)}, nil
	}
	return repo, nil, nil
}

// allowed says whether an entry of the Repository's access covers all three.
func allowed(repo *v1alpha1.Repository, namespace, branch, dir string) bool {
	for _, a := range repo.Spec.Access {
		covers := func(glob string) bool { return matches(strings.Split(glob, "/"), strings.Split(path.Clean(dir), "/")) }
		if slices.Contains(a.Namespaces, namespace) && slices.Contains(a.Branches, branch) && slices.ContainsFunc(a.Paths, covers) {
			return true
		}
	}
	return false
}

// matches holds a path against a glob, element by element: ** stands for any number of elements, * within one. Where it does
// not fit, only the last ** takes one element more: what the ones before it took, the last one could take as well.
func matches(glob, elements []string) bool {
	g, e, last, taken := 0, 0, -1, 0
	for e < len(elements) {
		switch {
		case g < len(glob) && glob[g] == "**":
			last, taken, g = g, e, g+1
		case g < len(glob) && fits(glob[g], elements[e]):
			g, e = g+1, e+1
		case last >= 0:
			taken++
			g, e = last+1, taken
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == "**" {
		g++
	}
	return g == len(glob)
}

func fits(glob, element string) bool {
	ok, err := path.Match(glob, element)
	return err == nil && ok
}

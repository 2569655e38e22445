package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
)

// asked is what was tried, for errors that say what to do.
type asked struct {
	c               client.Reader
	verb, resource  string
	namespace, name string // empty: all namespaces, all names
}

func (a asked) rollout(verb string) asked {
	a.verb, a.resource = verb, "rollouts.belay.dev"
	return a
}

// explain turns an error of the API server into one that names the way out.
func (a asked) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err) && missingKind(err):
		return errors.New("the server knows no Rollouts: Belay's CRDs are not installed in this cluster, or this is not the cluster you mean (--context)")
	case apierrors.IsNotFound(err) && a.resource == "rollouts.belay.dev":
		return fmt.Errorf("there is no Rollout %q in namespace %s. %s", a.name, a.namespace, knownNames(ctx, a.c, a.namespace))
	case apierrors.IsForbidden(err):
		where := "in namespace " + a.namespace
		if a.namespace == "" {
			where = "in all namespaces; -n NAMESPACE asks for less"
		}
		return fmt.Errorf("%w\nneeded: the verb %s on %s %s", err, a.verb, a.resource, where)
	default:
		return err
	}
}

// missingKind tells a path that the server does not know from an object that is not there.
func missingKind(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details == nil || details.Name == "" || details.Kind == ""
}

// knownNames is a sentence about what there is.
func knownNames(ctx context.Context, c client.Reader, namespace string) string {
	names, err := gather.Names(ctx, c, namespace)
	switch {
	case err != nil:
		return ""
	case len(names) == 0:
		return fmt.Sprintf("There is none in namespace %s; kubectl belay get -A shows where there are some.", namespace)
	}
	slices.Sort(names)
	const most = 20
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	return fmt.Sprintf("There are: %s%s.", strings.Join(names, ", "), more)
}

// rolloutName accepts NAME, rollout/NAME and blro/NAME, as kubectl does.
func rolloutName(arg string) (string, error) {
	name := arg
	if kind, rest, slash := strings.Cut(arg, "/"); slash {
		if name = rest; !slices.Contains([]string{"rollout", "rollouts", "blro", "rollout.belay.dev", "rollouts.belay.dev"}, strings.ToLower(kind)) {
			name = ""
		}
	}
	if name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q is not a Rollout: say NAME, rollout/NAME or blro/NAME", arg)
	}
	return name, nil
}

package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
	"github.com/belay-dev/belay/cmd/kubectl-belay/view"
)

const waitHelp = `Wait until a release is where you want it.

  healthy    at rest: no attempt runs, nothing is held, stable serves
  promoted   the attempt in flight (or, at rest, the last one) ended with the canary as the new stable
  aborted    the attempt ended with all requests back on stable: it failed, a person aborted it, or nobody approved
  paused     the attempt waits for a person
  reverted   the failed revision was taken out of Git
  held       the attempt failed and the Deployment holds its template

A new template that was applied before this command counts as in flight, even before the controller has seen it.

Exit codes: 0 reached, 1 the attempt ended otherwise, 2 could not be asked (usage, rights, connection), 3 out of time.`

const waitExamples = `  # in a pipeline, after the push has been applied
  kubectl belay wait checkout --for=promoted --timeout=30m

  # tell a failed release from a slow one
  kubectl belay wait checkout --for=promoted --timeout=30m; case $? in 1) echo failed;; 3) echo slow;; esac

  # only ask: is it at rest?
  kubectl belay wait checkout --for=healthy --timeout=0`

type waitFlags struct {
	goal    string
	timeout time.Duration
}

func waitCommand(s *session) *cobra.Command {
	var f waitFlags
	cmd := &cobra.Command{
		Use:               "wait NAME --for=" + strings.Join(goals(), "|"),
		Short:             "Wait until a release is where you want it",
		Long:              waitHelp,
		Example:           waitExamples,
		Args:              s.oneName,
		ValidArgsFunction: s.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(goals(), f.goal) {
				return fmt.Errorf("--for=%s is unknown: say one of %s", f.goal, strings.Join(goals(), ", "))
			}
			name, err := rolloutName(args[0])
			if err != nil {
				return err
			}
			c, namespace, err := s.connect()
			if err != nil {
				return err
			}
			w := waiter{env: s.env, c: c, key: client.ObjectKey{Namespace: namespace, Name: name}, flags: f}
			return w.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&f.goal, "for", "healthy", "What to wait for: "+strings.Join(goals(), ", "))
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Minute, "How long; 0 asks once, a negative time waits for ever")
	if err := cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(goals(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag stands above
	}
	return cmd
}

type waiter struct {
	env   Environment
	c     client.WithWatch
	key   client.ObjectKey
	flags waitFlags
}

// seen is a Rollout together with whether its workload is held.
type seen struct {
	rollout *v1alpha1.Rollout
	held    bool
}

func (w waiter) run(ctx context.Context) error {
	waiting := ctx
	if w.flags.timeout > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, w.flags.timeout)
		defer cancel()
	}
	watched := gather.Around(waiting, w.c, w.key.Namespace, w.key.Name)
	var last *v1alpha1.Rollout
	err := gather.Follow(waiting, w.c, watched, w.read, func(now seen, err error) (bool, error) {
		if err != nil {
			return false, w.trouble(ctx, err, last != nil)
		}
		for _, text := range view.Changes(last, now.rollout, w.env.Now()) {
			fmt.Fprintln(w.env.Streams.ErrOut, text)
		}
		last = now.rollout
		return w.look(now)
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		text := "no answer from the server"
		if last != nil {
			_, text = judge(w.flags.goal, last, false)
		}
		return timedOut(fmt.Sprintf("not %s within %s: %s", w.flags.goal, w.flags.timeout, text))
	}
	return err
}

// trouble ends the waiting for what does not pass by itself; a server that is away for a moment does.
func (w waiter) trouble(ctx context.Context, err error, known bool) error {
	switch {
	case known && apierrors.IsNotFound(err):
		return otherwise(fmt.Sprintf("Rollout %s was deleted", w.key.Name))
	case !known || apierrors.IsForbidden(err):
		return asked{c: w.c, namespace: w.key.Namespace, name: w.key.Name}.rollout("get").explain(ctx, err)
	default:
		return nil
	}
}

// look says whether the waiting is over, and how.
func (w waiter) look(now seen) (done bool, err error) {
	result, text := judge(w.flags.goal, now.rollout, now.held)
	switch {
	case result == reached:
		_, err := fmt.Fprintf(w.env.out(), "%s: %s\n", w.flags.goal, text)
		return true, err
	case result == endedOtherwise:
		return false, otherwise(text)
	case w.flags.timeout == 0:
		return false, timedOut("not " + w.flags.goal + ": " + text)
	default:
		return false, nil
	}
}

// read also looks at the workload: the hold is there in the instant in which a new template is written, the controller's
// status is not. Without the right to read it, the status alone has to do.
func (w waiter) read(ctx context.Context) (seen, error) {
	r := &v1alpha1.Rollout{}
	if err := w.c.Get(ctx, w.key, r); err != nil {
		return seen{}, err
	}
	d := &appsv1.Deployment{}
	err := w.c.Get(ctx, client.ObjectKey{Namespace: w.key.Namespace, Name: r.Spec.WorkloadRef.Name}, d)
	return seen{rollout: r, held: err == nil && gather.Held(d)}, nil
}

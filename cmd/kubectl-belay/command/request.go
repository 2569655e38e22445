package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
)

// fieldOwner is the plugin's name in managedFields.
const fieldOwner = client.FieldOwner("kubectl-belay")

// verb is a request that people can make.
type verb struct {
	name, right, short, long, examples string
	full                               bool // has --full
}

func verbs() []verb {
	return []verb{
		{
			name: "promote", right: "promote", full: true,
			short: "Let the canary go on past an approval, a pause for lack of evidence, or to the end",
			long: `Let the canary go on: past a step that waits for a person, or past a pause because nothing could be concluded.
With --full the rest of the ladder is skipped; the canary still gets all its pods before it gets all requests.`,
			examples: `  # approve the step that waits
  kubectl belay promote checkout

  # all requests to the canary, without the steps that are left
  kubectl belay promote checkout --full`,
		},
		{
			name: "abort", right: "abort",
			short: "Send all requests back to stable and end the attempt",
			long: `Send all requests back to stable at once and end the attempt. The Deployment stays held with the new template in its
spec; no stable pod restarts. A release that a person aborted is taken out of Git like one that failed, where the Rollout says so.`,
			examples: `  kubectl belay abort checkout`,
		},
		{
			name: "pause", right: "pause",
			short:    "Keep the attempt at its weight; it is still measured and may still be aborted",
			long:     `Keep the attempt where it is. It is measured further and a bad verdict still aborts it; it does not go on by itself.`,
			examples: `  kubectl belay pause checkout`,
		},
		{
			name: "resume", right: "pause",
			short:    "Let a paused attempt go on",
			long:     `Let an attempt go on that a person paused.`,
			examples: `  kubectl belay resume checkout`,
		},
		{
			name: "retry", right: "retry",
			short: "Try a revision again that failed",
			long: `Start a new attempt with the revision that the Deployment holds after a failed one, from the first step. A revision that
failed is not tried again by itself, not even when it is pushed again.`,
			examples: `  kubectl belay retry checkout`,
		},
	}
}

type requestFlags struct {
	full, wait bool
	timeout    time.Duration
}

func requestCommand(s *session, v verb) *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   v.name + " NAME",
		Short: v.short,
		Long: v.long + fmt.Sprintf(`

The request is bound to the revision that is the canary now: if another one takes its place in the meantime, nothing
happens. You need the verb %q on rollouts.belay.dev, and patch to write the request.

Exit codes: 0 accepted (or written, with --wait=false), 1 refused, 2 not possible, 3 no answer in time.`, v.right),
		Example:           v.examples,
		Args:              s.oneName,
		ValidArgsFunction: s.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := rolloutName(args[0])
			if err != nil {
				return err
			}
			c, namespace, err := s.connect()
			if err != nil {
				return err
			}
			r := requester{env: s.env, c: c, key: client.ObjectKey{Namespace: namespace, Name: name}, verb: v, flags: f}
			return r.run(cmd.Context())
		},
	}
	if v.full {
		cmd.Flags().BoolVar(&f.full, "full", false, "Skip the rest of the ladder")
	}
	cmd.Flags().BoolVar(&f.wait, "wait", true, "Wait for the controller's answer")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 30*time.Second, "How long to try to write the request, and then to wait for the answer")
	return cmd
}

type requester struct {
	env   Environment
	c     client.WithWatch
	key   client.ObjectKey
	verb  verb
	flags requestFlags
}

func (r requester) run(ctx context.Context) error {
	revision, token, err := r.write(ctx)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s %s", r.written(), r.key.Name)
	if revision != "-" {
		what += " (revision " + revision + ")"
	}
	if !r.flags.wait {
		_, err := fmt.Fprintf(r.env.out(), "Asked: %s\n", what)
		return err
	}
	answer, err := r.answer(ctx, token)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s: %s", answer.Outcome, what)
	if answer.Message != "" {
		text += ": " + answer.Message
	}
	if answer.Outcome != "Accepted" {
		return otherwise(text)
	}
	_, err = fmt.Fprintln(r.env.out(), text)
	return err
}

// written is the verb as it stands in the annotation.
func (r requester) written() string {
	if r.flags.full {
		return r.verb.name + "-full"
	}
	return r.verb.name
}

// retryAfter is how long an API server is left alone that said it is not available.
const retryAfter = time.Second

// write puts the request on the Rollout. The controller writes status often, so a conflict is no reason to give up; another
// canary than the one at the start is. A server that was told of the CRDs only seconds ago cannot apply the policies to
// Rollouts yet and says that it is unavailable: that passes.
func (r requester) write(ctx context.Context) (revision, token string, err error) {
	waiting, cancel := context.WithTimeout(ctx, r.flags.timeout)
	defer cancel()
	token = r.env.Token()
	for first := true; ; first = false {
		rollout := &v1alpha1.Rollout{}
		if err := r.c.Get(ctx, r.key, rollout); err != nil {
			return "", "", r.asked("get").explain(ctx, err)
		}
		now := canaryRevision(rollout)
		if first {
			revision = now
			r.mention(rollout)
		} else if now != revision {
			return "", "", otherwise(fmt.Sprintf("the canary of %s changed from %s to %s while the request was written; nothing was asked: look and ask again",
				r.key.Name, revision, now))
		}
		err = r.c.Patch(ctx, rollout, client.RawPatch(types.MergePatchType, r.patch(rollout, revision, token)), fieldOwner)
		switch {
		case err == nil:
			return revision, token, nil
		case apierrors.IsConflict(err) && waiting.Err() == nil:
		case apierrors.IsServiceUnavailable(err) && gather.Pause(waiting, retryAfter):
		case ctx.Err() != nil:
			return "", "", ctx.Err()
		case waiting.Err() != nil:
			return "", "", timedOut(fmt.Sprintf("the request could not be written within %s: %v", r.flags.timeout, err))
		default:
			return "", "", r.refusal(ctx, err)
		}
	}
}

func canaryRevision(rollout *v1alpha1.Rollout) string {
	if c := rollout.Status.Canary; c != nil && c.Revision != "" {
		return c.Revision
	}
	return "-"
}

func (r requester) patch(rollout *v1alpha1.Rollout, revision, token string) []byte {
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": rollout.ResourceVersion,
		"annotations":     map[string]string{v1alpha1.AnnotationRequest: strings.Join([]string{r.written(), revision, token}, " ")},
	}})
	if err != nil {
		panic(err) // maps of strings
	}
	return text
}

// mention says that somebody else's request is lost.
func (r requester) mention(rollout *v1alpha1.Rollout) {
	pending := strings.Fields(rollout.Annotations[v1alpha1.AnnotationRequest])
	if len(pending) != 3 || (rollout.Status.Request != nil && rollout.Status.Request.Token == pending[2]) {
		return
	}
	fmt.Fprintf(r.env.Streams.ErrOut, "this takes the place of a request that was not answered: %s by %s\n",
		pending[0], rollout.Annotations[v1alpha1.AnnotationRequestedBy])
}

func (r requester) refusal(ctx context.Context, err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
		return fmt.Errorf("%w\nneeded: the verbs patch and %s on rollouts.belay.dev in namespace %s", err, r.verb.right, r.key.Namespace)
	}
	return r.asked("patch").explain(ctx, err)
}

func (r requester) asked(verb string) asked {
	return asked{c: r.c, namespace: r.key.Namespace, name: r.key.Name}.rollout(verb)
}

// answer waits until the status speaks of our token.
func (r requester) answer(ctx context.Context, token string) (*v1alpha1.RequestStatus, error) {
	waiting, cancel := context.WithTimeout(ctx, r.flags.timeout)
	defer cancel()
	read := func(ctx context.Context) (*v1alpha1.Rollout, error) {
		rollout := &v1alpha1.Rollout{}
		return rollout, r.c.Get(ctx, r.key, rollout)
	}
	var answer *v1alpha1.RequestStatus
	err := gather.Follow(waiting, r.c, watchOnly(r.key), read, func(rollout *v1alpha1.Rollout, err error) (bool, error) {
		switch {
		case apierrors.IsNotFound(err):
			return false, otherwise(fmt.Sprintf("Rollout %s was deleted", r.key.Name))
		case err != nil:
			return false, nil
		}
		if s := rollout.Status.Request; s != nil && s.Token == token {
			answer = s
			return true, nil
		}
		if now := strings.Fields(rollout.Annotations[v1alpha1.AnnotationRequest]); len(now) == 3 && now[2] != token {
			return false, otherwise(fmt.Sprintf("another request took the place of this one: %s by %s",
				now[0], rollout.Annotations[v1alpha1.AnnotationRequestedBy]))
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, timedOut(fmt.Sprintf("the controller has not answered within %s. The request stays and is answered when the controller is back: kubectl belay get %s",
			r.flags.timeout, r.key.Name))
	}
	return answer, err
}

func watchOnly(key client.ObjectKey) []gather.Watched {
	return []gather.Watched{gather.Rollouts(client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name})}
}

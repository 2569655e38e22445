package command

import (
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestRequestIsWrittenAndAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		args    []string
		canary  bool
		written string
	}{
		"promote":            {[]string{"promote", "checkout"}, true, "promote bbb token-1"},
		"promote to the end": {[]string{"promote", "checkout", "--full"}, true, "promote-full bbb token-1"},
		"abort":              {[]string{"abort", "rollout/checkout"}, true, "abort bbb token-1"},
		"pause":              {[]string{"pause", "blro/checkout"}, true, "pause bbb token-1"},
		"resume":             {[]string{"resume", "checkout"}, true, "resume bbb token-1"},
		"retry":              {[]string{"retry", "checkout"}, true, "retry bbb token-1"},
		"nothing in flight":  {[]string{"retry", "checkout"}, false, "retry - token-1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rollout("checkout", func(r *v1alpha1.Rollout) {
				if !c.canary {
					r.Status.Canary = nil
				}
			})
			cl := &cluster{objects: []client.Object{r}, funcs: answering("Accepted", "goes to step 2")}
			run(t, cl, c.args...).check(t, 0, "Accepted: ", "")
			got := &v1alpha1.Rollout{}
			if err := cl.made.Get(t.Context(), client.ObjectKeyFromObject(r), got); err != nil {
				t.Fatal(err)
			}
			if text := got.Annotations[v1alpha1.AnnotationRequest]; text != c.written {
				t.Errorf("written %q, want %q", text, c.written)
			}
		})
	}
}

func TestRequestOutcomes(t *testing.T) {
	invalid := apierrors.NewForbidden(schema.GroupResource{Group: "belay.dev", Resource: "rollouts"}, "checkout", errBroken)
	refusing := interceptor.Funcs{Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
		return invalid
	}}
	for name, c := range map[string]struct {
		funcs    interceptor.Funcs
		change   func(*v1alpha1.Rollout)
		args     []string
		code     int
		out, err string
	}{
		"refused": {
			funcs: answering("Refused", "no step waits"), args: []string{"promote", "checkout"},
			code: 1, err: "error: Refused: promote checkout (revision bbb): no step waits",
		},
		"not waited for": {args: []string{"abort", "checkout", "--wait=false"}, out: "Asked: abort checkout (revision bbb)"},
		"no controller": {
			args: []string{"abort", "checkout", "--timeout=50ms"},
			code: 3, err: "has not answered within 50ms",
		},
		"no right": {
			funcs: refusing, args: []string{"promote", "checkout"},
			code: 2, err: "needed: the verbs patch and promote on rollouts.belay.dev in namespace shop",
		},
		"no such Rollout": {args: []string{"abort", "chekout"}, code: 2, err: `there is no Rollout "chekout" in namespace shop. There are: checkout.`},
		"no name":         {args: []string{"abort"}, code: 2, err: "which Rollout? Say `kubectl belay abort NAME`. There are: checkout."},
		"two names":       {args: []string{"abort", "a", "b"}, code: 2, err: "one Rollout at a time"},
		"another kind":    {args: []string{"abort", "deployment/checkout"}, code: 2, err: `"deployment/checkout" is not a Rollout`},
		"takes the place of another": {
			funcs: answering("Accepted", ""), args: []string{"abort", "checkout"}, out: "Accepted", err: "takes the place of a request that was not answered: promote by alice",
			change: func(r *v1alpha1.Rollout) {
				r.Annotations = map[string]string{v1alpha1.AnnotationRequest: "promote bbb x", v1alpha1.AnnotationRequestedBy: "alice"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rollout("checkout")
			if c.change != nil {
				c.change(r)
			}
			run(t, &cluster{objects: []client.Object{r}, funcs: c.funcs}, c.args...).check(t, c.code, c.out, c.err)
		})
	}
}

// The status is written often, so a conflict is tried again; a request for another canary than the one seen is not.
func TestRequestWhileTheRolloutChanges(t *testing.T) {
	for name, c := range map[string]struct {
		revision string
		code     int
		out, err string
	}{
		"status only":    {revision: "bbb", code: 0, out: "Asked: promote checkout (revision bbb)"},
		"another canary": {revision: "ccc", code: 1, err: "the canary of checkout changed from bbb to ccc"},
	} {
		t.Run(name, func(t *testing.T) {
			first := true
			funcs := interceptor.Funcs{Patch: func(ctx context.Context, cl client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				if first {
					first = false
					now := &v1alpha1.Rollout{}
					if err := cl.Get(ctx, client.ObjectKeyFromObject(o), now); err != nil {
						return err
					}
					now.Status.Canary.Revision = c.revision
					now.Status.Message = "something else"
					if err := cl.Status().Update(ctx, now); err != nil {
						return err
					}
				}
				return cl.Patch(ctx, o, p, opts...)
			}}
			cl := &cluster{objects: []client.Object{rollout("checkout")}, funcs: funcs}
			run(t, cl, "promote", "checkout", "--wait=false").check(t, c.code, c.out, c.err)
		})
	}
}

// Right after an installation the policies cannot be applied to Rollouts yet.
func TestRequestOutlivesAServerThatIsNotReady(t *testing.T) {
	unavailable := apierrors.NewServiceUnavailable("Resource kind belay.dev/v1alpha1, Kind=Rollout not found.")
	for name, c := range map[string]struct {
		failures int
		args     []string
		code     int
		out, err string
	}{
		"for a moment": {failures: 1, code: 0, out: "Asked: abort checkout"},
		"for too long": {failures: 100, args: []string{"--timeout=50ms"}, code: 3, err: "could not be written within 50ms: Resource kind"},
	} {
		t.Run(name, func(t *testing.T) {
			left := c.failures
			funcs := interceptor.Funcs{Patch: func(ctx context.Context, cl client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				if left--; left >= 0 {
					return unavailable
				}
				return cl.Patch(ctx, o, p, opts...)
			}}
			cl := &cluster{objects: []client.Object{rollout("checkout")}, funcs: funcs}
			run(t, cl, append([]string{"abort", "checkout", "--wait=false"}, c.args...)...).check(t, c.code, c.out, c.err)
		})
	}
}

func TestRequestIsOvertaken(t *testing.T) {
	funcs := interceptor.Funcs{Patch: func(ctx context.Context, cl client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
		if err := cl.Patch(ctx, o, p, opts...); err != nil {
			return err
		}
		other := o.DeepCopyObject().(client.Object)
		other.SetAnnotations(map[string]string{v1alpha1.AnnotationRequest: "abort bbb other", v1alpha1.AnnotationRequestedBy: "bob"})
		return cl.Update(ctx, other)
	}}
	cl := &cluster{objects: []client.Object{rollout("checkout")}, funcs: funcs}
	run(t, cl, "promote", "checkout").check(t, 1, "", "another request took the place of this one: abort by bob")
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	cl := &cluster{objects: []client.Object{rollout("checkout")}}
	if got := runWith(ctx, t, cl, "abort", "checkout", "--timeout=1h"); got.code != exitInterrupted {
		t.Errorf("exit code %d, want %d: %s", got.code, exitInterrupted, got.err)
	}
}

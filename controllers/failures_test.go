package controllers

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/apply"
)

var (
	services  = corev1.Resource("services")
	conflict  = apierrors.NewConflict(services, "web", errors.New("changed"))
	forbidden = apierrors.NewForbidden(services, "web", errors.New("not yours"))
	missing   = apierrors.NewNotFound(services, "web")
	present   = apierrors.NewAlreadyExists(services, "web")
	busy      = apierrors.NewTooManyRequests("later", 1)
	webhook   = apierrors.NewInternalError(errors.New("failed calling webhook: dial tcp 10.96.0.5:443: connection refused"))
)

// in is the error of an effect, as the applier gives it.
func in(effect string, err error) error {
	return &apply.Failure{Effect: effect, Err: fmt.Errorf("writing Service web: %w", err)}
}

func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		err             error
		reason, message string
	}{
		"a conflict":             {errors.Join(in("Pin", conflict)), "", ""},
		"it came meanwhile":      {errors.Join(in("Pin", present)), "", ""},
		"it went meanwhile":      {errors.Join(in("Pin", missing)), "", ""},
		"the server is busy":     {errors.Join(in("Pin", busy)), "", ""},
		"the server restarts":    {errors.Join(in("Pin", apierrors.NewServiceUnavailable("shutting down"))), "", ""},
		"the server is slow":     {errors.Join(in("Pin", apierrors.NewServerTimeout(services, "patch", 1))), "", ""},
		"the server is away":     {errors.Join(in("Pin", &url.Error{Op: "Patch", URL: "https://10.0.0.1:6443", Err: errors.New("refused")})), "", ""},
		"forbidden":              {errors.Join(in("Pin", forbidden)), "Forbidden", `the API server does not let the controller do it, check config/rbac and other policies: Pin: services "web" is forbidden: not yours`},
		"invalid":                {errors.Join(in("Pin", apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "web", nil))), "Invalid", `the API server refuses the change: Pin: Service "web" is invalid`},
		"a webhook that is away": {errors.Join(in("ClearSplit", webhook)), "EffectFailed", "what was decided could not be carried out, it is tried again: ClearSplit: Internal error occurred: failed calling webhook: dial tcp …: connection refused"},
		"a refusal of our own":   {errors.Join(&apply.Failure{Effect: "Adopt", Err: errors.New("left alone: it is not ours")}), "EffectFailed", "what was decided could not be carried out, it is tried again: Adopt: left alone: it is not ours"},
		"one of several":         {errors.Join(in("Pin", conflict), in("ClearSplit", busy), in("ClearSplit", webhook)), "EffectFailed", "what was decided could not be carried out, it is tried again: ClearSplit: Internal error occurred: failed calling webhook: dial tcp …: connection refused"},
		"several that pass":      {errors.Join(in("Pin", conflict), in("ClearSplit", busy)), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			problem := refused(tc.err)
			if (problem != nil) != (tc.reason != "") || (problem != nil && (problem.Reason != tc.reason || problem.Message != tc.message)) {
				t.Errorf("the problem is %+v, want %s %q", problem, tc.reason, tc.message)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		after time.Duration // 0: the error goes to the queue
	}{
		"a conflict":                       {conflict, 20 * time.Millisecond},
		"a conflict of an effect":          {errors.Join(in("Pin", conflict)), 20 * time.Millisecond},
		"a conflict beside a refusal":      {errors.Join(in("Pin", forbidden), in("ClearSplit", conflict)), 20 * time.Millisecond},
		"it went meanwhile":                {errors.Join(in("Pin", missing)), 2 * time.Second},
		"it went meanwhile, and a refusal": {errors.Join(in("Pin", missing), in("Pin", forbidden)), 0},
		"a refusal":                        {errors.Join(in("Pin", forbidden)), 0},
		"the server is busy":               {busy, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var c conflicts
			result, err := c.outcome(types.NamespacedName{Name: "web"}, tc.err)
			if result.RequeueAfter != tc.after || (err != nil) != (tc.after == 0) {
				t.Errorf("again after %s, error %v; want %s", result.RequeueAfter, err, tc.after)
			}
		})
	}
}

// Whoever writes an object all the time must not keep us writing all the time.
func TestConflictsPause(t *testing.T) {
	var c conflicts
	web, api := types.NamespacedName{Name: "web"}, types.NamespacedName{Name: "api"}
	after := func(key types.NamespacedName, want time.Duration) {
		t.Helper()
		if result, err := c.outcome(key, conflict); err != nil || result.RequeueAfter != want {
			t.Errorf("%s: again after %s, error %v; want %s", key.Name, result.RequeueAfter, err, want)
		}
	}
	for _, ms := range []time.Duration{20, 40, 80, 160, 320, 640, 1280, 2000, 2000} {
		after(web, ms*time.Millisecond)
	}
	after(api, 20*time.Millisecond)
	c.forget(web)
	after(web, 20*time.Millisecond)
	after(api, 40*time.Millisecond)
}

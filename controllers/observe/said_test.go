package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestSaid(t *testing.T) {
	services := corev1.Resource("services")
	webhook := `failed calling webhook "check.example.com": failed to call webhook: Post "https://check.tools.svc:443/check?timeout=10s": `
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
	for name, tc := range map[string]struct {
		err     error
		text    string
		passing bool
	}{
		"forbidden": {apierrors.NewForbidden(services, "web", errors.New("not yours")), `services "web" is forbidden: not yours`, false},
		"wrapped":   {fmt.Errorf("Pin: writing Service web: %w", apierrors.NewForbidden(services, "web", errors.New("no"))), `services "web" is forbidden: no`, false},
		"a webhook that is down": {apierrors.NewInternalError(errors.New(webhook + "dial tcp 10.96.0.5:443: connect: connection refused")),
			`Internal error occurred: failed calling webhook "check.example.com": failed to call webhook: Post "https://check.tools.svc/check?timeout=10s": dial tcp …: connect: connection refused`, false},
		"a webhook over IPv6": {apierrors.NewInternalError(errors.New("read tcp [fd00::1]:40112->[fd00::5]:443: reset")), "Internal error occurred: read tcp …->…: reset", false},
		"an id":               {errors.New("UID 1b4e28ba-2fa1-11d2-883f-0016d3cca427 in object meta"), "UID … in object meta", false},
		"of our own":          {errors.New("left alone: Service web-canary exists"), "left alone: Service web-canary exists", false},
		"busy":                {apierrors.NewTooManyRequests("later", 1), "later", true},
		"restarting":          {apierrors.NewServiceUnavailable("apiserver is shutting down"), "apiserver is shutting down", true},
		"slow":                {apierrors.NewTimeoutError("took too long", 1), "Timeout: took too long", true},
		"slow server":         {apierrors.NewServerTimeout(services, "patch", 1), "The patch operation against services could not be completed at this time, please try again.", true},
		"away":                {&url.Error{Op: "Patch", URL: "https://10.0.0.1:6443/api", Err: refused}, "the API server cannot be reached", true},
		"away, without a URL": {fmt.Errorf("writing: %w", refused), "the API server cannot be reached", true},
		"too late":            {fmt.Errorf("writing: %w", context.DeadlineExceeded), "the API server cannot be reached", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Said(tc.err); got != tc.text {
				t.Errorf("said %q, want %q", got, tc.text)
			}
			if got := Passing(tc.err); got != tc.passing {
				t.Errorf("passes %t, want %t", got, tc.passing)
			}
		})
	}
}

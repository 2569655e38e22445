package observe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Passing says that an error of a call to the API server is likely to pass by itself: the server is busy, restarts, or
// cannot be reached.
func Passing(err error) bool {
	if apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) {
		return true
	}
	return unanswered(err)
}

// unanswered says that no answer of the API server came.
func unanswered(err error) bool {
	var call *url.Error
	var network net.Error
	return errors.As(err, &call) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Said is what an error says, as it may stand in a status: the same failure gives the same text, without addresses, ports
// and ids.
func Said(err error) string {
	var answer apierrors.APIStatus
	text := err.Error()
	switch {
	case errors.As(err, &answer):
		text = answer.Status().Message
	case unanswered(err):
		return "the API server cannot be reached"
	}
	return stable(text)
}

var (
	address = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?|\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\](:\d+)?`)
	port    = regexp.MustCompile(`(//[\w.-]+)(:\d{1,5}\b)+`)
	id      = regexp.MustCompile(`\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b`)
)

// stable takes out what differs between two tries, until what is left has none: without its port a name can look like an
// address.
func stable(text string) string {
	for {
		less := id.ReplaceAllString(text, "…")
		less = address.ReplaceAllString(less, "…")
		if less = port.ReplaceAllString(less, "$1"); less == text {
			return text
		}
		text = less
	}
}

package prometheus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/belay-dev/belay/analysis"
)

// maxText is the longest text of a server's own that is passed on.
const maxText = 300

// classify turns what went wrong into a stable sentence. Only what the server says about the query
// itself is a matter of configuration; all else may be over at the next tick.
func (p *Provider) classify(err error) error {
	kind, text := analysis.Transient, ""
	var answer *promv1.Error
	switch {
	case errors.Is(err, errTooLarge):
		kind, text = analysis.Configuration, fmt.Sprintf("answers with more than %d bytes: aggregate the query, as in sum(...)", p.config.MaxBytes)
	case errors.As(err, &answer):
		kind, text = said(answer)
	default:
		text = failed(err)
	}
	return &analysis.Error{Kind: kind, Text: fmt.Sprintf("metrics source %q %s", p.config.Name, text), Err: err}
}

// said is what a server's error means.
func said(e *promv1.Error) (analysis.ErrorKind, string) {
	switch e.Type {
	case promv1.ErrBadData:
		return analysis.Configuration, "refuses the query: " + stable(e.Msg)
	case promv1.ErrExec:
		// "found duplicate series", but also overload and a remote storage that is down: not known
		// to be the query's fault.
		return analysis.Transient, "cannot evaluate the query: " + stable(e.Msg)
	case promv1.ErrTimeout, promv1.ErrCanceled:
		return analysis.Transient, "did not answer in time"
	case promv1.ErrBadResponse:
		return analysis.Transient, "answers with something that is not the Prometheus API: is its address right?"
	}
	switch e.Msg {
	case "client error: 401", "client error: 403":
		return analysis.Transient, "refuses the controller's credentials"
	case "client error: 404":
		return analysis.Transient, "does not have the Prometheus API at its address"
	case "client error: 429":
		return analysis.Transient, "asks for fewer queries (429)"
	}
	return analysis.Transient, "answers with an error: " + stable(e.Msg)
}

// failed is why there is no answer at all.
func failed(err error) string {
	var dns *net.DNSError
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "was not waited for"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "did not answer in time"
	case errors.As(err, &dns):
		return "cannot be reached: its host name is not known"
	case errors.As(err, &verification), errors.As(err, &authority):
		return "cannot be reached: its certificate is not trusted"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "cannot be reached: it does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "cannot be reached: the connection is refused"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return "cannot be asked: a file of its credentials cannot be read"
	}
	return "cannot be reached"
}

// address matches what differs from one try or replica to the next: hosts with ports, IP addresses
// and long numbers.
var address = regexp.MustCompile(`\b[a-z]+://[^\s"]+|\b[\w.-]+\.[\w.-]+:\d+\b|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\[[0-9a-fA-F:]+\](:\d+)?|\b[0-9a-f]{16,}\b`)

func stable(text string) string {
	text = address.ReplaceAllString(strings.Join(strings.Fields(text), " "), "…")
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return text
}

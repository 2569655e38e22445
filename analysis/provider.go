package analysis

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Provider answers queries of one source of metrics. It is safe for concurrent use, and it bounds
// by itself how many queries run at once and how large an answer may be.
type Provider interface {
	// Query evaluates the query at the given moment. It returns as soon as ctx ends. Every error
	// is an *Error, and an answer without any series is an empty Result and no error.
	Query(ctx context.Context, query string, at time.Time) (Result, error)
}

// Series is one labelled number of an answer.
type Series struct {
	Labels map[string]string
	// Value may be NaN or infinite.
	Value float64
}

// Result is the answer to a query.
type Result struct {
	// Scalar says that the source answered with a bare number; Series then holds exactly that.
	Scalar bool
	// Series in the order of the answer. Empty: nothing matched.
	Series []Series
}

// Values of the series, in their order.
func (r Result) Values() []float64 {
	out := make([]float64, len(r.Series))
	for i, s := range r.Series {
		out[i] = s.Value
	}
	return out
}

// ErrorKind says how an error is to be handled.
type ErrorKind string

const (
	// Configuration: a person has to change a metric, a template or the controller's
	// configuration. Asking again gives the same.
	Configuration ErrorKind = "Configuration"
	// Transient: the source did not answer this time. Asked again at the next tick; it is missing
	// data, and never a failure of what is measured.
	Transient ErrorKind = "Transient"
)

// Error of a metric or a provider.
type Error struct {
	Kind ErrorKind
	// Text is a stable sentence: no addresses, ports or ids.
	Text string
	// Err is the cause, for logs. It may hold addresses.
	Err error
}

// Error returns the stable text.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsConfiguration says whether a person has to change something before err goes away.
func IsConfiguration(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == Configuration
}

// configurationf makes a Configuration error.
func configurationf(format string, args ...any) *Error {
	return &Error{Kind: Configuration, Text: fmt.Sprintf(format, args...)}
}

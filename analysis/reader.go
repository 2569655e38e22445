package analysis

import (
	"context"
	"time"

	"github.com/belay-dev/belay/analysis/samples"
)

// Reader reads what a source keeps, as it was sampled. It is safe for concurrent use, and it bounds by
// itself how many questions run at once and how large their answers may be.
type Reader interface {
	// Raw returns the samples of everything that a vector selector matches, of the time after from, up to
	// and including to. It returns as soon as ctx ends. Every error is an *Error; nothing that matches is
	// no error. Stale markers may be missing, as Prometheus hides them.
	Raw(ctx context.Context, selector string, from, to time.Time) ([]samples.Series, error)
}

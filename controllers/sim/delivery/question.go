package delivery

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/belay-dev/belay/analysis"
)

// Question is what a query of Measured asks.
type Question struct {
	Namespace, Rollout, Service, Revision, Arm string
	// From and To bound the window.
	From, To time.Time
}

// read takes a query apart. Only those of Measured are understood.
func read(query string, at time.Time) (Question, error) {
	q := Question{To: at}
	_, rest, ok1 := strings.Cut(query, "{")
	labels, rest, ok2 := strings.Cut(rest, "}[")
	window, _, ok3 := strings.Cut(rest, "]")
	length, err := model.ParseDuration(window)
	if !ok1 || !ok2 || !ok3 || err != nil {
		return q, unread(query)
	}
	q.From = at.Add(-time.Duration(length))
	for pair := range strings.SplitSeq(labels, ",") {
		name, value, ok := strings.Cut(pair, "=")
		field := q.field(name)
		if !ok || field == nil {
			return q, unread(query)
		}
		*field = strings.Trim(value, `"`)
	}
	return q, nil
}

func (q *Question) field(label string) *string {
	switch label {
	case "namespace":
		return &q.Namespace
	case "rollout":
		return &q.Rollout
	case "service":
		return &q.Service
	case "revision":
		return &q.Revision
	case "arm":
		return &q.Arm
	}
	return nil
}

func unread(query string) error {
	return &analysis.Error{Kind: analysis.Configuration, Text: fmt.Sprintf("the simulated source does not understand %q: use the query of Measured", query)}
}

package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// request that one user made, as the API server's audit log tells it.
type request struct {
	verb, namespace string
	// kind is the resource with its subresource: "rollouts/status"; the path where there is no resource.
	kind               string
	received, answered time.Time
	code               int
	// dry is true for a dry run, which stores nothing.
	dry bool
}

func (r request) writes() bool {
	return !r.dry && slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.verb)
}

func (r request) reads() bool { return r.verb == "get" || r.verb == "list" }

// audit follows the log and keeps one user's requests.
type audit struct {
	path, user string
	offset     int64
	requests   []request
}

// catchUp reads what was written since the last call. A line that is not complete yet is left for the next one.
func (a *audit) catchUp() error {
	file, err := os.Open(a.path)
	if err != nil {
		return fmt.Errorf("the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("the audit log: %w", err)
	}
	if info.Size() < a.offset {
		return fmt.Errorf("the audit log %s has become shorter than the %d bytes that were read of it", a.path, a.offset)
	}
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		return fmt.Errorf("the audit log: %w", err)
	}
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the audit log: %w", err)
		}
		a.offset += int64(len(line))
		if err := a.add(line); err != nil {
			return fmt.Errorf("the audit log, before byte %d: %w", a.offset, err)
		}
	}
}

func (a *audit) add(line []byte) error {
	var e struct {
		Stage, Verb, RequestURI                  string
		RequestReceivedTimestamp, StageTimestamp metav1.MicroTime
		User                                     struct{ Username string }
		ObjectRef                                struct{ Namespace, Resource, Subresource string }
		ResponseStatus                           struct{ Code int }
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	// A watch has begun when its response has; every other request counts when it is answered.
	if e.User.Username != a.user || (e.Stage != "ResponseComplete") != (e.Verb == "watch") {
		return nil
	}
	path, query, _ := strings.Cut(e.RequestURI, "?")
	r := request{
		verb: e.Verb, namespace: e.ObjectRef.Namespace, kind: e.ObjectRef.Resource, code: e.ResponseStatus.Code,
		received: e.RequestReceivedTimestamp.Time, answered: e.StageTimestamp.Time, dry: strings.Contains(query, "dryRun="),
	}
	switch {
	case r.kind == "":
		r.kind = path
	case e.ObjectRef.Subresource != "":
		r.kind += "/" + e.ObjectRef.Subresource
	}
	a.requests = append(a.requests, r)
	return nil
}

// between gives the requests that were received from a moment until another, in one namespace, or in all for "".
func (a *audit) between(from, until time.Time, namespace string) []request {
	var out []request
	for _, r := range a.requests {
		if !r.received.Before(from) && r.received.Before(until) && (namespace == "" || r.namespace == namespace) {
			out = append(out, r)
		}
	}
	return out
}

// stored gives the first write of a verb and kind that was stored, after a moment.
func (a *audit) stored(moment time.Time, namespace, verb, kind string) (request, bool) {
	for _, r := range a.requests {
		if r.answered.After(moment) && r.namespace == namespace && r.verb == verb && r.kind == kind && r.code < 300 && !r.dry {
			return r, true
		}
	}
	return request{}, false
}

// tally counts writes by kind.
func tally(requests []request) map[string]int {
	out := map[string]int{}
	for _, r := range requests {
		if r.writes() {
			out[r.kind]++
		}
	}
	return out
}

package load

import (
	"net/http"
	"slices"
	"time"
)

// Answer is one request's end.
type Answer struct {
	At       time.Time
	Took     time.Duration
	Revision string // X-Revision of the answer; empty if the application did not give it
	Status   int    // 0 if there was no complete answer
	Err      string // why there was none
}

// Bad is true for what a user takes for a failure: no answer, or a status of 400 and above.
func (a Answer) Bad() bool { return a.Status == 0 || a.Status >= http.StatusBadRequest }

// Kind is what answers are counted by. Status 0 stands for connection errors.
type Kind struct {
	Revision string
	Status   int
}

// Span is from the first to the last of some answers.
type Span struct{ First, Last time.Time }

// Length is zero for a single answer.
func (s Span) Length() time.Duration { return s.Last.Sub(s.First) }

// Totals count answers.
type Totals struct {
	Answered int
	Failed   int
	By       map[Kind]int
	// Bad is when bad answers came, by revision.
	Bad map[string]Span
	// Errors counts the texts of connection errors.
	Errors map[string]int
	// Slowest is the longest that an answer took.
	Slowest time.Duration
}

// Of counts the answers of one revision.
func (t Totals) Of(revision string) int {
	n := 0
	for kind, count := range t.By {
		if kind.Revision == revision {
			n += count
		}
	}
	return n
}

// FailedOf counts the bad answers of one revision. The empty revision stands for failures that no revision signed: of
// the gateway, or of the connection.
func (t Totals) FailedOf(revision string) int {
	n := 0
	for kind, count := range t.By {
		if kind.Revision == revision && (Answer{Status: kind.Status}).Bad() {
			n += count
		}
	}
	return n
}

func count(answers []Answer) Totals {
	t := Totals{By: map[Kind]int{}, Bad: map[string]Span{}, Errors: map[string]int{}}
	for _, a := range answers {
		t.Answered++
		t.By[Kind{a.Revision, a.Status}]++
		t.Slowest = max(t.Slowest, a.Took)
		if a.Status == 0 {
			t.Errors[a.Err]++
		}
		if !a.Bad() {
			continue
		}
		t.Failed++
		span, seen := t.Bad[a.Revision]
		if !seen {
			span.First = a.At
		}
		span.Last = a.At
		t.Bad[a.Revision] = span
	}
	return t
}

// Mark is a moment: what was answered before it and what after.
type Mark int

// Mark returns the present moment for Since.
func (c *Client) Mark() Mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Mark(len(c.answers))
}

// Snapshot counts all answers so far.
func (c *Client) Snapshot() Totals { return c.Since(0) }

// Since counts the answers that came after the mark.
func (c *Client) Since(mark Mark) Totals { return count(c.Answers(mark)) }

// Last counts the answers of the last while, for a live view.
func (c *Client) Last(while time.Duration) Totals {
	all := c.Answers(0)
	from := time.Now().Add(-while)
	first, _ := slices.BinarySearchFunc(all, from, func(a Answer, t time.Time) int { return a.At.Compare(t) })
	return count(all[first:])
}

// Answers lists the answers that came after the mark, in the order of their times. The list must not be changed.
func (c *Client) Answers(mark Mark) []Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[mark:len(c.answers):len(c.answers)]
}

// Sent is how many requests went out, answered or not. Skipped is how many did not because all workers were busy: a
// figure above zero means that the rate was not kept.
func (c *Client) Sent() (sent, skipped int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent, c.skipped
}

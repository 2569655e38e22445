package cluster

import (
	"slices"
	"time"
)

// Record adds up what became of requests.
type Record struct {
	// Total number of requests, and of those by their outcome.
	Total    int
	Outcomes map[Outcome]int
	// Revisions that were reached, in the order in which they first were.
	Revisions []*Tally
}

// Tally is what one revision did.
type Tally struct {
	Revision, Image string
	// First and Last moment at which it was reached.
	First, Last     time.Time
	Served, Unready int
	// ThroughRoutes is how many of them came through the gateway.
	ThroughRoutes int
}

func newRecord() Record { return Record{Outcomes: map[Outcome]int{}} }

// Revision gives the tally of a revision, nil if it was never reached.
func (r *Record) Revision(revision string) *Tally {
	i := slices.IndexFunc(r.Revisions, func(t *Tally) bool { return t.Revision == revision })
	if i < 0 {
		return nil
	}
	return r.Revisions[i]
}

// Lost is how many requests nobody answered.
func (r *Record) Lost() int {
	lost := 0
	for outcome, n := range r.Outcomes {
		if outcome.Lost() {
			lost += n
		}
	}
	return lost
}

func (r *Record) add(answers []Answer) {
	for _, a := range answers {
		r.Total += a.Count
		r.Outcomes[a.Outcome] += a.Count
		if a.Revision == "" {
			continue
		}
		t := r.Revision(a.Revision)
		if t == nil {
			t = &Tally{Revision: a.Revision, Image: a.Image, First: a.At}
			r.Revisions = append(r.Revisions, t)
		}
		t.Last = a.At
		if a.Outcome == Served {
			t.Served += a.Count
		} else {
			t.Unready += a.Count
		}
		if !a.Inside {
			t.ThroughRoutes += a.Count
		}
	}
}

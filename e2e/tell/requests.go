package tell

import (
	"maps"

	"github.com/belay-dev/belay/e2e/world"
)

// NoRequestLost sends the users home: every request of theirs was answered, and well.
func (s *Story) NoRequestLost() {
	s.T.Helper()
	s.Users.Stop()
	total := s.Users.Snapshot()
	if total.Failed != 0 || total.Answered == 0 {
		s.T.Errorf("%d of %d requests failed: %v %v", total.Failed, total.Answered, total.By, total.Errors)
	}
}

// OnlyFailed sends the users home: a bad revision failed some requests with its own answers, and nothing else failed.
func (s *Story) OnlyFailed(revision string) {
	s.T.Helper()
	s.Users.Stop()
	total := s.Users.Snapshot()
	own := total.FailedOf(revision)
	if own == 0 || total.Failed != own {
		s.T.Errorf("%d of %d requests failed, %d of them by %s: %v %v", total.Failed, total.Answered, own, revision, total.By, total.Errors)
	}
}

// SamePods says that pods are the very ones that they were, none restarted.
func (s *Story) SamePods(what string, before, after map[string]world.Pod) {
	s.T.Helper()
	if len(before) == 0 || !maps.Equal(before, after) {
		s.T.Errorf("%s: the pods were\n%v\nand are\n%v", what, before, after)
	}
}

package tell

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/world"
)

// Since lists the commits that came after one, the newest first.
func (s *Story) Since(sha string) []gitserver.Commit {
	s.T.Helper()
	log, err := s.Repo.Log(s.T.Context(), sha+"..main", 50)
	s.Must(err)
	return log
}

// NoCommit says that nobody has written to Git since a commit.
func (s *Story) NoCommit(sha string) {
	s.T.Helper()
	if log := s.Since(sha); len(log) != 0 {
		s.T.Errorf("%d commits came after %s: %q", len(log), sha, log[0].Message)
	}
}

// OneRevert says that one commit came after the failed one, that it takes the shop's files back to what they were and
// touches nothing else, and that it tells why. says are texts that the message must have.
func (s *Story) OneRevert(failed string, says ...string) gitserver.Commit {
	s.T.Helper()
	log := s.Since(failed)
	if len(log) != 1 {
		s.T.Fatalf("%d commits came after %s, want one", len(log), failed)
	}
	s.IsRevert(log[0], failed, says...)
	return log[0]
}

// IsRevert says that a commit takes the shop's files back to what they were before the failed one and touches nothing
// else, and that it tells why.
func (s *Story) IsRevert(c gitserver.Commit, failed string, says ...string) {
	s.T.Helper()
	s.T.Logf("%s", c.Message)
	if want := []string{world.Path + "/deployment.yaml"}; !slices.Equal(c.ChangedFiles, want) {
		s.T.Errorf("the revert changes %v, want %v", c.ChangedFiles, want)
	}
	if c.Name != "belay" || c.Email != "belay@example.com" {
		s.T.Errorf("the revert is by %s <%s>", c.Name, c.Email)
	}
	says = append(says, "This reverts commit "+failed, "Belay-Reverts: "+failed, "Belay-Revert-Key: ", "Belay-Rollout: local/"+s.Name+"/shop",
		"Traffic went back to the stable revision at ")
	for _, text := range says {
		if !strings.Contains(c.Message, text) {
			s.T.Errorf("the revert's message lacks %q:\n%s", text, c.Message)
		}
	}
	for _, path := range c.ChangedFiles {
		was, err := s.Repo.File(s.T.Context(), failed+"~1", path)
		s.Must(err)
		is, err := s.Repo.File(s.T.Context(), "main", path)
		s.Must(err)
		if was != is {
			s.T.Errorf("%s was\n%s\nand is\n%s", path, was, is)
		}
	}
}

// GitAgrees says that the agent has applied the head of the branch and would change nothing.
func (s *Story) GitAgrees() {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(s.T.Context(), 20*time.Second)
	defer cancel()
	head, err := s.Repo.Head(ctx, "main")
	s.Must(err)
	s.Must(s.Agent.WaitApplied(ctx, head))
	s.NoDiff()
}

// NoDiff says that the agent's dry run finds nothing to change.
func (s *Story) NoDiff() {
	s.T.Helper()
	diff, err := s.Agent.Diff(s.T.Context())
	s.Must(err)
	if len(diff) != 0 {
		s.T.Errorf("the agent would change:\n%s", strings.Join(diff, "\n"))
	}
}

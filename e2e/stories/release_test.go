package stories

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

func TestGood(t *testing.T) {
	s, err := shared.Open(t.Context(), world.ShopOptions{Name: "good"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ship(t.Context(), "shop:v2", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Promoted(t.Context(), 2*time.Minute, "shop:v2"); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", s.Users.Snapshot())
}

func TestBad(t *testing.T) {
	s, err := shared.Open(t.Context(), world.ShopOptions{Name: "bad"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Pods(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ship(t.Context(), "shop:v3", map[string]string{"README.md": "Another team's words.\n"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Until(t.Context(), 2*time.Minute, "v3 is reverted", func(r *v1alpha1.Rollout) bool {
		return len(r.Status.History) > 0 && r.Status.History[0].Commit != "" && r.Status.Phase == v1alpha1.PhaseHealthy
	}); err != nil {
		t.Fatal(err)
	}
	log, err := s.Repo.Log(t.Context(), "main", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range log {
		t.Logf("%s %s\n%s\n%v", c.SHA, c.Name, c.Message, c.ChangedFiles)
	}
	after, err := s.Pods(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v\n%v", before, after)
	t.Logf("%+v", s.Users.Snapshot())
}

package stories

import (
	"testing"
	"time"

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

package stories

import (
	"testing"

	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// story is one as package tell has it, with what only the tests of this package do and expect.
type story struct{ *tell.Story }

func open(t *testing.T, w *world.World, o world.ShopOptions) *story {
	t.Helper()
	return &story{tell.Open(t, w, o)}
}

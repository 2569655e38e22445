package crashpoints

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/belay-dev/belay/e2e/world"
)

// shared is the world of all shops. Its own controller is away: each shop has one for itself.
var shared *world.World

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	say := func(format string, args ...any) { fmt.Printf("crash points: "+format+"\n", args...) }
	w, err := world.Start(context.Background(), world.Options{Say: say})
	if err != nil {
		fmt.Fprintln(os.Stderr, "the world did not start:", err)
		return 1
	}
	defer w.Stop()
	w.Belay.Stop()
	shared = w
	return m.Run()
}

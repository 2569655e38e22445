package stories

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/belay-dev/belay/e2e/world"
)

// shared is the world of all stories that do not stop the controller.
var shared *world.World

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	say := func(format string, args ...any) { fmt.Printf("stories: "+format+"\n", args...) }
	w, err := world.Start(context.Background(), world.Options{Say: say, Audit: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, "the world did not start:", err)
		return 1
	}
	defer w.Stop()
	shared = w
	status := m.Run()
	if status != 0 {
		keep(w)
	}
	return status
}

// keep copies the controller's log out of the world, which goes away with its logs.
func keep(w *world.World) {
	text, err := os.ReadFile(w.Belay.Log())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	file, err := os.CreateTemp("", "belay-log-*.jsonl")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Write(text); err == nil {
		fmt.Fprintln(os.Stderr, "stories: the controller's log is in", file.Name())
	}
}

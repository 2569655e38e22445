package sim

import (
	"os"
	"runtime/debug"
	"testing"
)

// A story makes many small objects and keeps few: collecting them less often halves the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

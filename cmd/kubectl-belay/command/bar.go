package command

import (
	"fmt"
	"strings"
)

// bar shows how far the work is: in place on a terminal, and as a line for every tenth elsewhere.
type bar struct {
	env    Environment
	width  int
	what   string
	tenths int
	drawn  bool
}

func newBar(env Environment) *bar {
	b := &bar{env: env, tenths: -1}
	if env.ErrWidth != nil {
		b.width = env.ErrWidth()
	}
	return b
}

func (b *bar) show(done float64, what string) {
	if what != b.what {
		b.what, b.tenths = what, -1
	}
	if b.width > 0 {
		const rest = 30 // for the words
		full := max(10, min(50, b.width-rest))
		filled := int(done * float64(full))
		fmt.Fprintf(b.env.Streams.ErrOut, "\r\x1b[K%-18s [%s%s] %3.0f %%", what, strings.Repeat("=", filled), strings.Repeat(" ", full-filled), 100*done)
		b.drawn = true
		return
	}
	if tenths := int(10 * done); tenths > b.tenths {
		b.tenths = tenths
		fmt.Fprintf(b.env.Streams.ErrOut, "%s: %.0f %%\n", what, 100*done)
	}
}

// end takes the bar away.
func (b *bar) end() {
	if b.drawn {
		fmt.Fprint(b.env.Streams.ErrOut, "\r\x1b[K")
	}
}

package demo

import (
	"fmt"
	"strings"
	"time"
)

func (d *Demo) print(format string, args ...any) {
	_, _ = fmt.Fprintf(d.Out, format+"\n", args...) // a terminal that is gone is no reason to stop checking
}

// say tells what happens, with the seconds since the start.
func (d *Demo) say(format string, args ...any) {
	d.print("[%5.1f s] "+format, append([]any{time.Since(d.start).Seconds()}, args...)...)
}

func (d *Demo) title(text string) {
	d.print("\n%s\n%s", text, strings.Repeat("─", len([]rune(text))))
}

func (d *Demo) heading(text string) { d.print("\n  $ %s", text) }

func (d *Demo) indent(text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		d.print("    %s", line)
	}
	d.print("")
}

// expect notes what is not as it should be; the demo goes on, and fails at its end.
func (d *Demo) expect(so bool, format string, args ...any) {
	if so {
		return
	}
	text := fmt.Sprintf(format, args...)
	d.wrong = append(d.wrong, text)
	d.say("NOT AS IT SHOULD BE: %s", text)
}

// verdict is the error with everything that was wrong.
func (d *Demo) verdict() error {
	if len(d.wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d things were not as they should be:\n- %s", len(d.wrong), strings.Join(d.wrong, "\n- "))
}

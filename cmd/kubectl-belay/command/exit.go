package command

import (
	"context"
	"errors"
)

// Exit codes. They are part of the interface: scripts rely on them.
const (
	exitDone        = 0
	exitOtherwise   = 1
	exitError       = 2
	exitTimeout     = 3
	exitInterrupted = 130

	// exitInconclusive is that of judge, which never waits.
	exitInconclusive = 3
)

// outcome is an error with an exit code of its own. Without a text there is nothing more to say.
type outcome struct {
	code int
	text string
}

func (o *outcome) Error() string { return o.text }

func otherwise(text string) error { return &outcome{code: exitOtherwise, text: text} }

func timedOut(text string) error { return &outcome{code: exitTimeout, text: text} }

// exitCode of what a command returned.
func exitCode(ctx context.Context, err error) int {
	var o *outcome
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &o):
		return o.code
	case ctx.Err() != nil:
		return exitInterrupted
	default:
		return exitError
	}
}

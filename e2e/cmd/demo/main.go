// Command demo plays the main job of Belay on the local cluster. It runs inside the network namespace of `bin/local run`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/belay-dev/belay/e2e/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	o := demo.Options{Out: os.Stdout, Keep: os.Getenv("KEEP") == "1"}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		o.Terminal = true
		if w, h, err := term.GetSize(fd); err == nil {
			o.Width, o.Height = w, h
		}
	}
	if err := demo.Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
	fmt.Println("\nAll of it happened as it should.")
}

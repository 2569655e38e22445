// Command kubectl-belay is the kubectl plugin: put it on the PATH and say `kubectl belay --help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/belay-dev/belay/cmd/kubectl-belay/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Run(ctx, os.Args[1:], command.Real())
	stop()
	os.Exit(code)
}

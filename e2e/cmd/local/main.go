package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/belay-dev/belay/e2e/namespace"
	"github.com/belay-dev/belay/e2e/parts"
)

const usage = `usage:
  local build [part...]    build the parts of the local cluster that are missing
  local run -- cmd args    run a command inside the local network namespace
  local up                 start the whole cluster, say how to reach it, stop it on Ctrl-C
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	os.Exit(run(os.Args[1], os.Args[2:]))
}

func run(command string, args []string) int {
	switch command {
	case "build":
		return build(args)
	case "run":
		if len(args) > 0 && args[0] == "--" {
			args = args[1:]
		}
		if len(args) == 0 {
			fmt.Fprint(os.Stderr, usage)
			return 2
		}
		return finish(namespace.Launch(args, os.Environ()))
	case namespace.FirstArgument:
		return finish(namespace.First(args))
	case "help", "-h", "--help":
		fmt.Print(usage)
		return 0
	default:
		fmt.Fprintf(os.Stderr, "local: unknown command %q\n%s", command, usage)
		return 2
	}
}

// finish turns what a command ended with into this program's exit status.
func finish(status int, err error) int {
	if err != nil {
		return namespace.Report(os.Stderr, err)
	}
	return status
}

func build(names []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	root, err := parts.Root()
	if err == nil {
		err = parts.Builder{Root: root, Out: os.Stdout, Now: time.Now}.Build(ctx, names...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "local build:", err)
		return 1
	}
	return 0
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/belay-dev/belay/e2e/forward"
	"github.com/belay-dev/belay/e2e/namespace"
	"github.com/belay-dev/belay/e2e/parts"
)

const usage = `usage:
  local build [part...]    build the parts of the local cluster that are missing
  local run -- cmd args    run a command inside the local network namespace
  local up [--images FILE] start the whole cluster, say how to reach it, stop it on Ctrl-C
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
		return launch(args)
	case "up":
		self, err := os.Executable()
		if err != nil {
			return finish(0, err)
		}
		return launch(append([]string{self, insideUp}, args...))
	case insideUp:
		return up(args)
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

// launch runs args in a new namespace and forwards what it exposes.
func launch(args []string) int {
	outside, err := forward.Serve()
	if err != nil {
		return finish(0, err)
	}
	status := finish(namespace.Launch(args, append(os.Environ(), forward.Variable+"="+outside.Dir)))
	if err := outside.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
	}
	return status
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
		err = parts.Builder{Parts: parts.All(), Root: root, Out: os.Stdout, Now: time.Now}.Build(ctx, names...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "local build:", err)
		return 1
	}
	return 0
}

// Command canarybench writes streams with known truth, and measures judges on them.
//
//	go run ./analysis/canarybench/cmd/canarybench generate --stream bursts --seed 7 > ticks.csv
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/belay-dev/belay/analysis/canarybench"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "canarybench:", err)
		os.Exit(2)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to do: `generate` writes a stream")
	}
	switch args[0] {
	case "generate":
		return generate(args[1:], out)
	}
	return fmt.Errorf("%q is not known: `generate` writes a stream", args[0])
}

func generate(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	name := flags.String("stream", "clean", "which stream")
	seed := flags.Uint64("seed", 1, "the same seed gives the same stream")
	replication := flags.Uint64("replication", 0, "another course of the same stream")
	if err := flags.Parse(args); err != nil {
		return err
	}
	truth, err := canarybench.TruthNamed(*name)
	if err != nil {
		return err
	}
	return truth.Stream(*seed, *replication).WriteCSV(out)
}

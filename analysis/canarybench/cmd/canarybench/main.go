// Command canarybench writes streams with known truth, and measures judges on them.
//
//	go run ./analysis/canarybench/cmd/canarybench generate --stream bursts --seed 7 > ticks.csv
//	go run ./analysis/canarybench/cmd/canarybench tables
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/belay-dev/belay/analysis/canarybench"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "canarybench:", err)
		os.Exit(2)
	}
}

func run(args []string, out, progress io.Writer) error {
	const known = "`generate` writes a stream, `tables` measures; each explains itself with --help"
	if len(args) == 0 {
		return fmt.Errorf("say what to do: %s", known)
	}
	switch args[0] {
	case "generate":
		return generate(args[1:], out)
	case "tables":
		return tables(args[1:], out, progress)
	}
	return fmt.Errorf("%q is not known: %s", args[0], known)
}

func generate(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	name := flags.String("stream", "clean", "which stream: "+strings.Join(canarybench.Names(), ", "))
	seed := flags.Uint64("seed", 1, "the same seed gives the same stream")
	replication := flags.Uint64("replication", 0, "another course of the same stream")
	requests := flags.Float64("requests", 1000, "of both arms in a tick of ten seconds")
	bad := flags.Float64("bad", 0.005, "bad share of the stable, from 0 to 1")
	ratio := flags.Float64("ratio", 1, "the canary's bad share over the stable's, from the onset on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var changes []canarybench.Change
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "requests":
			changes = append(changes, func(t *canarybench.Truth) { t.Requests = *requests })
		case "bad":
			changes = append(changes, func(t *canarybench.Truth) { t.Stable = *bad })
		case "ratio":
			changes = append(changes, func(t *canarybench.Truth) { t.Ratio = *ratio })
		}
	})
	return canarybench.Generate(out, *name, *seed, *replication, changes...)
}

func tables(args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("tables", flag.ContinueOnError)
	bench := canarybench.Bench{Meter: processorSeconds}
	flags.Uint64Var(&bench.Seed, "seed", 1, "the same seed gives the same tables, the cost of a tick aside")
	flags.IntVar(&bench.Many, "many", 10_000, "replications for false rollbacks")
	flags.IntVar(&bench.Few, "few", 1_000, "replications for everything else")
	only := flags.String("only", "", "one table: "+strings.Join(canarybench.SectionNames(), ", "))
	if err := flags.Parse(args); err != nil {
		return err
	}
	return bench.Print(out, progress, *only)
}

// processorSeconds of this process: on a busy machine the clock on the wall says little.
func processorSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it cannot fail for the process itself
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

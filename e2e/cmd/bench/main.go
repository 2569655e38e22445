// Command bench measures Belay on the local cluster and prints what it found beside the targets. It runs inside the
// network namespace of `bin/local run`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/belay-dev/belay/e2e/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	o := bench.Options{Say: bench.Narrate(os.Stderr)}
	asJSON := flag.Bool("json", false, "print the figures as JSON")
	flag.IntVar(&o.Shops, "shops", 3, "shops that release at the same time")
	flag.IntVar(&o.Bad, "bad", 3, "bad releases in each shop")
	flag.DurationVar(&o.Rest, "rest", time.Minute, "how long to look at the controller at rest")
	flag.IntVar(&o.Rounds, "rounds", 3, "rounds of the comparison with a plain Deployment")
	flag.Parse()
	report, err := bench.Run(ctx, o)
	if err == nil {
		if *asJSON {
			err = report.JSON(os.Stdout)
		} else {
			err = report.Table(os.Stdout)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/belay-dev/belay/cmd/kubectl-belay/backtest"
)

const backtestHelp = `Run the analysis of a Rollout over history, and say how often it would have stopped a healthy release.

Stable is judged against itself: for every attempt its pods are divided at random, one half is the canary and the other
stable, and requests are left out at random until the canary has the share of the traffic that the ladder gives it. One
attempt follows the other through all of history, with the margins, judges and limits that the controller would use.
Where pods cannot be told apart (compare.podLabel), requests are divided instead.

--inject makes a share of the canary's good requests bad from the first tick of every attempt on, and says how soon that
would have been seen, and what it would have cost. Latencies are left as they are.

Attempts in the history of the Rollout (of the file's status, else of the cluster's) are judged again.

Metrics with conditions are evaluated at their interval, and attempts are replayed with their limits.

History is read from Prometheus: give its address as it is reached from here. Without one it is the controller's own, if
its configuration may be read and that address is reached from here. For one in the cluster:

  kubectl -n monitoring port-forward svc/prometheus 9090 &
  kubectl belay backtest -f rollout.yaml --prometheus http://localhost:9090

The file holds the Rollout, and the AnalysisTemplates that it names; templates that are not in it are read from the
cluster. Nothing is changed anywhere.

Exit codes: 0 done, 2 not possible (usage, connection, nothing could be judged).`

const backtestExamples = `  # would it stop healthy releases? Two weeks of history
  kubectl belay backtest -f rollout.yaml --last 14d --prometheus http://localhost:9090

  # how soon is 1 % of errors instead of 0.1 % seen?
  kubectl belay backtest -f rollout.yaml -f templates.yaml --last 14d --prometheus http://localhost:9090 --inject '0.1%->1%'

  # a picture of the evidence, and the numbers for a program
  kubectl belay backtest -f rollout.yaml --last 3d --prometheus http://localhost:9090 --svg evidence.svg -o json`

type backtestFlags struct {
	files      []string
	last       span
	until      string
	address    string
	tokenFile  string
	inject     string
	controller string
	seed       uint64
	svg        string
	output     string
}

func backtestCommand(s *session) *cobra.Command {
	f := backtestFlags{last: span(14 * 24 * time.Hour)}
	cmd := &cobra.Command{
		Use:     "backtest -f FILE",
		Short:   "Run a Rollout's analysis over history",
		Long:    backtestHelp,
		Example: backtestExamples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), s) },
	}
	cmd.Flags().StringSliceVarP(&f.files, "filename", "f", nil, "File with the Rollout, or with its templates; - reads standard input")
	cmd.Flags().Var(&f.last, "last", "How far back, as in 14d, 12h or 90m")
	cmd.Flags().StringVar(&f.until, "until", "", "End of history, as in 2026-11-01T12:00:00Z (default now)")
	cmd.Flags().StringVar(&f.address, "prometheus", "", "Address of Prometheus, http or https, without /api/v1")
	cmd.Flags().StringVar(&f.tokenFile, "bearer-token-file", "", "File with a token for Prometheus")
	cmd.Flags().StringVar(&f.controller, "controller-namespace", "belay-system", "Where the controller runs, whose configuration names a Prometheus if --prometheus does not")
	cmd.Flags().StringVar(&f.inject, "inject", "", "A fault in the canary half, as in '0.1%->1%' of bad requests")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "The same history and the same seed give the same report")
	cmd.Flags().StringVar(&f.svg, "svg", "", "Also draw the evidence over time into this file")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "text or json")
	return cmd
}

func (f backtestFlags) run(ctx context.Context, s *session) error {
	o, err := f.options(s)
	if err != nil {
		return err
	}
	plan, err := planFrom(ctx, s, f.files)
	if err != nil {
		return err
	}
	if o.Source, err = f.source(ctx, s, plan); err != nil {
		return err
	}
	bar := newBar(s.env)
	o.Progress = bar.show
	report, err := backtest.Run(ctx, plan, o)
	bar.end()
	if err != nil {
		return err
	}
	if f.svg != "" {
		if err := os.WriteFile(f.svg, []byte(report.SVG()), 0o644); err != nil {
			return err
		}
	}
	if f.output == "json" {
		err = jsonLine(s.env.out(), report, "  ")
	} else {
		_, err = fmt.Fprint(s.env.out(), report.Text())
	}
	return errors.Join(err, report.Err())
}

// options checks all flags before anything is asked.
func (f backtestFlags) options(s *session) (backtest.Options, error) {
	o := backtest.Options{Last: time.Duration(f.last), Seed: f.seed, Picture: f.svg != "", Until: s.env.Now()}
	if len(f.files) == 0 {
		return o, errors.New("which Rollout? Say -f FILE")
	}
	if f.output != "text" && f.output != "json" {
		return o, fmt.Errorf("--output is %q: it must be text or json", f.output)
	}
	if f.until != "" {
		until, err := time.Parse(time.RFC3339, f.until)
		if err != nil {
			return o, fmt.Errorf("--until is %q: it must be a date as in 2026-11-01T12:00:00Z (RFC 3339)", f.until)
		}
		o.Until = until
	}
	if f.inject != "" {
		var err error
		if o.Inject, err = backtest.ParseInjection(f.inject); err != nil {
			return o, err
		}
	}
	return o, nil
}

package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/belay-dev/belay/cmd/kubectl-belay/offline"
	"github.com/belay-dev/belay/cmd/kubectl-belay/ticks"
)

const judgeHelp = `Judge what canary and stable did, tick by tick, as the controller would. No cluster is asked.

A tick is one interval of time, in which both arms were counted. Ticks come as CSV with a header, or as JSON lines (one
object per tick, with the same names); an input that begins with { is JSON. All counts are those of the tick alone, not
sums since the beginning.

  wide   canary_requests, canary_errors, stable_requests, stable_errors
         canary_le_BOUND, stable_le_BOUND for each bucket of a latency histogram, instead or besides
  long   arm (canary or stable), requests, errors, le_BOUND, and time: lines with the same time are one tick
  any    time (or tick)   a date (RFC 3339), seconds, or a number; later from tick to tick; shown, not judged
         weight           percentage of the traffic that the canary has, 0 to 100

Buckets are as in Prometheus: each holds the requests of all faster ones too, and le_+Inf holds all of them.
Lines that begin with # are skipped. A tick in which nothing came has zeros: an empty cell is refused.

Fail is final, and nothing after it is read. Pass belongs to a weight: the verdict is Pass if nothing failed and the
last weight has its Pass. At weight 100 without requests of stable the comparison is frozen: a Pass is kept, and the canary
is judged by the last hour of stable. All else is Inconclusive.

Counters and histogram are two metrics, each with its own alpha: one that fails, or the evidence of both together, is a
Fail, and Pass needs both.

The interval bounds by how much the canary's share of bad requests exceeds stable's (0.01 is one point); of a latency,
the share of requests that take longer than the bound that the sentence names. Its confidence is 1 - alpha, at all looks
together. -o json prints one object:

  verdict            Pass, Fail or Inconclusive
  tick               0-based, the tick that brought the verdict; null when Inconclusive
  eValue, logE       the evidence against the canary and its logarithm; Fail at logThreshold, which is ln(1/alpha)
                     (of two metrics the mean, and the sum of their alphas).
                     An eValue beyond the range of numbers is 1.7976931348623157e308; logE is exact
  lower, upper       the interval
  culprit            the metric that failed; null otherwise
  sentence           all of it for people
  metrics            the same for each metric, with the counts at the last weight
  and more           ticks, line, time, badRequests, excessBadRequests (of all ticks)

Exit codes: 0 Pass, 1 Fail, 2 not possible (usage, bad input), 3 Inconclusive.`

const judgeExamples = `  # a file
  kubectl belay judge --ticks ticks.csv

  # in a pipeline, for a program
  measure | kubectl belay judge --ticks - -o json | jq -r .sentence

  # how it came about
  kubectl belay judge --ticks ticks.csv --each

  # what the file looks like
  printf '%s\n' canary_requests,canary_errors,stable_requests,stable_errors,weight 250,19,4750,22,5 250,21,4750,24,5 |
    kubectl belay judge --ticks -

  # stricter: one error in 2,000 more than stable is too much, false alarms are rarer; pods are all alike
  kubectl belay judge --ticks ticks.csv --margin-percent 0 --margin-absolute 0.0005 --alpha 0.001 --phi 1 --noise 0

  # latencies in milliseconds
  kubectl belay judge --ticks latency.csv --unit ms

  # without stable: no more than 1 % may be bad
  kubectl belay judge --ticks ticks.csv --margin-percent=-100 --margin-absolute 0.01`

type judgeFlags struct {
	params judgeParams
	file   string
	noise  bool // was given
	name   string
	unit   string
	each   bool
	output string
}

func judgeCommand(s *session) *cobra.Command {
	f := judgeFlags{params: defaultJudgeParams()}
	cmd := &cobra.Command{
		Use:     "judge --ticks FILE|-",
		Short:   "Judge counts in a file as the controller would",
		Long:    judgeHelp,
		Example: judgeExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.noise = cmd.Flags().Changed("noise")
			return interruptible(cmd.Context(), func(ctx context.Context) error { return f.run(ctx, s.env) })
		},
	}
	cmd.Flags().StringVar(&f.file, "ticks", "", "The file; - reads standard input")
	f.params.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&f.name, "name", "", "How the metric is called in what is printed; a histogram beside counters is \"NAME latency\" (default errors, and latency)")
	cmd.Flags().StringVar(&f.unit, "unit", "s", "Unit of the histogram's bounds, as it is printed: s or ms")
	cmd.Flags().BoolVar(&f.each, "each", false, "Also print a line per tick")
	cmd.Flags().StringVarP(&f.output, "output", "o", "text", "text or json (with --each JSON lines, the result last)")
	return cmd
}

// interruptible returns when the context ends, also while work waits for input.
func interruptible(ctx context.Context, work func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f judgeFlags) run(ctx context.Context, env Environment) error {
	if f.output != "text" && f.output != "json" {
		return fmt.Errorf("--output is %q: it must be text or json", f.output)
	}
	if f.unit != "s" && f.unit != "ms" {
		return fmt.Errorf("--unit is %q: it must be s or ms", f.unit)
	}
	params, err := f.params.evidence()
	if err != nil {
		return err
	}
	in, err := f.open(env)
	if err != nil {
		return err
	}
	defer in.Close()
	reader, err := ticks.NewReader(in, ticks.Options{
		Alone: params.MarginRelative == 0, Seconds: params.TickSeconds,
		Warn: func(text string) { fmt.Fprintln(env.Streams.ErrOut, "warning: "+f.source()+": "+text) },
	})
	if err != nil {
		return f.bad(err)
	}
	judge, err := offline.NewJudge(offline.Input{
		Name: f.name, Counters: reader.Counters(), Bounds: reader.Bounds(), Unit: f.unit, AssumedNoise: !f.noise,
	}, params)
	if err != nil {
		return err
	}
	print := newPrinter(env.out(), f.output == "json", f.each)
	if err := f.judge(ctx, reader, judge, print); err != nil {
		return errors.Join(err, print.flush())
	}
	result := judge.Result()
	if err := print.result(result); err != nil {
		return err
	}
	return verdictCode(result.Verdict)
}

// judge reads to the end, or to the Fail.
func (f judgeFlags) judge(ctx context.Context, reader *ticks.Reader, judge *offline.Judge, print *printer) error {
	for ctx.Err() == nil {
		tick, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return f.bad(err)
		}
		final := judge.Add(tick)
		if f.each {
			if err := print.step(judge.Step(tick)); err != nil {
				return err
			}
		}
		if final {
			return nil
		}
	}
	return ctx.Err()
}

func (f judgeFlags) open(env Environment) (io.ReadCloser, error) {
	switch f.file {
	case "":
		return nil, errors.New("which ticks? Say --ticks FILE, or --ticks - for standard input; --help shows what they look like")
	case "-":
		return io.NopCloser(env.Streams.In), nil
	}
	return os.Open(f.file)
}

func (f judgeFlags) source() string {
	if f.file == "-" {
		return "standard input"
	}
	return f.file
}

func (f judgeFlags) bad(err error) error { return fmt.Errorf("%s: %w", f.source(), err) }

// verdictCode is a verdict as an exit code. What there is to say was printed.
func verdictCode(verdict string) error {
	switch verdict {
	case offline.Pass:
		return nil
	case offline.Fail:
		return &outcome{code: exitOtherwise}
	}
	return &outcome{code: exitInconclusive}
}

// jsonLine is a value on a line of its own. Text stays as people wrote it.
func jsonLine(w io.Writer, value any, indent string) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	return e.Encode(value)
}

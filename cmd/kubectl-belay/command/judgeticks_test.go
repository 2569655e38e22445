package command

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belay-dev/belay/cmd/kubectl-belay/offline"
)

var update = flag.Bool("update", false, "write the golden files")

// judged runs judge on a text at standard input.
func judged(t *testing.T, in string, args ...string) ran {
	t.Helper()
	var out, errOut bytes.Buffer
	env := (&cluster{}).environment(t, &out, &errOut)
	env.Streams.In = strings.NewReader(in)
	code := Run(t.Context(), append([]string{"judge", "--ticks", "-"}, args...), env)
	return ran{code: code, out: out.String(), err: errOut.String()}
}

// table of ticks in wide form: n of each line.
type some struct {
	n    int
	line string
}

func csv(blocks ...some) string {
	text := "canary_requests,canary_errors,stable_requests,stable_errors,weight\n"
	for _, b := range blocks {
		text += strings.Repeat(b.line+"\n", b.n)
	}
	return text
}

func TestJudgeTicks(t *testing.T) {
	healthy, faulty := some{60, "2500,10,7500,30,25"}, some{5, "250,20,4750,20,5"}
	for name, c := range map[string]struct {
		in      string
		args    []string
		code    int
		verdict string
		tick    int
		culprit string
	}{
		"faulty":                        {csv(faulty), nil, 1, "Fail", 1, "errors"},
		"healthy":                       {csv(healthy), nil, 0, "Pass", 58, ""},
		"too few to tell":               {csv(some{3, "250,1,4750,20,5"}), nil, 3, "Inconclusive", -1, ""},
		"nothing":                       {csv(), nil, 3, "Inconclusive", -1, ""},
		"a Pass belongs to a weight":    {csv(healthy, some{1, "5000,20,5000,20,50"}), nil, 3, "Inconclusive", -1, ""},
		"and is won again":              {csv(healthy, some{60, "5000,20,5000,20,50"}), nil, 0, "Pass", 103, ""},
		"in one tick":                   {csv(some{1, "9000000,0,9000000,90000,50"}, some{1, "9000000,0,9000000,90000,60"}), nil, 0, "Pass", 1, ""},
		"kept when stable has gone":     {csv(healthy, some{9, "10000,40,0,0,100"}), nil, 0, "Pass", 58, ""},
		"not won when stable has gone":  {csv(some{9, "10000,40,0,0,100"}), nil, 3, "Inconclusive", -1, ""},
		"lost when stable has gone":     {csv(healthy, some{9, "10000,900,0,0,100"}), nil, 1, "Fail", 61, "errors"},
		"a Fail after a Pass":           {csv(healthy, some{9, "2500,100,7500,30,25"}), nil, 1, "Fail", 63, "errors"},
		"what is after a Fail":          {csv(faulty) + "what, not, to, read\n", nil, 1, "Fail", 1, "errors"},
		"all bad":                       {csv(some{2, "10,10,990,5,5"}), nil, 1, "Fail", 1, "errors"},
		"a margin that allows it":       {csv(some{60, "2500,200,7500,30,25"}), []string{"--margin-absolute", "0.2"}, 0, "Pass", 0, ""},
		"a margin that does not":        {csv(some{60, "2500,14,7500,30,25"}), []string{"--margin-percent", "0", "--margin-absolute", "0", "--phi", "1", "--noise", "0"}, 1, "Fail", 13, "errors"},
		"a weak one":                    {csv(some{9, "250,8,4750,20,5"}), nil, 1, "Fail", 2, "errors"},
		"more certain":                  {csv(some{9, "250,8,4750,20,5"}), []string{"--alpha", "1e-8"}, 1, "Fail", 6, "errors"},
		"without stable":                {csv(some{60, "2500,100,7500,300,25"}), []string{"--margin-percent=-100", "--margin-absolute", "0.01"}, 1, "Fail", 1, "errors"},
		"clusters":                      {csv(faulty), []string{"--phi", "20"}, 3, "Inconclusive", -1, ""},
		"noise":                         {csv(faulty), []string{"--noise", "2"}, 3, "Inconclusive", -1, ""},
		"another name":                  {csv(faulty), []string{"--name", "5xx"}, 1, "Fail", 1, "5xx"},
		"ticks of an hour, as seconds":  {csv(faulty), []string{"--tick", "3600"}, 1, "Fail", 1, "errors"},
		"ticks of an hour, as duration": {csv(faulty), []string{"--tick", "1h"}, 1, "Fail", 1, "errors"},
	} {
		t.Run(name, func(t *testing.T) {
			got := judged(t, c.in, append(c.args, "-o", "json")...)
			var r offline.Result
			if err := json.Unmarshal([]byte(got.out), &r); err != nil {
				t.Fatalf("%v: %+v", err, got)
			}
			tick, culprit := -1, ""
			if r.Tick != nil {
				tick = *r.Tick
			}
			if r.Culprit != nil {
				culprit = *r.Culprit
			}
			if got.code != c.code || r.Verdict != c.verdict || tick != c.tick || culprit != c.culprit || got.err != "" {
				t.Errorf("exit code %d, %s at %d by %q, said %q: want %d, %s at %d by %q", got.code, r.Verdict, tick, culprit, got.err, c.code, c.verdict, c.tick, c.culprit)
			}
		})
	}
}

func TestJudgeRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.csv")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		in   string
		want string
	}{
		"no ticks":         {[]string{"--ticks", ""}, "", "which ticks? Say --ticks FILE, or --ticks - for standard input"},
		"no such file":     {[]string{"--ticks", "/does/not/exist"}, "", "open /does/not/exist: no such file"},
		"an empty file":    {[]string{"--ticks", empty}, "", empty + ": there is nothing in it"},
		"bad header":       {nil, "a,b\n", `error: standard input: line 1: column "a" is unknown`},
		"bad line":         {nil, csv(some{3, "1,0,1,0,5"}, some{1, "1,2,1,0,5"}), `standard input: line 5, column canary_errors is "2"`},
		"alpha":            {[]string{"--alpha", "0.6"}, "", "--alpha is 0.6: it must be from 1e-09 to 0.5"},
		"alpha is none":    {[]string{"--alpha", "NaN"}, "", "--alpha is NaN: it must be"},
		"beta":             {[]string{"--beta", "0"}, "", "--beta is 0: it must be from 1e-09 to 0.5"},
		"margin-percent":   {[]string{"--margin-percent=-101"}, "", "--margin-percent is -101: it must be from -100 to 9900"},
		"margin-absolute":  {[]string{"--margin-absolute", "1.1"}, "", "--margin-absolute is 1.1: it must be from 0 to 1"},
		"no margin at all": {[]string{"--margin-percent=-100", "--margin-absolute", "0"}, "", "relative and absolute margin are both 0"},
		"phi":              {[]string{"--phi", "0.5"}, "", "--phi is 0.5: it must be from 1 to 1000"},
		"noise":            {[]string{"--noise", "-1"}, "", "--noise is -1: it must be from 0 to 2"},
		"tick":             {[]string{"--tick", "2h"}, "", "--tick is 7200: it must be from 0.001 to 3600"},
		"tick is none":     {[]string{"--tick", "soon"}, "", `"soon" is no length of time: say 10s, 1m30s or 10 (seconds)`},
		"unit":             {[]string{"--unit", "min"}, "", `--unit is "min": it must be s or ms`},
		"latency margin":   {[]string{"--margin-percent=-99"}, "canary_le_1,canary_le_+Inf,stable_le_1,stable_le_+Inf\n", "relative margin is 0.01"},
		"output":           {[]string{"-o", "xml"}, "", `--output is "xml": it must be text or json`},
		"an argument":      {[]string{"ticks.csv"}, "", `unknown command "ticks.csv"`},
	} {
		t.Run(name, func(t *testing.T) { judged(t, c.in, c.args...).check(t, 2, "", c.want) })
	}
}

func TestJudgeWarns(t *testing.T) {
	in := "time,canary_requests,canary_errors,stable_requests,stable_errors\n2026-11-01T12:00:00Z,1,0,1,0\n2026-11-01T12:01:00Z,1,0,1,0\n"
	judged(t, in).check(t, 3, "", "warning: standard input: line 3 comes 60s after line 2, and a tick is said to be 10s: say --tick=60s\n")
	if got := judged(t, in, "--tick=60s"); got.err != "" {
		t.Errorf("said %q", got.err)
	}
}

// A file is read as standard input is, and what is printed is what it was.
func TestJudgeGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ticks.csv")
	in := "time,arm,requests,errors,weight\n" +
		"2026-11-01T12:00:00Z,canary,250,19,5\n2026-11-01T12:00:00Z,stable,4750,22,5\n" +
		"2026-11-01T12:00:10Z,canary,250,21,5\n2026-11-01T12:00:10Z,stable,4750,24,5\n" +
		"2026-11-01T12:00:20Z,stable,5000,25,0\n" +
		"2026-11-01T12:00:30Z,canary,250,30,5\n2026-11-01T12:00:30Z,stable,4750,24,5\n"
	if err := os.WriteFile(file, []byte(in), 0o600); err != nil {
		t.Fatal(err)
	}
	healthy := csv(some{60, "2500,10,7500,30,25"})
	for name, args := range map[string][]string{
		"text": nil, "json": {"-o", "json"}, "each": {"--each"}, "each-json": {"--each", "-o", "json"},
	} {
		golden(t, "judge-fail-"+name, run(t, &cluster{}, append([]string{"judge", "--ticks", file}, args...)...).out)
	}
	golden(t, "judge-pass", judged(t, healthy).out)
	golden(t, "judge-inconclusive", judged(t, csv(some{2, "250,1,4750,20,5"}), "-o", "json").out)
	histogram := "canary_requests,canary_errors,stable_requests,stable_errors,canary_le_100,canary_le_250,canary_le_500,canary_le_+Inf,stable_le_100,stable_le_250,stable_le_500,stable_le_+Inf\n"
	slow := histogram + strings.Repeat("2500,10,7500,30,800,1500,2100,2500,4500,6600,7350,7500\n", 9)
	golden(t, "judge-latency", judged(t, slow, "--name", "checkout", "--unit", "ms").out)
	golden(t, "judge-latency-json", judged(t, slow, "-o", "json").out)
	t.Setenv("KUBECACHEDIR", "/home/you/.kube/cache") // its default is in the help, and differs from home to home
	golden(t, "judge-help", run(t, &cluster{}, "judge", "--help").out)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run go test with -update and look at the result", err)
	}
	if got != string(want) {
		t.Errorf("%s is not as in %s; run go test with -update and look at the difference:\n%s", name, file, got)
	}
}

// Beyond the range of numbers the evidence is still told.
func TestEvidenceBeyondNumbers(t *testing.T) {
	got := judged(t, csv(some{1, "1000000,0,1000000,0,5"}, some{3, "9000000000,9000000000,9000000000,0,5"}), "--alpha", "1e-9", "-o", "json", "--each")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	var r offline.Result
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil || r.Verdict != "Fail" || !(r.EValue > 0 && r.EValue <= math.MaxFloat64) {
		t.Errorf("%v: %+v", err, r)
	}
}

// Who waits for input can be interrupted.
func TestJudgeIsInterrupted(t *testing.T) {
	var out, errOut bytes.Buffer
	env := (&cluster{}).environment(t, &out, &errOut)
	silent, hold := io.Pipe()
	t.Cleanup(func() { hold.CloseWithError(io.EOF) })
	env.Streams.In = silent
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := Run(ctx, []string{"judge", "--ticks", "-"}, env); code != exitInterrupted || errOut.String() != "" {
		t.Errorf("exit code %d, said %q", code, errOut.String())
	}
}

func BenchmarkJudge(b *testing.B) {
	in := csv(some{b.N, "2500,10,7500,30,25"})
	env := Environment{}
	env.Streams.In, env.Streams.Out, env.Streams.ErrOut = strings.NewReader(in), io.Discard, io.Discard
	b.ResetTimer()
	if code := Run(b.Context(), []string{"judge", "--ticks", "-"}, env); code == exitError {
		b.Fatal("it was refused")
	}
}

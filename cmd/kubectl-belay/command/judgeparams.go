package command

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/belay-dev/belay/analysis/evidence"
)

// judgeParams are the parameters of a comparison as flags.
type judgeParams struct {
	alpha, beta    float64
	marginPercent  float64
	marginAbsolute float64
	phi, noise     float64
	tick           seconds
}

func defaultJudgeParams() judgeParams {
	p := evidence.Defaults()
	return judgeParams{
		alpha: p.Alpha, beta: p.Beta, marginPercent: 10, marginAbsolute: p.MarginAbsolute,
		phi: p.Phi, noise: p.Noise, tick: seconds(p.TickSeconds),
	}
}

func (j *judgeParams) addFlags(flags *pflag.FlagSet) {
	flags.Float64Var(&j.alpha, "alpha", j.alpha, "Probability, at most, that a canary within the margin ever fails")
	flags.Float64Var(&j.beta, "beta", j.beta, "Probability, at most, that a canary beyond the margin passes at a weight")
	flags.Float64Var(&j.marginPercent, "margin-percent", j.marginPercent, "What is not worse yet, relative to stable: 10 is up to 1.1 times its share of bad requests; -100 compares with --margin-absolute alone")
	flags.Float64Var(&j.marginAbsolute, "margin-absolute", j.marginAbsolute, "A share of bad requests that is added to the margin")
	flags.Float64Var(&j.phi, "phi", j.phi, "By how much errors come in clusters; 1 is not at all")
	flags.Float64Var(&j.noise, "noise", j.noise, "By how much equal pods differ: the standard deviation of the logarithm of their ratio; 0 is not at all. Latencies have 0.02 where it is not given")
	flags.Var(&j.tick, "tick", "Length of a tick, as in 10s, or in seconds")
}

// evidence checks the flags by their names.
func (j judgeParams) evidence() (evidence.Params, error) {
	for _, flag := range []struct {
		name             string
		value, low, high float64
	}{
		{"alpha", j.alpha, 1e-9, 0.5},
		{"beta", j.beta, 1e-9, 0.5},
		{"margin-percent", j.marginPercent, -100, 9900},
		{"margin-absolute", j.marginAbsolute, 0, 1},
		{"phi", j.phi, 1, 1000},
		{"noise", j.noise, 0, 2},
		{"tick", float64(j.tick), 0.001, 3600},
	} {
		if !(flag.value >= flag.low && flag.value <= flag.high) {
			return evidence.Params{}, fmt.Errorf("--%s is %v: it must be from %v to %v", flag.name, flag.value, flag.low, flag.high)
		}
	}
	p := evidence.Defaults()
	p.Alpha, p.Beta, p.Phi, p.Noise = j.alpha, j.beta, j.phi, j.noise
	p.MarginRelative, p.MarginAbsolute = 1+j.marginPercent/100, j.marginAbsolute
	p.TickSeconds = float64(j.tick)
	return p, p.Validate()
}

// seconds is a length of time that is given as 10s, 1m30s or 10.
type seconds float64

func (s *seconds) String() string {
	return time.Duration(float64(*s) * float64(time.Second)).String()
}

func (s *seconds) Type() string { return "duration" }

func (s *seconds) Set(text string) error {
	if value, err := strconv.ParseFloat(text, 64); err == nil {
		*s = seconds(value)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no length of time: say 10s, 1m30s or 10 (seconds)", text)
	}
	*s = seconds(d.Seconds())
	return nil
}

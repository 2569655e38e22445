package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// Figure is one line of the report.
type Figure struct {
	Name string `json:"name"`
	// Target as a person reads it; empty: there is none.
	Target string `json:"target,omitempty"`
	// Unit of the numbers: ms, s, MiB, or what is counted.
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	// N is how often it was measured.
	N int `json:"n"`
}

// figure sums values up; without any it says so by N 0.
func figure(name, target, unit string, values ...float64) Figure {
	f := Figure{Name: name, Target: target, Unit: unit, N: len(values)}
	if len(values) == 0 {
		return f
	}
	sorted := slices.Sorted(slices.Values(values))
	f.Min, f.Max = sorted[0], sorted[len(sorted)-1]
	f.Median = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	return f
}

func milliseconds(all []time.Duration) []float64 {
	out := make([]float64, len(all))
	for i, d := range all {
		out[i] = float64(d.Microseconds()) / 1000
	}
	return out
}

func seconds(all []time.Duration) []float64 {
	out := make([]float64, len(all))
	for i, d := range all {
		out[i] = d.Seconds()
	}
	return out
}

// Report is everything that was measured.
type Report struct {
	// Cores of the machine, Rollouts in the cluster, and how long all of it took.
	Cores    int      `json:"cores"`
	Rollouts int      `json:"rollouts"`
	Seconds  float64  `json:"seconds"`
	Figures  []Figure `json:"figures"`
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Table writes the report for people.
func (r Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "what\ttarget\tmeasured\tmin – max\tn")
	for _, f := range r.Figures {
		measured, span := "not measured", ""
		if f.N > 0 {
			measured = number(f.Median) + " " + f.Unit
		}
		if f.N > 1 {
			span = number(f.Min) + " – " + number(f.Max)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\n", f.Name, f.Target, measured, span, f.N)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d cores, %d Rollouts, %.0f s in all\n", r.Cores, r.Rollouts, r.Seconds)
	return err
}

// number writes three digits that count.
func number(v float64) string {
	switch {
	case v == float64(int64(v)):
		return strconv.FormatInt(int64(v), 10)
	case v >= 100 || v <= -100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

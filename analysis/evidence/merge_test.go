package evidence

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestMerge(t *testing.T) {
	ln := math.Log
	tests := map[string]struct {
		parts   []Part
		logE    float64
		fail    bool
		culprit string
		share   float64
	}{
		"nothing":           {nil, math.Inf(-1), false, "", 0},
		"one, not enough":   {[]Part{{"errors", 0.01, ln(99)}}, ln(99), false, "errors", 1},
		"one, enough":       {[]Part{{"errors", 0.01, ln(101)}}, ln(101), true, "errors", 1},
		"one of two":        {[]Part{{"errors", 0.01, ln(101)}, {"latency", 0.01, -50}}, ln(50.5), true, "errors", 1},
		"neither alone":     {[]Part{{"errors", 0.01, ln(60)}, {"latency", 0.01, ln(45)}}, ln(52.5), true, "errors", 60.0 / 105},
		"by their alphas":   {[]Part{{"errors", 0.01, ln(60)}, {"latency", 0.03, ln(30)}}, ln(37.5), true, "latency", 0.9 / 1.5},
		"both nearly":       {[]Part{{"errors", 0.01, ln(40)}, {"latency", 0.01, ln(40)}}, ln(40), false, "errors", 0.5},
		"first by its name": {[]Part{{"latency", 0.01, ln(40)}, {"errors", 0.01, ln(40)}}, ln(40), false, "errors", 0.5},
		"overwhelming":      {[]Part{{"errors", 0.01, 1e6}, {"latency", 0.01, 2e6}}, 2e6 - ln(2), true, "latency", 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m := Merge(tc.parts)
			if math.Abs(m.LogE-tc.logE) > 1e-9 || m.Fail != tc.fail || m.Culprit != tc.culprit || math.Abs(m.Share-tc.share) > 1e-9 {
				t.Errorf("%+v", m)
			}
			if reached := m.LogE >= m.Threshold; reached != m.Fail {
				t.Errorf("Fail %v with ln E %v and threshold %v", m.Fail, m.LogE, m.Threshold)
			}
		})
	}
}

func drawParts(t *rapid.T) []Part {
	parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Part {
		return Part{Alpha: rapid.Float64Range(0.0001, 0.1).Draw(t, "alpha"), LogE: rapid.Float64Range(-20, 20).Draw(t, "ln E")}
	}), 1, 6).Draw(t, "parts")
	for i := range parts {
		parts[i].Name = fmt.Sprint("m", i)
	}
	return parts
}

func TestOrderOfMetricsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := drawParts(t)
		if a, b := Merge(parts), Merge(rapid.Permutation(parts).Draw(t, "order")); a != b {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

// What would fail alone fails together, and more evidence of one never lowers that of all.
func TestMergeKeepsVerdicts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := drawParts(t)
		m := Merge(parts)
		for _, p := range parts {
			if p.LogE >= -math.Log(p.Alpha)+slack && !m.Fail {
				t.Errorf("%s fails alone, and not in %+v", p.Name, m)
			}
		}
		at := rapid.IntRange(0, len(parts)-1).Draw(t, "at")
		parts[at].LogE += rapid.Float64Range(0, 5).Draw(t, "more")
		notAbove(t, "evidence of all", m.LogE, Merge(parts).LogE)
	})
}

// The mean of evidence is fair whatever the metrics have to do with each other: here the same one three times.
func TestMergeOfOneMetricSeveralTimes(t *testing.T) {
	c := added(t, plain(1, 0), both(100, 5, 300, 4))
	parts := []Part{{"a", 0.01, c.LogE()}, {"b", 0.02, c.LogE()}, {"c", 0.05, c.LogE()}}
	near(t, "ln E", Merge(parts).LogE, c.LogE(), 1e-12)
}

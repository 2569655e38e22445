package canarybench

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
)

func written(t *testing.T, name string) [][]string {
	t.Helper()
	var b strings.Builder
	if err := Generate(&b, name, 1, 0); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCSVOfCounters(t *testing.T) {
	lines := written(t, "clean")
	if got := strings.Join(lines[0], ","); got != "time,canary_requests,canary_errors,stable_requests,stable_errors,weight" {
		t.Errorf("the header is %s", got)
	}
	if len(lines) != 721 || lines[1][0] != "10" || lines[720][0] != "7200" || lines[360][5] != "5" || lines[361][5] != "25" {
		t.Errorf("%d lines, from %v over %v and %v to %v", len(lines), lines[1], lines[360], lines[361], lines[len(lines)-1])
	}
	var sums [4]int64
	for _, line := range lines[1:] {
		for i := range sums {
			sums[i] += number(t, line[i+1])
		}
	}
	want := [4]int64{360 * 300, 360 * 300 / 200, 360 * 1700, 360 * 1700 / 200}
	for i := range sums {
		if ratio := float64(sums[i]) / float64(want[i]); ratio < 0.85 || ratio > 1.15 {
			t.Errorf("%s: %d in all, want about %d", lines[0][i+1], sums[i], want[i])
		}
	}
}

func TestCSVOfBuckets(t *testing.T) {
	for name, buckets := range map[string]int{"latency-classic": 12, "latency-native": 98} {
		lines := written(t, name)
		if len(lines) != 361 || len(lines[0]) != 2+2*buckets {
			t.Fatalf("%s: %d lines of %d columns", name, len(lines), len(lines[0]))
		}
		if h := lines[0]; !strings.HasPrefix(h[1], "canary_le_0.0") || h[buckets] != "canary_le_+Inf" || h[2*buckets] != "stable_le_+Inf" || h[2*buckets+1] != "weight" {
			t.Errorf("%s: the header is %v", name, h)
		}
		for _, line := range lines[1:] {
			for arm := range 2 {
				for j := 1; j < buckets; j++ {
					if at := 1 + arm*buckets + j; number(t, line[at]) < number(t, line[at-1]) {
						t.Fatalf("%s: %s falls from %s to %s", name, lines[0][at], line[at-1], line[at])
					}
				}
			}
		}
	}
}

package bench

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestFigure(t *testing.T) {
	for name, tc := range map[string]struct {
		values []float64
		want   Figure
	}{
		"none":  {nil, Figure{}},
		"one":   {[]float64{3}, Figure{Median: 3, Min: 3, Max: 3, N: 1}},
		"odd":   {[]float64{9, 1, 4}, Figure{Median: 4, Min: 1, Max: 9, N: 3}},
		"even":  {[]float64{9, 1, 4, 2}, Figure{Median: 3, Min: 1, Max: 9, N: 4}},
		"zeros": {[]float64{0, 0}, Figure{N: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := figure("", "", "", tc.values...); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestWrites(t *testing.T) {
	got := writes("all", "few", []map[string]int{{"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 2, "c": 4}})
	want := []Figure{
		{Name: "all", Target: "few", Median: 3, Min: 3, Max: 7, N: 3},
		{Name: "  b", Median: 2, Min: 2, Max: 3, N: 3},
		{Name: "  a", Median: 1, Min: 0, Max: 1, N: 3},
		{Name: "  c", Median: 0, Min: 0, Max: 4, N: 3},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestReport(t *testing.T) {
	r := Report{Cores: 2, Rollouts: 3, Seconds: 61.4, Figures: []Figure{
		figure("fast", "≤ 250 ms", "ms", 12.34, 8, 150.6), figure("once", "", "s", 1.234), figure("never", "0", ""),
	}}
	var table, doc bytes.Buffer
	if err := r.Table(&table); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"what   target    measured      min – max  n",
		"fast   ≤ 250 ms  12.3 ms       8 – 151    3",
		"once             1.23 s                   1",
		"never  0         not measured             0",
		"2 cores, 3 Rollouts, 61 s in all",
		"",
	}, "\n")
	if table.String() != want {
		t.Errorf("the table is\n%s\nwant\n%s", table.String(), want)
	}
	if err := r.JSON(&doc); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(doc.Bytes(), &back); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("JSON gives %+v back: %v", back, err)
	}
}

package evidence

import (
	"math"
	"testing"
)

func TestLogSums(t *testing.T) {
	none, all := math.Inf(-1), math.Inf(1)
	for _, tc := range []struct{ x, y, want float64 }{
		{none, none, none}, {none, 3, 3}, {3, none, 3}, {0, 0, math.Ln2}, {1e6, 1e6, 1e6 + math.Ln2}, {-1e6, 5, 5}, {all, 1, all},
		{math.Log(3), math.Log(4), math.Log(7)},
	} {
		if got := logSum([]float64{tc.x, tc.y}); got != tc.want && !(math.Abs(got-tc.want) < 1e-15) {
			t.Errorf("the sum of %v and %v is %v, want %v", tc.x, tc.y, got, tc.want)
		}
	}
	if got := logSum(nil); got != none {
		t.Errorf("the sum of nothing is %v", got)
	}
}

package canarybench

import (
	"math"
	"strconv"
)

// grouped prints a whole number with commas.
func grouped(x float64) string {
	digits := strconv.FormatInt(int64(math.Round(x)), 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

package evidence

import (
	"math"
	"strconv"
)

// Numbers in sentences. Shares and points are hundredths, with two significant digits of the larger
// number of a pair and with one decimal at least, the same for both: 7.2 % and 0.3 %, 0.62 % and 0.51 %.
const (
	leastDecimals = 1
	mostDecimals  = 6
	// roundingSlack keeps the rounding of floating point from making a bound of 0.3 one of 0.4.
	roundingSlack = 1e-6
)

// decimals that the share needs as a percentage.
func decimals(share float64) int {
	digits := leastDecimals
	for scaled := 100 * share; scaled > 0 && scaled*math.Pow10(digits) < 10-roundingSlack && digits < mostDecimals; {
		digits++
	}
	return digits
}

// text is "361/5,012 (7.2 %)".
func (c Counts) text(digits int) string {
	return Grouped(c.Bad) + "/" + Grouped(c.Requests) + " (" + c.percent(digits) + ")"
}

// percent rounds to the nearest, but says neither "none" where there were some nor "all" where there
// were others.
func (c Counts) percent(digits int) string {
	step := math.Pow10(-digits - 2)
	switch share := c.BadShare(); {
	case c.Bad > 0 && share < step/2:
		return "< " + percent(step, digits)
	case c.Bad < c.Requests && share > 1-step/2:
		return "> " + percent(1-step, digits)
	default:
		return percent(share, digits)
	}
}

func percent(share float64, digits int) string {
	return strconv.FormatFloat(100*share, 'f', digits, 64) + " %"
}

// down and up round the bounds of an interval outwards.
func down(share float64, digits int) string {
	return bound(math.Floor(100*share*math.Pow10(digits)+roundingSlack), digits)
}

func up(share float64, digits int) string {
	return bound(math.Ceil(100*share*math.Pow10(digits)-roundingSlack), digits)
}

func bound(scaled float64, digits int) string {
	return strconv.FormatFloat(math.Abs(scaled)/math.Pow10(digits), 'f', digits, 64)
}

// Grouped has commas between thousands.
func Grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// Confidence is 1-α in percent, with no more digits than it has.
func Confidence(alpha float64) string {
	const digits = 7 // of an α of 1e-9, the smallest allowed
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Round(100*(1-alpha)*scale)/scale, 'f', -1, 64) + " %"
}

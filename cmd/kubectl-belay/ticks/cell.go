package ticks

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxCount is what a count of one tick may be: more would be no count but a mistake, and sums of millions of such
// ticks still fit.
const maxCount = 1_000_000_000_000

// record is one line of the input, cell by cell, with what an error needs to know about it.
type record struct {
	layout *layout
	cells  [][]byte
	line   int
}

// wrong says what stands where, and what is allowed there.
func (r record) wrong(at int, allowed string) error {
	cell := r.cells[at]
	if len(cell) == 0 {
		return fmt.Errorf("line %d, column %s is empty: %s", r.line, r.layout.names[at], allowed)
	}
	const most = 60
	if len(cell) > most {
		cell = append(append([]byte(nil), cell[:most]...), "…"...)
	}
	return fmt.Errorf("line %d, column %s is %q: %s", r.line, r.layout.names[at], cell, allowed)
}

const countWanted = "it must be a whole number from 0 to 1000000000000, and 0 where nothing came"

// count reads requests, errors and buckets. A number such as 12.0 or 1e3 is as whole as 12.
func (r record) count(at int) (int64, error) {
	cell := r.cells[at]
	if n, ok := digits(cell); ok {
		return n, nil
	}
	value, err := strconv.ParseFloat(string(cell), 64)
	if err != nil || !(value >= 0 && value <= maxCount) || value != math.Trunc(value) {
		return 0, r.wrong(at, countWanted)
	}
	return int64(value), nil
}

// digits is the way of nearly all cells.
func digits(cell []byte) (n int64, ok bool) {
	const most = 12 // digits that are below maxCount
	if len(cell) == 0 || len(cell) > most {
		return 0, false
	}
	for _, c := range cell {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

func (r record) weight(at int) (float64, error) {
	value, err := strconv.ParseFloat(string(r.cells[at]), 64)
	if err != nil || !(value >= 0 && value <= 100) {
		return 0, r.wrong(at, "it must be a percentage of the traffic, from 0 to 100")
	}
	return value, nil
}

// moment of a tick: seconds since some beginning, of which a date knows which.
type moment struct {
	seconds float64
	dated   bool
}

func (r record) moment(at int) (moment, error) {
	cell := string(r.cells[at])
	if value, err := strconv.ParseFloat(cell, 64); err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
		return moment{seconds: value}, nil
	}
	date, err := time.Parse(time.RFC3339Nano, cell)
	if err != nil {
		return moment{}, r.wrong(at, "it must be a date as in 2026-11-01T12:00:00Z (RFC 3339), seconds, or the number of the tick")
	}
	return moment{seconds: float64(date.Unix()) + float64(date.Nanosecond())/1e9, dated: true}, nil
}

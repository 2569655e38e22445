package canarybench

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WriteCSV writes the stream in the form that `kubectl belay judge --ticks` reads, a line per tick:
//
//	time              seconds since the start, at the end of the tick
//	canary_le_0.005…  requests of the canary that ended in the tick and took no longer than 0.005 s, and so on
//	                  until canary_le_+Inf, which are all; cumulative over the bounds, as Prometheus has it
//	stable_le_0.005…  those of the stable
//	weight            that the canary was to have, in percent
func (s *LatencyStream) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := []string{"time"}
	for _, arm := range []string{"canary", "stable"} {
		for _, bound := range s.truth.Bounds {
			line = append(line, arm+"_le_"+strconv.FormatFloat(bound, 'g', -1, 64))
		}
		line = append(line, arm+"_le_+Inf")
	}
	line = append(line, "weight")
	for {
		if err := out.Write(line); err != nil {
			return err
		}
		tick, more := s.Next()
		if !more {
			out.Flush()
			return out.Error()
		}
		line = append(line[:0], whole(int64(s.ticks)*TickSeconds))
		line = cumulative(cumulative(line, tick.Canary), tick.Stable)
		line = append(line, strconv.FormatFloat(100*s.truth.Weight, 'g', 12, 64))
	}
}

func cumulative(line []string, counts []int64) []string {
	sum := int64(0)
	for _, n := range counts {
		sum += n
		line = append(line, whole(sum))
	}
	return line
}

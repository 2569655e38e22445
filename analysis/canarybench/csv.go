package canarybench

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WriteCSV writes the stream in the form that `kubectl belay judge --ticks` reads, a line per tick:
//
//	time             seconds since the start, at the end of the tick
//	canary_requests  requests of the canary that ended in the tick, and
//	canary_errors    how many of them were bad
//	stable_requests, stable_errors
//	weight           that the canary was to have, in percent
func (s *Stream) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	line := []string{"time", "canary_requests", "canary_errors", "stable_requests", "stable_errors", "weight"}
	for {
		if err := out.Write(line); err != nil {
			return err
		}
		tick, more := s.Next()
		if !more {
			out.Flush()
			return out.Error()
		}
		line = append(line[:0], whole(int64(s.tick)*TickSeconds),
			whole(tick.Canary.Requests), whole(tick.Canary.Bad), whole(tick.Stable.Requests), whole(tick.Stable.Bad),
			strconv.FormatFloat(100*s.Weight(), 'g', 12, 64))
	}
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

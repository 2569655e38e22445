package command

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// span is a time as Prometheus writes it, with days and weeks.
type span time.Duration

func (s *span) String() string { return model.Duration(*s).String() }

func (s *span) Type() string { return "duration" }

func (s *span) Set(text string) error {
	d, err := model.ParseDuration(text)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no length of time: say 14d, 12h or 90m", text)
	}
	*s = span(d)
	return nil
}

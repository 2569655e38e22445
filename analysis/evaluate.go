package analysis

import (
	"math"
	"strconv"
	"strings"
)

// shownValues of a list; the rest is counted.
const shownValues = 5

// Evaluate judges an answer by the plan's conditions. It never fails: what cannot be judged is a
// measurement with the outcome NoData, Unavailable or Misconfigured and the reason.
func (p *Plan) Evaluate(result Result, err error) Measurement {
	if err != nil {
		outcome := Unavailable
		if IsConfiguration(err) {
			outcome = Misconfigured
		}
		return Measurement{Outcome: outcome, Message: err.Error()}
	}
	values := result.Values()
	c := p.conditions
	if !c.list && len(values) > 1 {
		return Measurement{Outcome: Misconfigured, Value: formatList(values), Message: "the query returns " +
			strconv.Itoa(len(values)) + " series where the condition expects one: aggregate it, as in sum(...), or write the condition for a list, as in result.all(x, x < 0.01)"}
	}
	if reason := c.missing(values); reason != "" {
		return Measurement{Outcome: NoData, Message: reason}
	}
	return c.judge(values)
}

// missing says why the values are no measurement, or nothing if they are one or the conditions
// cope with what is special about them.
func (c *conditions) missing(values []float64) string {
	if len(values) == 0 && !c.handles("default") {
		return "the query returns no series (where none means 0, as for errors that never happened, write (... or vector(0)) around them)"
	}
	for _, v := range values {
		switch {
		case math.IsNaN(v) && !c.handles("isNaN") && (c.list || !c.handles("default")):
			return "the query returns NaN (0/0: no requests in its window?)"
		case math.IsInf(v, 0) && !c.handles("isInf"):
			return "the query returns an infinity (a division by 0?)"
		}
	}
	return ""
}

func (c *conditions) judge(values []float64) Measurement {
	var input any = values
	shown := formatList(values)
	if !c.list {
		v := math.NaN()
		shown = "none"
		if len(values) == 1 {
			v = values[0]
			shown = formatValue(v)
		}
		input = v
	}
	success, failure, err := c.outcomes(input)
	switch {
	case isUnordered(err):
		return Measurement{Outcome: NoData, Message: "the query returns NaN, which the condition compares"}
	case err != nil:
		return Measurement{Outcome: Misconfigured, Value: shown, Message: "the condition cannot be evaluated: " + err.Error()}
	case failure:
		return Measurement{Outcome: Failure, Value: shown}
	case success:
		return Measurement{Outcome: Success, Value: shown}
	}
	return Measurement{Outcome: Inconclusive, Value: shown}
}

// outcomes of both conditions. One alone: its opposite is the other. Where both are given and both
// hold, failure is what counts.
func (c *conditions) outcomes(input any) (success, failure bool, err error) {
	switch {
	case c.failure == nil:
		success, err = c.success.holds(input)
		return success, err == nil && !success, err
	case c.success == nil:
		failure, err = c.failure.holds(input)
		return err == nil && !failure, failure, err
	}
	success, err = c.success.holds(input)
	if err != nil && !isUnordered(err) {
		return false, false, err
	}
	failure, err = c.failure.holds(input)
	if err != nil && !isUnordered(err) {
		return false, false, err
	}
	return success, failure, nil
}

func formatValue(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

func formatList(values []float64) string {
	shown := make([]string, 0, shownValues)
	for _, v := range values[:min(len(values), shownValues)] {
		shown = append(shown, formatValue(v))
	}
	text := "[" + strings.Join(shown, " ") + "]"
	if more := len(values) - len(shown); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}

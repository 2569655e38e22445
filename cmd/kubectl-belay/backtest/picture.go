package backtest

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// columns of the picture: of all that was seen within one, the most is drawn.
const columns = 960

// trace is the evidence over time, as a logarithm to the base 10.
type trace struct {
	start  time.Time
	column time.Duration
	most   []float64 // NaN where nothing was seen
}

func newTrace(start, end time.Time) *trace {
	t := &trace{start: start, column: end.Sub(start)/columns + 1, most: make([]float64, columns)}
	for i := range t.most {
		t.most[i] = math.NaN()
	}
	return t
}

func (t *trace) look(at time.Time, logE float64) {
	i := min(columns-1, int(at.Sub(t.start)/t.column))
	if e := logE / math.Ln10; !(e <= t.most[i]) {
		t.most[i] = e
	}
}

// The frame of the picture, and what it shows of evidence.
const (
	left, top      = 60, 40
	height         = 320
	lowest, higher = -3.0, 4.0
)

func y(e float64) float64 {
	return top + height*(higher-math.Max(lowest, math.Min(higher, e)))/(higher-lowest)
}

// path of the trace, broken where nothing was seen.
func (t *trace) path() string {
	var b strings.Builder
	pen := "M"
	for i, e := range t.most {
		if math.IsNaN(e) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%d %.1f", pen, left+i, y(e))
		pen = "L"
	}
	return b.String()
}

// SVG is the evidence over time: what stable against itself looks like, and with a fault.
func (r *Report) SVG() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", left+columns+20, top+height+60)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	fmt.Fprintf(&b, `<text x="%d" y="20" font-size="14">%s: evidence against the canary, %s to %s</text>`+"\n",
		left, escaped(r.Namespace+"/"+r.Name), r.Since.Format(time.RFC3339), r.Until.Format(time.RFC3339))
	for e := lowest; e <= higher; e++ {
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			left, left+columns, y(e), y(e), left-6, y(e)+4, math.Pow(10, e))
	}
	limit := y(r.threshold / math.Ln10)
	fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#c00" stroke-dasharray="6 4"/>`+"\n", left, left+columns, limit, limit)
	if r.Injected != nil {
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="#e69f00"/>`+"\n", r.Injected.trace.path())
	}
	if r.Healthy.trace != nil {
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="#0072b2"/>`+"\n", r.Healthy.trace.path())
	}
	legend := `<tspan fill="#0072b2">stable against itself</tspan>`
	if r.Injected != nil {
		legend += fmt.Sprintf(` · <tspan fill="#e69f00">with a fault, %s → %s</tspan>`, percent(r.inject.From), percent(r.inject.To))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">%s · <tspan fill="#c00">Fail</tspan></text>`+"\n", left, top+height+40, legend)
	b.WriteString("</svg>\n")
	return b.String()
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

package analysis

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

var (
	number = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
	word   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// checkValue refuses what no label and no argument needs, but what can hide a second query.
func checkValue(variable, value string) error {
	if !utf8.ValidString(value) {
		return configurationf("%s is not valid UTF-8: correct its value", describe(variable))
	}
	for _, r := range value {
		if r == '\n' || r == '\r' {
			return configurationf("%s contains a newline, which no query may get: remove it from %q", describe(variable), value)
		}
		if unicode.IsControl(r) || r == utf8.RuneError {
			return configurationf("%s contains a control character: remove it from %q", describe(variable), value)
		}
	}
	return nil
}

// escape makes a value the content of a PromQL string. Quotes are written as code points since
// \" is an error between single quotes and \' between double ones.
func escape(value string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\x22`, `'`, `\x27`).Replace(value)
}

// rendering is one substitution: a neutral word for each variable, chosen so that neither the
// query nor a value contains it.
type rendering struct {
	segments []segment
	neutral  map[string]string // variable → word, or the value itself where it is a number or a duration
	words    map[string]string // variable → word, only where it is one
}

func (q *query) rendering(values map[string]string, elapsed time.Duration) *rendering {
	var seen strings.Builder
	seen.WriteString(q.source)
	for _, value := range values {
		seen.WriteString("\n" + value)
	}
	stem := "zz"
	for strings.Contains(seen.String(), stem) {
		stem += "z"
	}
	r := &rendering{segments: q.segments, neutral: map[string]string{}, words: map[string]string{}}
	for i, s := range q.segments {
		if _, done := r.neutral[s.variable]; done || s.variable == "" {
			continue
		}
		value, given := values[s.variable]
		switch {
		case s.variable == "Interval":
			r.neutral[s.variable] = model.Duration(q.interval).String()
		case s.variable == "Since":
			// Rounded down: a window must not reach back into the step before. 0s is not PromQL.
			r.neutral[s.variable] = model.Duration(max(elapsed.Truncate(time.Second), time.Second)).String()
		case given && isQuantity(value):
			// A number or a duration is one token wherever it stands; it cannot open or close anything.
			r.neutral[s.variable] = value
		default:
			r.words[s.variable] = fmt.Sprintf("%s%dq", stem, i)
			r.neutral[s.variable] = r.words[s.variable]
		}
	}
	return r
}

func isQuantity(value string) bool {
	if number.MatchString(value) {
		return true
	}
	_, err := model.ParseDuration(value)
	return err == nil
}

// text with the given values; neutral words for variables without one.
func (r *rendering) text(values map[string]string) string {
	var b strings.Builder
	for _, s := range r.segments {
		value, given := values[s.variable]
		switch {
		case s.variable == "":
			b.WriteString(s.text)
		case given:
			b.WriteString(escape(value))
		default:
			b.WriteString(r.neutral[s.variable])
		}
	}
	return b.String()
}

// locate turns an offset in the neutral text into one in the declared query, and says in which
// variable it lies, if in one.
func (r *rendering) locate(offset int) (int, string) {
	start := 0
	for _, s := range r.segments {
		length := len(s.text)
		if s.variable != "" {
			length = len(r.neutral[s.variable])
		}
		if offset < start+length {
			if s.variable != "" {
				return s.pos, s.variable
			}
			return s.pos + offset - start, ""
		}
		start += length
	}
	if len(r.segments) == 0 {
		return 0, ""
	}
	last := r.segments[len(r.segments)-1]
	return last.pos + len(last.text), ""
}

// readable writes variables instead of neutral words.
func (r *rendering) readable(text string) string {
	for variable, w := range r.words {
		text = strings.ReplaceAll(text, w, "{{ ."+variable+" }}")
	}
	return text
}

// sameShape parses the text and compares it with the neutral query after its words were replaced
// in the syntax tree, where a value cannot be anything but the content of one leaf. before is
// consumed.
func (r *rendering) sameShape(before parser.Expr, text string, values map[string]string) (parser.Expr, error) {
	after, err := newParser().ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("it no longer parses: %w", err)
	}
	quoted := stringsOf(before)
	neutral := r.text(nil)
	var pairs []string
	for variable, w := range r.words {
		value, given := values[variable]
		if !given {
			continue
		}
		// A word that stands outside of quotes is a name; only a name may take its place.
		if !word.MatchString(value) && strings.Count(neutral, w) != strings.Count(quoted, w) {
			return nil, fmt.Errorf("it stands outside of quotes")
		}
		pairs = append(pairs, w, value)
	}
	replaceLeaves(before, strings.NewReplacer(pairs...))
	if before.String() != after.String() {
		return nil, fmt.Errorf("it is read as more than one value")
	}
	return after, nil
}

// stringsOf joins the contents of everything that is written between quotes.
func stringsOf(expr parser.Expr) string {
	var b strings.Builder
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.StringLiteral:
			b.WriteString(n.Val + "\n")
		case *parser.VectorSelector:
			for _, m := range n.LabelMatchers {
				if m.Name != model.MetricNameLabel || m.Value != n.Name {
					b.WriteString(m.Value + "\n")
				}
			}
		}
		return nil
	})
	return b.String()
}

// replaceLeaves replaces in every name and string of the tree. Trees are ours alone: nothing else
// holds the one that was parsed.
func replaceLeaves(expr parser.Expr, replacer *strings.Replacer) {
	each := func(list []string) {
		for i := range list {
			list[i] = replacer.Replace(list[i])
		}
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.StringLiteral:
			n.Val = replacer.Replace(n.Val)
		case *parser.VectorSelector:
			n.Name = replacer.Replace(n.Name)
			for _, m := range n.LabelMatchers {
				m.Name, m.Value = replacer.Replace(m.Name), replacer.Replace(m.Value)
			}
		case *parser.AggregateExpr:
			each(n.Grouping)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				each(n.VectorMatching.MatchingLabels)
				each(n.VectorMatching.Include)
			}
		}
		return nil
	})
}

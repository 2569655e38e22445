package view

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// style is what a piece of text means; colours are derived from it in one place.
type style uint8

const (
	plain style = iota
	strong
	faint
	good
	bad
	warning
	lively
)

func (s style) sequence() string {
	switch s {
	case strong:
		return "\x1b[1m"
	case faint:
		return "\x1b[2m"
	case good:
		return "\x1b[32m"
	case bad:
		return "\x1b[31m"
	case warning:
		return "\x1b[33m"
	case lively:
		return "\x1b[36m"
	default:
		return ""
	}
}

// cell is a piece of a line in one style.
type cell struct {
	text  string
	style style
}

// columns that a text takes on a terminal.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// clean makes one line of what others wrote, without anything that a terminal obeys.
func clean(text string) string {
	return strings.Join(strings.FieldsFunc(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, text), func(r rune) bool { return r == ' ' }), " ")
}

// line is what is written before it is cut and coloured.
type line []cell

// pad brings the line to a number of columns.
func (l line) pad(to int) line {
	n := 0
	for _, c := range l {
		n += columns(c.text)
	}
	if n < to {
		l = append(l, cell{text: strings.Repeat(" ", to-n)})
	}
	return l
}

// write appends the line, cut to the width.
func (l line) write(b *strings.Builder, o Options) {
	l = l.trim()
	if o.Width > 0 {
		l = l.cut(o.Width)
	}
	for _, c := range l {
		if sequence := c.style.sequence(); o.Colour && sequence != "" {
			b.WriteString(sequence + c.text + "\x1b[0m")
		} else {
			b.WriteString(c.text)
		}
	}
	b.WriteByte('\n')
}

// trim takes blanks off the end.
func (l line) trim() line {
	for len(l) > 0 {
		last := &l[len(l)-1]
		if text := strings.TrimRight(last.text, " "); text != "" {
			last.text = text
			return l
		}
		l = l[:len(l)-1]
	}
	return l
}

// cut leaves at most this many columns, the last one an ellipsis where something is missing.
func (l line) cut(limit int) line {
	total := 0
	for _, c := range l {
		total += columns(c.text)
	}
	if total <= limit {
		return l
	}
	var out line
	left := limit - 1
	for _, c := range l {
		var kept strings.Builder
		for _, r := range c.text {
			if left -= runeColumns(r); left < 0 {
				break
			}
			kept.WriteRune(r)
		}
		out = append(out, cell{text: kept.String(), style: c.style})
		if left < 0 {
			break
		}
	}
	return append(out.trim(), cell{text: "…", style: faint})
}

// wrap breaks a sentence between words; a word that is too long stands alone. 0 columns: no breaks.
func wrap(text string, limit int) []string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	lines := []string{words[0]}
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		if limit > 0 && columns(*last)+1+columns(word) > limit {
			lines = append(lines, word)
		} else {
			*last += " " + word
		}
	}
	return lines
}

package repository

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// apply writes the edits into the text of the head, touching no other byte. from is the text that
// the new scalars stand in. It fails rather than to guess: what is not written on one line, or
// would not read back as exactly the wanted change, is left to people.
func apply(head, from []byte, edits []edit) ([]byte, error) {
	if err := positionsHold(head); err != nil {
		return nil, err
	}
	if err := positionsHold(from); err != nil {
		return nil, err
	}
	type patch struct {
		start, end int
		text       string
	}
	patches := make([]patch, 0, len(edits))
	for _, e := range edits {
		start, end, err := locateScalar(head, e.head)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
		fromStart, fromEnd, err := locateScalar(from, e.from)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
		patches = append(patches, patch{start, end, spell(e, string(from[fromStart:fromEnd]))})
	}
	slices.SortFunc(patches, func(a, b patch) int { return b.start - a.start })
	out := slices.Clone(head)
	last := len(head) + 1
	for _, p := range patches {
		if p.end > last {
			return nil, fmt.Errorf("two values overlap in the text")
		}
		out = slices.Replace(out, p.start, p.end, []byte(p.text)...)
		last = p.start
	}
	return out, readsBack(head, out, edits)
}

// positionsHold says whether the parser's lines and columns can be found in the text: it counts
// some rare characters as line breaks, and a byte order mark not at all.
func positionsHold(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("the file is not UTF-8")
	}
	for _, odd := range []string{"\ufeff", "\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(text, []byte(odd)) {
			return fmt.Errorf("the file has the character %U in it", []rune(odd)[0])
		}
	}
	if bytes.Contains(bytes.ReplaceAll(text, []byte("\r\n"), nil), []byte("\r")) {
		return fmt.Errorf("the file has a carriage return without line feed in it")
	}
	return nil
}

// locateScalar finds the bytes of a scalar, quotes included.
func locateScalar(text []byte, n *yaml.Node) (start, end int, err error) {
	severalLines := fmt.Errorf("the value is not written on one line, or with an anchor or a tag")
	line := text
	for i := 1; i < n.Line; i++ {
		_, rest, ok := bytes.Cut(line, []byte("\n"))
		if !ok {
			return 0, 0, severalLines
		}
		line = rest
	}
	start = len(text) - len(line)
	line, _, _ = bytes.Cut(line, []byte("\n"))
	for i := 1; i < n.Column; i++ {
		_, size := utf8.DecodeRune(line)
		if size == 0 {
			return 0, 0, severalLines
		}
		start, line = start+size, line[size:]
	}
	length := -1
	switch n.Style &^ yaml.FlowStyle {
	case 0: // plain
		if n.Value != "" && bytes.HasPrefix(line, []byte(n.Value)) {
			length = len(n.Value)
		}
	case yaml.SingleQuotedStyle:
		length = quoted(line, '\'')
	case yaml.DoubleQuotedStyle:
		length = quoted(line, '"')
	}
	if length < 0 {
		return 0, 0, severalLines
	}
	return start, start + length, nil
}

// quoted returns the length of the quoted scalar that a line begins with, or -1.
func quoted(line []byte, mark byte) int {
	if len(line) == 0 || line[0] != mark {
		return -1
	}
	for i := 1; i < len(line); i++ {
		switch {
		case mark == '"' && line[i] == '\\':
			i++
		case line[i] != mark:
		case mark == '\'' && i+1 < len(line) && line[i+1] == mark:
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// spell writes the new value as the head writes the old one, if that says the same; otherwise as
// it was written where it comes from.
func spell(e edit, raw string) string {
	if e.head.Style == e.from.Style || e.from.ShortTag() != "!!str" {
		return raw
	}
	plainText := !strings.ContainsFunc(e.from.Value, func(r rune) bool { return r < ' ' || r > '~' })
	switch {
	case e.head.Style == yaml.SingleQuotedStyle && plainText:
		return "'" + strings.ReplaceAll(e.from.Value, "'", "''") + "'"
	case e.head.Style == yaml.DoubleQuotedStyle && plainText:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(e.from.Value) + `"`
	}
	return raw
}

// readsBack proves that the new text differs from the old one by the edits and nothing else,
// comments included.
func readsBack(before, after []byte, edits []edit) error {
	old, err := parse(before)
	if err != nil {
		return err
	}
	now, err := parse(after)
	if err != nil {
		return fmt.Errorf("the result is no YAML: %w", err)
	}
	w := witness{want: map[position]*yaml.Node{}}
	for _, e := range edits {
		w.want[position{e.head.Line, e.head.Column}] = e.from
	}
	if !slices.EqualFunc(old, now, w.same) || w.hits != len(w.want) {
		return fmt.Errorf("the value cannot be replaced without changing what stands around it")
	}
	return nil
}

// position is where a node begins in the old text.
type position struct{ line, column int }

// witness compares two texts node by node and counts the edits that it meets.
type witness struct {
	want map[position]*yaml.Node
	hits int
}

func (w *witness) same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Anchor != b.Anchor || !sameComments(a, b) {
		return false
	}
	switch a.Kind {
	case yaml.ScalarNode:
		if edited := w.want[position{a.Line, a.Column}]; edited != nil {
			w.hits++
			a = edited
		}
		return a.Value == b.Value && a.ShortTag() == b.ShortTag()
	case yaml.AliasNode:
		return a.Value == b.Value
	}
	return slices.EqualFunc(a.Content, b.Content, w.same)
}

func sameComments(a, b *yaml.Node) bool {
	return a.HeadComment == b.HeadComment && a.LineComment == b.LineComment && a.FootComment == b.FootComment
}

package ticks

import (
	"bytes"
	"fmt"
)

// table is CSV with a header. Cells may stand in quotes; no cell that is allowed holds a comma or a quote.
type table struct {
	lines *lines
	names []string
	cells [][]byte
}

func newTable(l *lines, header []byte) (*table, error) {
	t := &table{lines: l}
	for _, cell := range bytes.Split(header, []byte(",")) {
		t.names = append(t.names, string(unquoted(cell)))
	}
	if len(t.names) == 1 && bytes.ContainsAny(header, ";\t") {
		return nil, fmt.Errorf("line %d: %q is one column: columns are separated by commas", l.number, header)
	}
	t.cells = make([][]byte, len(t.names))
	return t, nil
}

func (t *table) columns() []string { return t.names }
func (t *table) line() int         { return t.lines.number }

func (t *table) next() ([][]byte, error) {
	rest, err := t.lines.next()
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(rest, []byte(",")) + 1; n != len(t.cells) {
		return nil, fmt.Errorf("line %d has %d columns, and the header has %d: every line has a value for each", t.line(), n, len(t.cells))
	}
	for i := range t.cells {
		var cell []byte
		cell, rest, _ = bytes.Cut(rest, []byte(","))
		t.cells[i] = unquoted(cell)
	}
	return t.cells, nil
}

func unquoted(cell []byte) []byte {
	cell = bytes.TrimSpace(cell)
	if n := len(cell); n >= 2 && cell[0] == '"' && cell[n-1] == '"' {
		return bytes.TrimSpace(cell[1 : n-1])
	}
	return cell
}

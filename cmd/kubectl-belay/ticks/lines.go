package ticks

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds what is held of the input at once.
const maxLine = 1 << 20

// lines hands out the lines that say something, with their numbers: no empty ones, no comments (#).
type lines struct {
	in     *bufio.Reader
	number int
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, maxLine)} }

// next returns a line without the spaces around it. It is valid until the next call.
func (l *lines) next() ([]byte, error) {
	for {
		text, err := l.in.ReadSlice('\n')
		l.number++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d is longer than %d bytes: one tick a line is wanted", l.number, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("line %d: %w", l.number, err)
		}
		if l.number == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff")) // what some editors put first
		}
		if text = bytes.TrimSpace(text); len(text) > 0 && text[0] != '#' {
			return text, nil
		}
		if err != nil {
			return nil, io.EOF
		}
	}
}

// source is one of the two formats. Both give records of the same columns.
type source interface {
	// columns of all records.
	columns() []string
	// next returns the cells of the next record, in the order of columns. They are valid until the next call.
	next() ([][]byte, error)
	// line number of the last record.
	line() int
}

// open looks at the first byte: an object begins JSON lines, all else is the header of a CSV.
func open(in io.Reader) (source, error) {
	l := newLines(in)
	first, err := l.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("there is nothing in it: a header and one line per tick are wanted (CSV), or one object per tick and line (JSON)")
	case err != nil:
		return nil, err
	case first[0] == '[':
		return nil, fmt.Errorf("line %d begins an array: JSON lines are wanted, that is one object per tick and line, without [ and ] around them", l.number)
	case first[0] == '{':
		return newObjects(l, first)
	}
	return newTable(l, first)
}

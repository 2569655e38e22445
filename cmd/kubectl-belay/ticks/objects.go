package ticks

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// objects are JSON lines. The keys of the first are the columns, and every other has the same.
type objects struct {
	lines *lines
	names []string
	place map[string]int
	cells [][]byte
	given []bool
	first bool // the first object was taken apart, and is the next record
}

func newObjects(l *lines, text []byte) (*objects, error) {
	o := &objects{lines: l, place: map[string]int{}, first: true}
	err := o.each(text, func(key, value []byte) error {
		if _, twice := o.place[string(key)]; twice {
			return fmt.Errorf("line %d has %q twice", o.line(), key)
		}
		o.place[string(key)] = len(o.names)
		o.names, o.cells = append(o.names, string(key)), append(o.cells, bytes.Clone(value))
		return nil
	})
	o.given = make([]bool, len(o.names))
	return o, err
}

func (o *objects) columns() []string { return o.names }
func (o *objects) line() int         { return o.lines.number }

func (o *objects) next() ([][]byte, error) {
	if o.first {
		o.first = false
		return o.cells, nil
	}
	text, err := o.lines.next()
	if err != nil {
		return nil, err
	}
	clear(o.given)
	err = o.each(text, o.take)
	if err != nil {
		return nil, err
	}
	for i, given := range o.given {
		if !given {
			return nil, fmt.Errorf("line %d has no %q, which the first line has: every line has the same keys", o.line(), o.names[i])
		}
	}
	return o.cells, nil
}

func (o *objects) take(key, value []byte) error {
	i, known := o.place[string(key)]
	switch {
	case !known:
		return fmt.Errorf("line %d has %q, which the first line has not: every line has the same keys", o.line(), key)
	case o.given[i]:
		return fmt.Errorf("line %d has %q twice", o.line(), key)
	}
	o.given[i] = true
	o.cells[i] = append(o.cells[i][:0], value...)
	return nil
}

// each calls found for each key of the object that is the whole line. Once the line is known to be JSON, taking it apart
// needs no more checks.
func (o *objects) each(text []byte, found func(key, value []byte) error) error {
	if !json.Valid(text) || text[0] != '{' {
		return fmt.Errorf("line %d: it is not one JSON object, such as {\"canary_requests\": 120, …}", o.line())
	}
	for rest := text[1:]; ; {
		rest = bytes.TrimLeft(rest, ", \t\r")
		if rest[0] == '}' {
			return nil
		}
		var key, value []byte
		var err error
		if key, rest, err = o.text(rest); err != nil {
			return err
		}
		rest = bytes.TrimLeft(rest, ": \t\r")
		if value, rest, err = o.value(rest, key); err != nil {
			return err
		}
		if err := found(key, value); err != nil {
			return err
		}
	}
}

// text takes a string off the front.
func (o *objects) text(from []byte) (content, rest []byte, err error) {
	end := 1
	for from[end] != '"' {
		if from[end] == '\\' {
			end++
		}
		end++
	}
	content, rest = from[1:end], from[end+1:]
	if !bytes.ContainsRune(content, '\\') {
		return content, rest, nil
	}
	var plain string
	err = json.Unmarshal(from[:end+1], &plain)
	return []byte(plain), rest, err
}

// value takes a number or a string off the front, as text; null is as good as an empty cell.
func (o *objects) value(from, key []byte) (content, rest []byte, err error) {
	switch from[0] {
	case '"':
		content, rest, err = o.text(from)
		return bytes.TrimSpace(content), rest, err
	case '{', '[', 't', 'f':
		return nil, nil, fmt.Errorf("line %d, column %q is neither a number nor a string", o.line(), key)
	}
	end := bytes.IndexAny(from, ",} \t\r")
	if content = from[:end]; string(content) == "null" {
		content = nil
	}
	return content, from[end:], nil
}

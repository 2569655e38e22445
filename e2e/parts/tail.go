package parts

import (
	"bytes"
	"strings"
	"sync"
)

// tailLines is how much of a compiler's output is worth showing: the first
// error stands near the end, since the compiler stops after ten.
const tailLines = 25

// tail keeps the last lines that were written to it.
type tail struct {
	mu    sync.Mutex
	lines []string
	rest  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for {
		i := bytes.IndexByte(t.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		line := string(t.rest[:i])
		t.rest = t.rest[i+1:]
		// Downloads are most of the lines and none of the reasons.
		if strings.HasPrefix(line, "go: downloading ") {
			continue
		}
		t.lines = append(t.lines, line)
		if len(t.lines) > tailLines {
			t.lines = t.lines[1:]
		}
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.lines
	if len(t.rest) > 0 {
		lines = append(lines[:len(lines):len(lines)], string(t.rest))
	}
	return strings.Join(lines, "\n")
}

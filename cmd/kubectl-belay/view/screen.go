package view

import (
	"fmt"
	"io"
	"strings"
)

// Screen redraws a text in place on a terminal, below what stood there before.
type Screen struct {
	out    io.Writer
	height func() int
	drawn  int
	last   string
}

// NewScreen draws to a terminal whose height in lines is asked for at each drawing; 0: unknown.
func NewScreen(out io.Writer, height func() int) *Screen {
	return &Screen{out: out, height: height}
}

// Draw replaces what was drawn last. What does not fit the height is cut off, because lines that scrolled away cannot be
// replaced. An unchanged text is not drawn again.
func (s *Screen) Draw(text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if height := s.height(); height > 1 && len(lines) >= height {
		hidden := len(lines) - (height - 2)
		lines = append(lines[:height-2], fmt.Sprintf("… %d more lines", hidden))
	}
	joined := strings.Join(lines, "\n")
	if joined == s.last {
		return nil
	}
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", s.drawn)
	}
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.drawn, s.last = len(lines), joined
	_, err := io.WriteString(s.out, b.String())
	return err
}

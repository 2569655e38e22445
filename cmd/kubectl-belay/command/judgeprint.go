package command

import (
	"bufio"
	"io"

	"github.com/belay-dev/belay/cmd/kubectl-belay/offline"
)

// printer of judgements: a million lines are not written one by one.
type printer struct {
	out        *bufio.Writer
	json, each bool
	begun      bool
}

func newPrinter(out io.Writer, json, each bool) *printer {
	return &printer{out: bufio.NewWriter(out), json: json, each: each}
}

func (p *printer) step(s offline.Step) error {
	if p.json {
		return jsonLine(p.out, s, "")
	}
	if !p.begun {
		p.begun = true
		if err := p.line(offline.StepHeader); err != nil {
			return err
		}
	}
	return p.line(s.Text())
}

func (p *printer) line(text string) error {
	_, err := p.out.WriteString(text + "\n")
	return err
}

func (p *printer) result(r offline.Result) error {
	var err error
	switch {
	case p.json && p.each:
		err = jsonLine(p.out, r, "")
	case p.json:
		err = jsonLine(p.out, r, "  ")
	case p.begun:
		err = p.line("\n" + r.Text())
	default:
		_, err = p.out.WriteString(r.Text())
	}
	if err != nil {
		return err
	}
	return p.flush()
}

func (p *printer) flush() error { return p.out.Flush() }

package process

import (
	"context"
	"fmt"
)

// Exec runs the program to its end and reports a non-zero exit, or that ctx ended first, as an error. It is what exec
// probes and lifecycle hooks need.
func (s *Starter) Exec(ctx context.Context, spec Spec) error {
	p, err := s.Start(spec)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		<-p.Done()
		return fmt.Errorf("command %q did not end in time: %w", spec.Command[0], context.Cause(ctx))
	}
	if code := p.Exit().Code; code != 0 {
		return fmt.Errorf("command %q exited with %d", spec.Command[0], code)
	}
	return nil
}

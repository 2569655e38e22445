package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
)

// Exposure is one address inside that is reachable from the outside.
type Exposure struct {
	// Address is the address outside, as 127.0.0.1:port.
	Address string

	control  net.Conn
	listener net.Listener
}

// Expose makes target (host:port inside the namespace) reachable from the
// outside. Name is unique and short; port is the port wanted outside, 0 for
// any, and another one is taken where it is in use. The exposure lasts until
// Close or until this process ends.
func Expose(ctx context.Context, name, target string, port int) (*Exposure, error) {
	dir := Folder()
	if dir == "" {
		return nil, fmt.Errorf("%s is not set: %s can be reached from the outside only in a process that `bin/local run` started", Variable, name)
	}
	return exposeIn(ctx, dir, name, target, port)
}

func exposeIn(ctx context.Context, dir, name, target string, port int) (*Exposure, error) {
	var dialer net.Dialer
	control, err := dialer.DialContext(ctx, "unix", filepath.Join(dir, "control"))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		return nil, errors.Join(err, control.Close())
	}
	e := &Exposure{control: control, listener: listener}
	stop := context.AfterFunc(ctx, func() { _ = control.Close() })
	defer stop()
	var got answer
	err = json.NewEncoder(control).Encode(request{Name: name, Port: port})
	if err == nil {
		err = json.NewDecoder(control).Decode(&got)
	}
	if err == nil && got.Error != "" {
		err = errors.New(got.Error)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("expose %s: %w", name, err), e.Close())
	}
	e.Address = got.Address
	go accept(listener, func() (net.Conn, error) { return net.Dial("tcp", target) })
	return e, nil
}

// Close ends the exposure. Connections that are open stay open.
func (e *Exposure) Close() error {
	return errors.Join(e.control.Close(), e.listener.Close())
}

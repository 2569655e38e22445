package forward

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// Variable is the environment variable that tells processes inside the
// namespace the folder where the two halves meet.
const Variable = "BELAY_FORWARD"

// Folder is where the two halves meet: a folder that lives as long as the
// launcher, and so a good place for what must not outlive it. It is empty in a
// process that no launcher started.
func Folder() string { return os.Getenv(Variable) }

// request is what the inside half asks for, answer what it gets: one JSON
// object each. The exposure ends with the connection on which it was asked for.
type request struct {
	// Name is the file name of the socket on which the inside half listens.
	Name string `json:"name"`
	// Port is the port that is wanted outside; 0 means any.
	Port int `json:"port,omitempty"`
}

type answer struct {
	Address string `json:"address,omitempty"`
	Error   string `json:"error,omitempty"`
}

// Outside is the half outside the namespace.
type Outside struct {
	// Dir is the value for Variable.
	Dir string

	control net.Listener
	open    sync.WaitGroup
	mu      sync.Mutex
	closers map[net.Conn]struct{}
}

// Serve starts the outside half in a new folder.
func Serve() (*Outside, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	control, err := net.Listen("unix", filepath.Join(dir, "control"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	o := &Outside{Dir: dir, control: control, closers: map[net.Conn]struct{}{}}
	o.open.Add(1)
	go func() {
		defer o.open.Done()
		for {
			conn, err := control.Accept()
			if err != nil {
				return
			}
			if !o.track(conn) {
				return
			}
			o.open.Add(1)
			go func() {
				defer o.open.Done()
				defer o.drop(conn)
				o.serve(conn)
			}()
		}
	}()
	return o, nil
}

// folder makes the folder. The path of a socket may have 107 characters, which
// a long TMPDIR would not leave room for.
func folder() (string, error) {
	base := os.TempDir()
	if len(base) > 60 {
		base = "/tmp"
	}
	return os.MkdirTemp(base, "belay-forward-")
}

// Close ends all exposures and removes the folder.
func (o *Outside) Close() error {
	err := o.control.Close()
	o.mu.Lock()
	for conn := range o.closers {
		_ = conn.Close()
	}
	o.closers = nil
	o.mu.Unlock()
	o.open.Wait()
	return errors.Join(err, os.RemoveAll(o.Dir))
}

func (o *Outside) track(conn net.Conn) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closers == nil {
		_ = conn.Close()
		return false
	}
	o.closers[conn] = struct{}{}
	return true
}

func (o *Outside) drop(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = conn.Close()
	delete(o.closers, conn)
}

// serve is the life of one exposure.
func (o *Outside) serve(conn net.Conn) {
	var asked request
	if err := json.NewDecoder(conn).Decode(&asked); err != nil {
		return
	}
	reply := json.NewEncoder(conn)
	listener, err := listen(asked)
	if err != nil {
		_ = reply.Encode(answer{Error: err.Error()})
		return
	}
	if err := reply.Encode(answer{Address: listener.Addr().String()}); err != nil {
		_ = listener.Close()
		return
	}
	go func() {
		// Nothing more is said on this connection; its end is the message.
		_, _ = conn.Read(make([]byte, 1))
		_ = listener.Close()
	}()
	accept(listener, func() (net.Conn, error) {
		return net.Dial("unix", filepath.Join(o.Dir, asked.Name))
	})
}

// listen takes the wanted port, or any if that one is taken.
func listen(asked request) (net.Listener, error) {
	if !fs.ValidPath(asked.Name) || asked.Name != filepath.Base(asked.Name) || asked.Name == "." || asked.Name == "control" {
		return nil, fmt.Errorf("%q cannot be the name of an exposure: it must be a plain file name", asked.Name)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", asked.Port))
	if err != nil && asked.Port != 0 {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return listener, err
}

package gitserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/belay-dev/belay/e2e/gitserver/gitcli"
)

// Outage is a way of being down.
type Outage int

// Refusing closes the port; Unavailable answers everything with 503.
const (
	Refusing Outage = iota + 1
	Unavailable
)

// Options say where the server keeps its repositories and where it listens.
type Options struct {
	Dir     string
	Address string // host:port; a free port of 127.0.0.1 unless set
}

// Server serves the repositories of a directory until Close.
type Server struct {
	dir, backend string

	mu      sync.Mutex
	address string
	http    *http.Server // nil while the port is closed
	outage  Outage
	repos   map[string]*Repository
}

// Start begins to serve; git with its http-backend has to be installed.
func Start(ctx context.Context, options Options) (*Server, error) {
	exec, err := gitcli.Git{Dir: options.Dir}.Run(ctx, "--exec-path")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: options.Dir, backend: filepath.Join(exec, "git-http-backend"), address: options.Address, repos: map[string]*Repository{}}
	if _, err := os.Stat(s.backend); err != nil {
		return nil, fmt.Errorf("git was installed without http-backend: %w", err)
	}
	if s.address == "" {
		s.address = "127.0.0.1:0"
	}
	return s, s.Up()
}

// Up ends an outage. The server has the same address as before.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = 0
	if s.http != nil {
		return nil
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func(server *http.Server) {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "gitserver:", err)
		}
	}(s.http)
	return nil
}

// Down begins an outage. Requests under way are cut off.
func (s *Server) Down(how Outage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage = how
	if how == Refusing && s.http != nil {
		_ = s.http.Close()
		s.http = nil
	}
}

// Close ends the server for good. The repositories stay.
func (s *Server) Close() { s.Down(Refusing) }

// URL is the server's address, under which a repository is <name>.git.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "http://" + s.address
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Create makes an empty repository with the branch main. Pushes need user and password.
func (s *Server) Create(ctx context.Context, name, user, password string) (*Repository, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("repository name %q: want lower case letters, digits and dashes", name)
	}
	dir := filepath.Join(s.dir, name+".git")
	if _, err := (gitcli.Git{Dir: s.dir}).Run(ctx, "init", "--quiet", "--bare", "--initial-branch=main", dir); err != nil {
		return nil, err
	}
	r := &Repository{server: s, name: name, user: user, password: password, git: gitcli.Git{Dir: dir}}
	for _, setting := range []string{
		"http.receivepack=true", "uploadpack.allowFilter=true", "uploadpack.allowAnySHA1InWant=true",
		"receive.denyNonFastForwards=true", "receive.denyDeletes=true", "gc.auto=0", "receive.autogc=false",
	} {
		key, value, _ := strings.Cut(setting, "=")
		if _, err := r.git.Run(ctx, "config", key, value); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[name] = r
	return r, nil
}

// find returns the repository that a request's path is about.
func (s *Server) find(path string) (*Repository, Outage) {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), ".git/")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repos[name], s.outage
}

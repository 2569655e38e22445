package gitserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/belay-dev/belay/e2e/gitserver/gitcli"
)

// Repository is one bare repository of the server.
type Repository struct {
	server               *Server
	name, user, password string
	git                  gitcli.Git

	mu                  sync.Mutex
	before              func()
	attempted, accepted int
	listeners           []chan struct{}
}

// URL is where the repository is cloned from and pushed to.
func (r *Repository) URL() string { return r.server.URL() + "/" + r.name + ".git" }

// Dir is the bare repository's directory.
func (r *Repository) Dir() string { return r.git.Dir }

// BeforePush sets what is to happen when a push has arrived and git has not seen it yet: a Commit there makes the push lose
// a race. It is called for every push; nil ends it.
func (r *Repository) BeforePush(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = do
}

// Pushes counts the pushes over the network: how many came, and how many of them moved a branch.
func (r *Repository) Pushes() (attempted, accepted int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempted, r.accepted
}

// Pushed returns a channel that receives a value after a branch has moved. Values that nobody takes are not piled up.
func (r *Repository) Pushed() <-chan struct{} {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners = append(r.listeners, c)
	return c
}

// Refuse lets every push over the network fail with a message, as a protected branch does; an empty message ends it.
func (r *Repository) Refuse(message string) error {
	hook := filepath.Join(r.git.Dir, "hooks", "pre-receive")
	if message == "" {
		return os.Remove(hook)
	}
	if strings.ContainsAny(message, "'\n") {
		return fmt.Errorf("message %q: want one line without quotes", message)
	}
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		return err
	}
	return os.WriteFile(hook, []byte("#!/bin/sh\necho '"+message+"' >&2\nexit 1\n"), 0o755)
}

// receive lets git take a push and tells whether it did.
func (r *Repository) receive(push func()) {
	r.mu.Lock()
	r.attempted++
	before := r.before
	r.mu.Unlock()
	if before != nil {
		before()
	}
	// The client may be gone before git is done; whether the branch moved has to be known all the same.
	ctx := context.Background()
	old := r.refs(ctx)
	push()
	if r.refs(ctx) == old {
		return
	}
	r.mu.Lock()
	r.accepted++
	r.mu.Unlock()
	r.notify()
}

func (r *Repository) refs(ctx context.Context) string {
	refs, err := r.git.Run(ctx, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		return err.Error()
	}
	return refs
}

func (r *Repository) notify() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.listeners {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

package repository

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// Options say how an Engine works. Dir is required.
type Options struct {
	// Dir holds the clones. It belongs to one Engine at a time and is created with mode 0700.
	// What is in it may be deleted while no Engine uses it.
	Dir string
	// AllowProtocols are spoken besides https and ssh: "file" and "http", for tests and local
	// clusters. Over http, credentials travel in clear.
	AllowProtocols []string
	// CommandTimeout bounds every single git command. Default: one minute.
	CommandTimeout time.Duration
	// Now is the clock of the circuit breaker. Required if a Repository has CommitsPerHour.
	Now func() time.Time
	// Log gets a line for what is unusual but handled (a clone made again). Optional.
	Log func(text string)
}

// Engine implements gitops.Engine. Calls for different branches run in parallel, calls for the
// same branch one after the other.
type Engine struct {
	options Options
	git     string
	keygen  string // empty: commits cannot be signed

	mu     sync.Mutex
	clones map[string]*clone

	rendering sync.Mutex // kustomize keeps its schemas for the whole process
}

var _ gitops.Engine = (*Engine)(nil)

const (
	defaultCommandTimeout = time.Minute
	minMajor, minMinor    = 2, 38 // merge-tree --write-tree
)

// New checks that a usable git is there and prepares the directory. The error says what is missing.
func New(ctx context.Context, options Options) (*Engine, error) {
	if options.Dir == "" {
		return nil, unsupported("the Git engine needs a directory for its clones")
	}
	if options.CommandTimeout == 0 {
		options.CommandTimeout = defaultCommandTimeout
	}
	if options.Log == nil {
		options.Log = func(string) {}
	}
	dir, err := filepath.Abs(options.Dir) // git runs elsewhere
	if err != nil {
		return nil, fmt.Errorf("directory of the Git clones: %w", err)
	}
	options.Dir = dir
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, unsupported("git is not installed: reverts need the git command, %d.%d or newer", minMajor, minMinor)
	}
	if err := checkVersion(ctx, git); err != nil {
		return nil, err
	}
	keygen, _ := exec.LookPath("ssh-keygen") // missing: an error only when a commit must be signed
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of the Git clones: %w", err)
	}
	// A process that was killed leaves its keys here.
	if err := os.RemoveAll(filepath.Join(options.Dir, scratchDir)); err != nil {
		return nil, fmt.Errorf("directory of the Git clones: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(options.Dir, scratchDir), 0o700); err != nil {
		return nil, fmt.Errorf("directory of the Git clones: %w", err)
	}
	return &Engine{options: options, git: git, keygen: keygen, clones: map[string]*clone{}}, nil
}

var versionPattern = regexp.MustCompile(`(\d+)\.(\d+)`)

func checkVersion(ctx context.Context, git string) error {
	ctx, cancel := context.WithTimeout(ctx, defaultCommandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, git, "version")
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		return unsupported("git does not run: %v", err)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return unsupported("git tells no version that can be read: %q", out)
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	if major < minMajor || major == minMajor && minor < minMinor {
		return unsupported("git %d.%d is too old: reverts need %d.%d or newer", major, minor, minMajor, minMinor)
	}
	return nil
}

// cloneOf returns the one clone object for a repository and branch.
func (e *Engine) cloneOf(repo gitops.Repository, branch string) *clone {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := cloneName(repo.URL, branch)
	c := e.clones[name]
	if c == nil {
		c = &clone{dir: filepath.Join(e.options.Dir, name), busy: make(chan struct{}, 1)}
		e.clones[name] = c
	}
	return c
}

// with runs do on the clone of a branch, alone, with the credentials in place. If the clone turns
// out to be damaged it is made again, once.
func (e *Engine) with(ctx context.Context, repo gitops.Repository, src gitops.Source, do func(*session) error) error {
	if err := validate(repo, src, e.options.AllowProtocols); err != nil {
		return err
	}
	c := e.cloneOf(repo, src.Branch)
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return canceled(ctx)
	}
	for again := false; ; again = true {
		err := e.once(ctx, repo, src, c, do)
		if !isDamaged(err) {
			return err
		}
		if again {
			return &gitops.Error{Class: gitops.ClassTransient, Text: "the Git clone in the cache is damaged, even after it was made again", Detail: detail(err)}
		}
		e.options.Log("a Git clone in the cache is damaged and is made again: " + detail(err))
		if err := c.discard(); err != nil {
			return local("the damaged clone cannot be removed", err)
		}
	}
}

func (e *Engine) once(ctx context.Context, repo gitops.Repository, src gitops.Source, c *clone, do func(*session) error) error {
	s, err := e.newSession(repo, src, c)
	if err != nil {
		return err
	}
	defer s.close()
	if err := c.open(ctx, s); err != nil {
		return err
	}
	return do(s)
}

// Tip implements gitops.Engine.
func (e *Engine) Tip(ctx context.Context, repo gitops.Repository, src gitops.Source) (gitops.Tip, error) {
	var tip gitops.Tip
	err := e.with(ctx, repo, src, func(s *session) error {
		head, err := s.fetchHead(ctx)
		if err != nil {
			return err
		}
		if tip, err = s.tip(ctx, head); err != nil {
			return err
		}
		present, err := s.anyPath(ctx, head)
		if err == nil && !present {
			return &gitops.Error{Class: gitops.ClassNotFound,
				Text: fmt.Sprintf("none of the paths %q exists on branch %q", src.Paths, src.Branch)}
		}
		return err
	})
	return tip, err
}

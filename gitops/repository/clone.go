package repository

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/belay-dev/belay/gitops"
)

const (
	filter  = "blob:none"
	headRef = "refs/belay/head"
	ready   = "belay-ready" // the last file that open writes
	// Every fetch leaves a pack, and repacking costs more than fetching one commit again.
	maxPacks = 300
)

// clone is one bare repository on disk: one branch of one URL.
type clone struct {
	dir  string
	busy chan struct{} // holds one token while the clone is used

	opened bool
}

func cloneName(url, branch string) string {
	sum := sha256.Sum256([]byte(url + "\x00" + branch))
	return hex.EncodeToString(sum[:12]) + ".git"
}

// open makes the clone usable: new, or as a process before us left it.
func (c *clone) open(ctx context.Context, s *session) error {
	if c.opened {
		return c.shed()
	}
	if _, err := os.Stat(filepath.Join(c.dir, ready)); err == nil {
		c.opened = true
		return c.removeLocks()
	}
	if err := c.discard(); err != nil {
		return local("an unfinished clone cannot be removed", err)
	}
	if _, err := s.run(ctx, call{args: []string{"init", "--quiet", "--bare", "--template="}}); err != nil {
		return err
	}
	for _, kv := range [][2]string{{"remote.origin.url", s.repo.URL}, {"core.repositoryFormatVersion", "1"}} {
		if _, err := s.run(ctx, call{args: []string{"config", kv[0], kv[1]}}); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(c.dir, ready), nil, 0o600); err != nil {
		return local("the clone cannot be written", err)
	}
	c.opened = true
	return nil
}

// shed throws the clone away when it has collected too many packs. The next fetch makes it again.
func (c *clone) shed() error {
	packs, err := filepath.Glob(filepath.Join(c.dir, "objects", "pack", "*.pack"))
	if err == nil && len(packs) <= maxPacks {
		return nil
	}
	return &damaged{detail: fmt.Sprintf("it has %d packs", len(packs))}
}

// removeLocks removes what a killed git left. The clone is ours alone, so nobody holds them.
func (c *clone) removeLocks() error {
	err := filepath.WalkDir(c.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "objects" {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".lock") {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		return &damaged{detail: err.Error()}
	}
	return nil
}

func (c *clone) discard() error {
	c.opened = false
	return os.RemoveAll(c.dir)
}

// fetchHead fetches the branch and returns the id of its head.
func (s *session) fetchHead(ctx context.Context) (string, error) {
	known, err := s.run(ctx, call{args: []string{"rev-parse", "--quiet", "--verify", headRef}, exits: []int{1}})
	if err != nil {
		return "", err
	}
	var depth []string
	if known.exit != 0 {
		depth = []string{"--depth=1"} // later fetches bring what is new since, and no more
	}
	if err := s.fetch(ctx, depth, s.branchSpec()); err != nil {
		return "", err
	}
	return s.text(ctx, "rev-parse", "--verify", headRef)
}

func (s *session) fetch(ctx context.Context, options []string, what ...string) error {
	return s.fetchWith(ctx, nil, options, what)
}

func (s *session) fetchWith(ctx context.Context, config [][2]string, options, what []string) error {
	args := append([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=" + filter}, options...)
	args = append(args, "--stdin", "--end-of-options", "origin")
	_, err := s.run(ctx, call{args: args, stdin: []byte(strings.Join(what, "\n") + "\n"), network: true, config: config})
	return err
}

// need makes sure that commits are here, with their trees, and fetches the missing ones alone.
// what names them in the error.
func (s *session) need(ctx context.Context, what string, commits ...string) error {
	missing, err := s.missing(ctx, commits)
	if err != nil || len(missing) == 0 {
		return err
	}
	err = s.fetch(ctx, []string{"--depth=1"}, missing...)
	if !isNotFound(err) {
		return err
	}
	// Old servers give branches only, so look along the branch.
	for _, how := range deepening() {
		if !s.clone.shallow() {
			break
		}
		if err := s.fetch(ctx, []string{how}, s.branchSpec()); err != nil {
			return err
		}
		if missing, err := s.missing(ctx, commits); err != nil || len(missing) == 0 {
			return err
		}
	}
	return &gitops.Error{Class: gitops.ClassNotFound, Err: err, Text: fmt.Sprintf("the repository has no commit for %s (any more)", what)}
}

func isNotFound(err error) bool {
	var e *gitops.Error
	return errors.As(err, &e) && e.Class == gitops.ClassNotFound
}

// needBlobs makes sure that file contents are here. Ids that are empty or no blobs are skipped.
func (s *session) needBlobs(ctx context.Context, blobs []string) error {
	missing, err := s.missing(ctx, blobs)
	if err != nil || len(missing) == 0 {
		return err
	}
	// Without negotiation: a server that hears that we have the head of a shallow clone takes it that
	// we have the files of the head, too.
	return s.fetchWith(ctx, [][2]string{{"fetch.negotiationAlgorithm", "noop"}}, nil, missing)
}

// missing returns those of the objects that are not here, each once.
func (s *session) missing(ctx context.Context, objects []string) ([]string, error) {
	sizes, err := s.sizes(ctx, objects)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, id := range unique(objects) {
		if _, here := sizes[id]; !here && id != "" {
			missing = append(missing, id)
		}
	}
	return missing, nil
}

// sizes returns the sizes in bytes of those objects that are here.
func (s *session) sizes(ctx context.Context, objects []string) (map[string]int, error) {
	ask := strings.TrimSpace(strings.Join(unique(objects), "\n"))
	if ask == "" {
		return nil, nil
	}
	a, err := s.run(ctx, call{args: []string{"cat-file", "--batch-check=%(objectname) %(objectsize)"}, stdin: []byte(ask + "\n")})
	if err != nil {
		return nil, err
	}
	return sizesOf(a.out), nil
}

package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"github.com/belay-dev/belay/gitops"
)

// absent is the mode of a file that is not there.
const absent = "000000"

// file is an entry of a tree.
type file struct{ mode, blob string }

// change is a file that differs between two trees.
type change struct {
	path     string
	from, to file
}

func (f file) exists() bool { return f.mode != absent && f.mode != "" }

// regular is false for symbolic links and submodules, whose contents are no text of ours.
func (f file) regular() bool { return strings.HasPrefix(f.mode, "100") }

// pathspecs are the paths of F as arguments; none means everything.
func (s *session) pathspecs() []string {
	specs := make([]string, 0, len(s.src.Paths))
	for _, p := range s.src.Paths {
		if p == "." {
			return nil
		}
		specs = append(specs, strings.TrimSuffix(p, "/"))
	}
	return specs
}

// tip describes F at a commit by the ids of its topmost entries.
func (s *session) tip(ctx context.Context, commit string) (gitops.Tip, error) {
	args := []string{"ls-tree", "-z", "--full-tree", "--end-of-options", commit}
	specs := s.pathspecs()
	if specs != nil {
		args = append(append(args, "--"), specs...)
	}
	a, err := s.run(ctx, call{args: args})
	if err != nil {
		return gitops.Tip{}, err
	}
	sum := sha256.Sum256(a.out)
	return gitops.Tip{Commit: commit, Inputs: hex.EncodeToString(sum[:])}, nil
}

func (s *session) anyPath(ctx context.Context, commit string) (bool, error) {
	tree, err := s.list(ctx, commit, s.pathspecs())
	return len(tree) > 0, err
}

// list returns all files at the paths, by path.
func (s *session) list(ctx context.Context, treeish string, paths []string) (map[string]file, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", "--end-of-options", treeish}
	if len(paths) > 0 {
		args = append(append(args, "--"), paths...)
	}
	a, err := s.run(ctx, call{args: args})
	if err != nil {
		return nil, err
	}
	return treeOf(a.out)
}

// diff returns the files at the paths that differ between two trees, sorted by path.
func (s *session) diff(ctx context.Context, from, to string, paths []string) ([]change, error) {
	args := append([]string{"diff-tree", "-r", "-z", "--raw", "--no-renames", "--end-of-options", from, to, "--"}, paths...)
	a, err := s.run(ctx, call{args: args})
	if err != nil {
		return nil, err
	}
	return changesOf(a.out)
}

// contents reads blobs, by id, after fetching those that are missing in one go. Those that are
// too large to be a manifest are left out.
func (s *session) contents(ctx context.Context, blobs []string) (map[string][]byte, error) {
	blobs = unique(blobs)
	if err := s.needBlobs(ctx, blobs); err != nil {
		return nil, err
	}
	sizes, err := s.sizes(ctx, blobs)
	if err != nil {
		return nil, err
	}
	contents := map[string][]byte{}
	var ask []string
	room := maxOutput / 2 // the answer has a line for each blob, too
	for _, id := range blobs {
		size, here := sizes[id]
		if !here || size > maxYAML {
			continue
		}
		if size > room {
			if err := s.read(ctx, ask, contents); err != nil {
				return nil, err
			}
			ask, room = nil, maxOutput/2
		}
		ask, room = append(ask, id), room-size
	}
	return contents, s.read(ctx, ask, contents)
}

// read adds the blobs to contents.
func (s *session) read(ctx context.Context, blobs []string, contents map[string][]byte) error {
	if len(blobs) == 0 {
		return nil
	}
	a, err := s.run(ctx, call{args: []string{"cat-file", "--batch"}, stdin: []byte(strings.Join(blobs, "\n") + "\n")})
	if err != nil {
		return err
	}
	return blobsOf(a.out, contents)
}

// write stores a file's content and returns its id.
func (s *session) write(ctx context.Context, content []byte) (string, error) {
	a, err := s.run(ctx, call{args: []string{"hash-object", "-w", "--stdin", "--no-filters"}, stdin: content})
	return strings.TrimSpace(string(a.out)), err
}

// replace returns the tree that is treeish (empty: nothing) with some files put in place or
// (absent) taken out.
func (s *session) replace(ctx context.Context, treeish string, files map[string]file) (string, error) {
	env := []string{"GIT_INDEX_FILE=" + path.Join(s.scratch, "index")}
	start := treeish
	if treeish == "" {
		start = "--empty"
	}
	if _, err := s.run(ctx, call{args: []string{"read-tree", start}, env: env}); err != nil {
		return "", err
	}
	var info bytes.Buffer
	for name, f := range files {
		if f.exists() {
			fmt.Fprintf(&info, "%s %s\t%s\x00", f.mode, f.blob, name)
		} else {
			fmt.Fprintf(&info, "0 %s\t%s\x00", strings.Repeat("0", 40), name)
		}
	}
	if _, err := s.run(ctx, call{args: []string{"update-index", "-z", "--index-info"}, stdin: info.Bytes(), env: env}); err != nil {
		return "", err
	}
	// The blobs are on the server; that they are not here is no mistake.
	a, err := s.run(ctx, call{args: []string{"write-tree", "--missing-ok"}, env: env})
	return strings.TrimSpace(string(a.out)), err
}

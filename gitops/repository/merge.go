package repository

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/belay-dev/belay/gitops"
)

// merged is the tree that a revert wants at the head, or why there is none.
type merged struct {
	tree       string
	superseded []string // "file: path" that the head has something newer for
	blocked    []string // "file: why" that takes a person
}

func (m merged) clean() bool { return len(m.superseded)+len(m.blocked) == 0 }

// merge takes the changes out of the head: base is tree(U), ours the head, theirs tree(U) with
// those files as they were at L.
func (s *session) merge(ctx context.Context, interval gitops.Interval, head string, changes []change) (merged, error) {
	ours, err := s.list(ctx, head, paths(changes))
	if err != nil {
		return merged{}, err
	}
	var blobs []string
	back := map[string]file{}
	for _, c := range changes {
		back[c.path] = c.from
		// What the head left alone is taken over without reading it.
		if h := ours[c.path]; h != c.to && h != c.from {
			for _, f := range []file{c.from, c.to, h} {
				if f.mode != submodule {
					blobs = append(blobs, f.blob)
				}
			}
		}
	}
	if err := s.needBlobs(ctx, blobs); err != nil {
		return merged{}, err
	}
	theirs, err := s.replace(ctx, interval.Failed, back)
	if err != nil {
		return merged{}, err
	}
	tree, conflicts, err := s.mergeTrees(ctx, interval.Failed, head, theirs)
	if err != nil {
		return merged{}, err
	}
	m := merged{tree: tree}
	if len(conflicts) == 0 {
		return m, nil
	}
	return s.resolve(ctx, m, conflicts, changes, ours)
}

const submodule = "160000"

// mergeTrees merges without a work tree. git before 2.40 takes the base only as a common ancestor, so three
// commits that nobody will see stand for the trees.
func (s *session) mergeTrees(ctx context.Context, base, ours, theirs string) (string, []string, error) {
	who := throwAway()
	b, err := s.commitTree(ctx, who, base+"^{tree}")
	if err != nil {
		return "", nil, err
	}
	o, err := s.commitTree(ctx, who, ours+"^{tree}", "-p", b)
	if err != nil {
		return "", nil, err
	}
	t, err := s.commitTree(ctx, who, theirs, "-p", b)
	if err != nil {
		return "", nil, err
	}
	a, err := s.run(ctx, call{args: []string{"merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", o, t}, exits: []int{1}})
	if err != nil {
		return "", nil, err
	}
	out := fields(a.out)
	if len(out) == 0 || !fullID.MatchString(out[0]) || a.exit == 1 && len(out) < 2 {
		return "", nil, &damaged{detail: fmt.Sprintf("merge-tree answers %q", a.out)}
	}
	return out[0], unique(out[1:]), nil
}

// resolve undoes the change field by field in the files that do not merge as text.
func (s *session) resolve(ctx context.Context, m merged, conflicts []string, changes []change, ours map[string]file) (merged, error) {
	fixed := map[string]file{}
	for _, name := range conflicts {
		i := slices.IndexFunc(changes, func(c change) bool { return c.path == name })
		if i < 0 {
			m.blocked = append(m.blocked, name+": another file or directory stands where it was")
			continue
		}
		content, why, err := s.resolveFile(ctx, &m, changes[i], ours[name])
		if err != nil {
			return m, err
		}
		if why != "" {
			m.blocked = append(m.blocked, name+": "+why)
			continue
		}
		blob, err := s.write(ctx, content)
		if err != nil {
			return m, err
		}
		fixed[name] = file{mode: ours[name].mode, blob: blob}
	}
	if !m.clean() {
		m.tree = ""
		return m, nil
	}
	var err error
	m.tree, err = s.replace(ctx, m.tree, fixed)
	return m, err
}

// resolveFile returns the new content, or why there is none.
func (s *session) resolveFile(ctx context.Context, m *merged, c change, head file) (content []byte, why string, err error) {
	switch {
	case !head.exists():
		return nil, "it was deleted since", nil
	case !c.from.exists() || !c.to.exists():
		return nil, "it was added or deleted by the failed change and edited since", nil
	case !c.from.regular() || !c.to.regular() || !head.regular():
		return nil, "it is a symbolic link or a submodule and was changed since", nil
	case !isYAML(c.path):
		return nil, "it is no YAML file and was changed since in the same place", nil
	}
	contents, err := s.contents(ctx, []string{c.from.blob, c.to.blob, head.blob})
	if err != nil {
		return nil, "", err
	}
	text, v, why := invertFile(contents[c.to.blob], contents[c.from.blob], contents[head.blob])
	for _, path := range v.superseded {
		m.superseded = append(m.superseded, c.path+": "+path)
	}
	return text, why, nil
}

// invertFile undoes U's change to L in the text of the head.
func invertFile(u, l, h []byte) (text []byte, v inverse, why string) {
	nodesU, errU := parse(u)
	nodesL, errL := parse(l)
	nodesH, errH := parse(h)
	if errU != nil || errL != nil || errH != nil || !utf8.Valid(h) {
		return nil, v, "it cannot be read as YAML and was changed since in the same place"
	}
	v = invert(nodesU, nodesL, nodesH)
	if len(v.structural) > 0 {
		return nil, v, "more than values changed at " + strings.Join(v.structural, ", ")
	}
	if len(v.superseded) > 0 {
		return nil, v, ""
	}
	text, err := apply(h, l, v.edits)
	if err != nil {
		return nil, v, err.Error()
	}
	return text, v, ""
}

func paths(changes []change) []string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.path
	}
	return names
}

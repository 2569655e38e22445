package repository

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

// merged is the tree that a revert wants at the head, or why there is none.
type merged struct {
	tree       string
	superseded []string // "file: path" that the head has something newer for
	blocked    []string // "file: why" that takes a person
}

func (m merged) clean() bool { return len(m.superseded)+len(m.blocked) == 0 }

// merge takes the changes out of the head: base is tree(U), ours the head, theirs tree(U) with
// those files as they were at L. Only those files can come out different from the head, so only
// they are merged, and of them only those that somebody touched since: git would look for renames
// in everything else, and its contents are not here.
func (s *session) merge(ctx context.Context, head string, changes []change) (merged, error) {
	ours, err := s.list(ctx, head, paths(changes))
	if err != nil {
		return merged{}, err
	}
	result := map[string]file{}
	var touched []touch
	var blobs []string // the server wants to get them, even though it has them
	for _, c := range changes {
		switch h := at(ours, c.path); h {
		case c.to:
			result[c.path] = c.from
			if c.from.mode != submodule {
				blobs = append(blobs, c.from.blob)
			}
		case c.from:
			result[c.path] = h
		default:
			touched = append(touched, touch{change: c, head: h})
		}
	}
	if err := s.needBlobs(ctx, blobs); err != nil {
		return merged{}, err
	}
	var m merged
	if len(touched) > 0 {
		if err := s.mergeTouched(ctx, &m, touched, result); err != nil || !m.clean() {
			return m, err
		}
	}
	m.tree, err = s.replace(ctx, head, result)
	return m, err
}

// touch is a file of the change that the head has in a third state.
type touch struct {
	change
	head file
}

func at(tree map[string]file, name string) file {
	if f, ok := tree[name]; ok {
		return f
	}
	return file{mode: absent}
}

// mergeTouched merges files as text, or else field by field, into result.
func (s *session) mergeTouched(ctx context.Context, m *merged, touched []touch, result map[string]file) error {
	var blobs []string
	base, ours, theirs := map[string]file{}, map[string]file{}, map[string]file{}
	for _, t := range touched {
		base[t.path], ours[t.path], theirs[t.path] = t.to, t.head, t.from
		for _, f := range []file{t.to, t.head, t.from} {
			if f.mode != submodule {
				blobs = append(blobs, f.blob)
			}
		}
	}
	if err := s.needBlobs(ctx, blobs); err != nil {
		return err
	}
	tree, conflicts, err := s.mergeTrees(ctx, base, ours, theirs)
	if err != nil {
		return err
	}
	files, err := s.list(ctx, tree, nil)
	if err != nil {
		return err
	}
	for _, t := range touched {
		result[t.path] = at(files, t.path)
	}
	return s.resolve(ctx, m, conflicts, touched, result)
}

const submodule = "160000"

// mergeTrees merges without a work tree. git before 2.40 takes the base only as a common ancestor,
// so three commits that nobody will see stand for the trees.
func (s *session) mergeTrees(ctx context.Context, base, ours, theirs map[string]file) (string, []string, error) {
	var commits []string
	for _, files := range []map[string]file{base, ours, theirs} {
		tree, err := s.replace(ctx, "", files)
		if err != nil {
			return "", nil, err
		}
		var parent []string
		if len(commits) > 0 {
			parent = []string{"-p", commits[0]}
		}
		id, err := s.commitTree(ctx, throwAway(), tree, parent...)
		if err != nil {
			return "", nil, err
		}
		commits = append(commits, id)
	}
	a, err := s.run(ctx, call{args: []string{"merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", commits[1], commits[2]}, exits: []int{1}})
	if err != nil {
		return "", nil, err
	}
	return mergedOf(a)
}

// resolve undoes the change field by field in the files that do not merge as text.
func (s *session) resolve(ctx context.Context, m *merged, conflicts []string, touched []touch, result map[string]file) error {
	for _, name := range conflicts {
		i := slices.IndexFunc(touched, func(t touch) bool { return t.path == name })
		if i < 0 {
			m.blocked = append(m.blocked, name+": another file or directory stands where it was")
			continue
		}
		content, why, err := s.resolveFile(ctx, m, touched[i])
		switch {
		case err != nil:
			return err
		case why != "":
			m.blocked = append(m.blocked, name+": "+why)
		case content != nil:
			blob, err := s.write(ctx, content)
			if err != nil {
				return err
			}
			result[name] = file{mode: touched[i].head.mode, blob: blob}
		}
	}
	return nil
}

// resolveFile returns the new content, or why there is none. What is superseded goes to m.
func (s *session) resolveFile(ctx context.Context, m *merged, t touch) (content []byte, why string, err error) {
	c, head := t.change, t.head
	switch {
	case !head.exists() && c.to.exists():
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
	for _, f := range []file{c.from, c.to, head} {
		if _, small := contents[f.blob]; !small {
			return nil, "it is too large for a manifest and was changed since in the same place", nil
		}
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

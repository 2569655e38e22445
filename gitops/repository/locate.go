package repository

import (
	"context"
	"fmt"
	"reflect"

	"github.com/belay-dev/belay/gitops"
)

// maxWalk bounds how many commits that touch F are looked at to find the exact bounds.
const maxWalk = 300

// maxManifests bounds how many files the workload is looked for in.
const maxManifests = 2000

// Locate implements gitops.Engine.
func (e *Engine) Locate(ctx context.Context, repo gitops.Repository, src gitops.Source, record, head string) (gitops.Interval, error) {
	for what, id := range map[string]string{"the recorded commit": record, "the head commit": head} {
		if err := validateID(what, id); err != nil {
			return gitops.Interval{}, err
		}
	}
	var found gitops.Interval
	err := e.with(ctx, repo, src, func(s *session) error {
		if _, err := s.fetchHead(ctx); err != nil {
			return err
		}
		if err := s.need(ctx, "the recorded stable or the newest revision", record, head); err != nil {
			return err
		}
		var err error
		found, err = s.locate(ctx, record, head)
		return err
	})
	return found, err
}

func (s *session) locate(ctx context.Context, record, head string) (gitops.Interval, error) {
	wide := func(why string) (gitops.Interval, error) {
		return gitops.Interval{Stable: record, Failed: head, Why: why}, nil
	}
	reaches, err := s.reaches(ctx, record, head)
	if err != nil {
		return gitops.Interval{}, err
	}
	if !reaches {
		return wide("the recorded stable commit is not on the history of the branch: it was rewritten")
	}
	walk, err := s.log(ctx, record+".."+head, []string{"--first-parent"}, s.pathspecs()...)
	if err != nil {
		return gitops.Interval{}, err
	}
	if len(walk) == 0 {
		return gitops.Interval{Stable: record, Failed: head, Exact: true}, nil // nothing to tell apart
	}
	if len(walk) > maxWalk {
		return wide(fmt.Sprintf("more than %d commits changed the files since the recorded stable one", maxWalk))
	}
	commits := make([]string, 0, len(walk)+1)
	for _, c := range walk {
		commits = append(commits, c.id)
	}
	templates, err := s.templates(ctx, append(commits, record))
	if err != nil {
		return gitops.Interval{}, err
	}
	if why := templates.unreadable(record, commits[0]); why != "" {
		return wide(why)
	}
	return bounds(commits, record, templates), nil
}

// bounds finds U, the first commit of the last run with the newest template, and L, the last
// commit before it with the recorded template. commits are newest first.
func bounds(commits []string, record string, t templates) gitops.Interval {
	newest := t[commits[0]]
	if newest.same(t[record]) {
		// The template is stable's: whatever failed did not come from it.
		return gitops.Interval{Stable: commits[0], Failed: commits[0], Exact: true}
	}
	u := 0
	for u+1 < len(commits) && t[commits[u+1]].same(newest) {
		u++
	}
	l := record
	for _, c := range commits[u+1:] {
		if t[c].same(t[record]) {
			l = c
			break
		}
	}
	return gitops.Interval{Stable: l, Failed: commits[u], Exact: true}
}

// template is the workload's pod template at a commit, or why it was not found.
type template struct {
	content any
	why     string
}

func (t template) same(other template) bool {
	return t.why == "" && other.why == "" && reflect.DeepEqual(t.content, other.content)
}

// templates are those at some commits.
type templates map[string]template

func (t templates) unreadable(commits ...string) string {
	for _, c := range commits {
		if why := t[c].why; why != "" {
			return why
		}
	}
	return ""
}

// templates reads the workload's template at each of the commits or trees.
func (s *session) templates(ctx context.Context, commits []string) (templates, error) {
	trees := map[string]map[string]file{}
	large := map[string]bool{}
	var blobs []string
	for _, c := range commits {
		tree, err := s.list(ctx, c, s.pathspecs())
		if err != nil {
			return nil, err
		}
		trees[c] = tree
		manifests := manifests(tree)
		if len(manifests) > maxManifests {
			large[c] = true
			continue
		}
		blobs = append(blobs, manifests...)
	}
	contents, err := s.contents(ctx, blobs)
	if err != nil {
		return nil, err
	}
	reader := newReader(s.src.Workload, contents)
	found := templates{}
	for _, c := range commits {
		if large[c] {
			found[c] = template{why: fmt.Sprintf("the paths have more than %d YAML files, too many to look for the workload in", maxManifests)}
			continue
		}
		roots, plain := s.roots(trees[c])
		if plain {
			found[c] = reader.template(trees[c])
			continue
		}
		rendered, err := s.render(ctx, c, roots)
		if err != nil {
			return nil, err
		}
		found[c] = rendered.template(s.src.Workload)
	}
	return found, nil
}

// manifests are the blobs of a tree that may declare something.
func manifests(tree map[string]file) []string {
	var blobs []string
	for name, f := range tree {
		if isYAML(name) && f.regular() {
			blobs = append(blobs, f.blob)
		}
	}
	return blobs
}

func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

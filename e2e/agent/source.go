package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/belay-dev/belay/e2e/gitserver/gitcli"
)

// document is one object of one file.
type document struct {
	file   string
	object *unstructured.Unstructured
}

// source is a bare clone and what its branch says.
type source struct {
	git               gitcli.Git
	url, branch, path string

	revision  string
	documents []document
	broken    error // files of revision that could not be read; the others are in documents
}

func newSource(dir string, o Options) *source {
	return &source{git: gitcli.Git{Dir: dir}, url: o.Repository, branch: o.Branch, path: o.Path}
}

func (s *source) create(ctx context.Context) error {
	_, err := s.git.Run(ctx, "init", "--quiet", "--bare")
	return err
}

// fetch brings the branch's head and reads its files if it is another one than before.
func (s *source) fetch(ctx context.Context) error {
	if _, err := s.git.Run(ctx, "fetch", "--quiet", s.url, "+refs/heads/"+s.branch+":refs/heads/head"); err != nil {
		return err
	}
	head, err := s.git.Run(ctx, "rev-parse", "refs/heads/head")
	if err != nil || head == s.revision {
		return err
	}
	documents, broken, err := s.read(ctx, head)
	if err != nil {
		return err
	}
	s.revision, s.documents, s.broken = head, documents, broken
	return nil
}

func (s *source) read(ctx context.Context, revision string) (documents []document, broken, err error) {
	args := []string{"-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", revision}
	if s.path != "" {
		args = append(args, "--", s.path)
	}
	names, err := s.git.Run(ctx, args...)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range strings.Split(names, "\n") {
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" {
			continue
		}
		content, err := s.git.Raw(ctx, "", "cat-file", "blob", revision+":"+name)
		if err != nil {
			return nil, nil, err
		}
		objects, err := decode(content)
		if err != nil {
			broken = errors.Join(broken, fmt.Errorf("%s: %w", name, err))
			continue
		}
		for _, object := range objects {
			documents = append(documents, document{file: name, object: object})
		}
	}
	return documents, broken, nil
}

// contains says whether revision is commit or descends from it.
func (s *source) contains(ctx context.Context, revision, commit string) bool {
	if revision == "" || revision == commit {
		return revision != ""
	}
	_, err := s.git.Run(ctx, "merge-base", "--is-ancestor", commit, revision)
	return err == nil
}

// decode reads the objects of a file; a List stands for its items.
func decode(content string) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(content), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		switch {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(object.Object) == 0:
			continue // a document of nothing but comments
		}
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		list, err := object.ToList()
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	}
}

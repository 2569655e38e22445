package delivery

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/belay-dev/belay/gitops"
)

// maxWalk bounds how many commits that touch the files are looked at.
const maxWalk = 300

// locate finds the bounds of the newest change of the workload's template in record..head.
func locate(src gitops.Source, record, head *Commit) gitops.Interval {
	wide := gitops.Interval{Stable: record.ID, Failed: head.ID}
	if !head.reaches(record) {
		wide.Why = "the recorded stable commit is not on the history of the branch: it was rewritten"
		return wide
	}
	walk := head.since(record, src.Paths...)
	if len(walk) == 0 {
		wide.Exact = true
		return wide
	}
	if len(walk) > maxWalk {
		wide.Why = fmt.Sprintf("more than %d commits changed the files since the recorded stable one", maxWalk)
		return wide
	}
	stable, newest := templateOf(record.Files, src), templateOf(walk[0].Files, src)
	for _, t := range []template{stable, newest} {
		if t.why != "" {
			wide.Why = t.why
			return wide
		}
	}
	if newest.same(stable) {
		return gitops.Interval{Stable: walk[0].ID, Failed: walk[0].ID, Exact: true}
	}
	return bounds(src, record, walk, stable, newest)
}

// bounds finds the first commit of the last run with the newest template, and the last one before it with stable's.
func bounds(src gitops.Source, record *Commit, walk []*Commit, stable, newest template) gitops.Interval {
	u := 0
	for u+1 < len(walk) && templateOf(walk[u+1].Files, src).same(newest) {
		u++
	}
	l := record
	for _, c := range walk[u+1:] {
		if templateOf(c.Files, src).same(stable) {
			l = c
			break
		}
	}
	return gitops.Interval{Stable: l.ID, Failed: walk[u].ID, Exact: true}
}

// template is the workload's pod template in some files, or why it was not found.
type template struct {
	content any
	why     string
}

func (t template) same(other template) bool {
	return t.why == "" && other.why == "" && reflect.DeepEqual(t.content, other.content)
}

func templateOf(files Files, src gitops.Source) template {
	var found []*unstructured.Unstructured
	for name, file := range files {
		if !within(name, src.Paths) {
			continue
		}
		for _, o := range file.objects {
			if declares(o, src.Workload) {
				found = append(found, o)
			}
		}
	}
	what := fmt.Sprintf("%s %s/%s", src.Workload.Kind, src.Workload.Namespace, src.Workload.Name)
	switch len(found) {
	case 0:
		return template{why: what + " is not declared in plain YAML in the files"}
	case 1:
	default:
		return template{why: what + " is declared more than once in the files"}
	}
	content, _, _ := unstructured.NestedFieldNoCopy(found[0].Object, "spec", "template")
	if content == nil {
		return template{why: what + " has no spec.template that can be read in the files"}
	}
	return template{content: content}
}

package repository

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// states are the contents of one file where they matter.
type states struct {
	path                     string
	stable, failed, head, us []*yaml.Node // documents; nil where the file does not exist
}

// check looks at the new tree as a person would look at the diff before pushing. It returns the
// files that are written, and what is wrong with them.
func (p *proposal) check(ctx context.Context) (written []string, problem string, err error) {
	diff, err := p.diff(ctx, p.head, p.merged.tree, nil)
	if err != nil {
		return nil, "", err
	}
	allowed := paths(p.changes)
	written = paths(diff)
	for _, name := range written {
		if !slices.Contains(allowed, name) {
			return written, name + " would change and is not part of the failed change", nil
		}
	}
	files, problem, err := p.states(ctx, diff)
	if err != nil || problem != "" {
		return written, problem, err
	}
	for _, f := range files {
		if problem := f.check(); problem != "" {
			return written, f.path + ": " + problem, nil
		}
	}
	if problem, err = p.checkTemplate(ctx); err != nil || problem != "" {
		return written, problem, err
	}
	problem, err = p.checkRendering(ctx)
	return written, problem, err
}

// states reads the YAML files among the written ones. One that the head cannot read either was
// never plain YAML (a chart's template), and is left to the text merge.
func (p *proposal) states(ctx context.Context, diff []change) ([]states, string, error) {
	was := map[string]change{}
	for _, c := range p.changes {
		was[c.path] = c
	}
	var blobs []string
	for _, d := range diff {
		for _, f := range []file{d.from, d.to, was[d.path].from, was[d.path].to} {
			if f.regular() && isYAML(d.path) {
				blobs = append(blobs, f.blob)
			}
		}
	}
	contents, err := p.contents(ctx, blobs)
	if err != nil {
		return nil, "", err
	}
	var all []states
	for _, d := range diff {
		if !isYAML(d.path) {
			continue
		}
		s := states{path: d.path}
		readable := read(&s.head, d.from, contents) && read(&s.stable, was[d.path].from, contents) && read(&s.failed, was[d.path].to, contents)
		if !readable {
			continue
		}
		if !read(&s.us, d.to, contents) {
			return nil, d.path + " would not be YAML any more", nil
		}
		all = append(all, s)
	}
	return all, "", nil
}

// read parses a file, which may be absent. It is false when there is a file and it is no YAML.
func read(target *[]*yaml.Node, f file, contents map[string][]byte) bool {
	content, small := contents[f.blob]
	if !small {
		return !f.exists()
	}
	var err error
	*target, err = parse(content)
	return err == nil
}

// check says what is wrong with a file, or nothing.
func (s states) check() string {
	have, head, stable, failed := count(s.us), count(s.head), count(s.stable), count(s.failed)
	for _, counts := range []map[objectID]int{have, head, stable, failed} {
		for id := range counts {
			if have[id] != head[id]+stable[id]-failed[id] {
				return fmt.Sprintf("it would declare %s %s a different number of times", id.kind, id.name)
			}
		}
	}
	for _, n := range s.us {
		id := idOf(n)
		if have[id] != 1 || head[id] > 1 || stable[id] > 1 || failed[id] > 1 {
			continue // they cannot be told apart
		}
		us, err := value(n)
		if err != nil {
			return err.Error()
		}
		if !explained(us, valueOf(s.head, id), valueOf(s.stable, id), valueOf(s.failed, id)) {
			return fmt.Sprintf("%s %s would be neither as it is on the branch nor as it was", id.kind, id.name)
		}
	}
	return ""
}

func valueOf(documents []*yaml.Node, id objectID) any {
	for _, d := range documents {
		if idOf(d) == id {
			if v, err := value(d); err == nil {
				return v
			}
		}
	}
	return nil
}

// explained says whether everything in us is as the head has it, or, where the failed change
// touched it, as it was at stable.
func explained(us, head, stable, failed any) bool {
	if reflect.DeepEqual(us, head) {
		return true
	}
	if reflect.DeepEqual(us, stable) && !reflect.DeepEqual(stable, failed) {
		return true
	}
	switch us := us.(type) {
	case map[string]any:
		return explainedMap(us, asMap(head), asMap(stable), asMap(failed))
	case []any:
		return explainedList(us, head, stable, failed)
	}
	return false
}

func explainedMap(us, head, stable, failed map[string]any) bool {
	for _, m := range []map[string]any{us, head, stable} {
		for key := range m {
			if !explained(us[key], head[key], stable[key], failed[key]) {
				return false
			}
		}
	}
	return true
}

// explainedList compares lists whose items have names as maps by those names.
func explainedList(us []any, head, stable, failed any) bool {
	for _, key := range listKeys() {
		u, ok1 := byKey(us, key)
		h, ok2 := byKey(head, key)
		s, ok3 := byKey(stable, key)
		f, ok4 := byKey(failed, key)
		if ok1 && ok2 && ok3 && ok4 {
			return explainedMap(u, h, s, f)
		}
	}
	return false
}

func byKey(list any, key string) (map[string]any, bool) {
	items, ok := list.([]any)
	if !ok {
		return nil, list == nil
	}
	named := map[string]any{}
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok || m[key] == nil {
			return nil, false
		}
		name := fmt.Sprint(m[key])
		if _, twice := named[name]; twice {
			return nil, false
		}
		named[name] = item
	}
	return named, true
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

// checkTemplate proves that the workload gets the stable template, where it can be read.
func (p *proposal) checkTemplate(ctx context.Context) (string, error) {
	found, err := p.templates(ctx, []string{p.order.Stable, p.merged.tree})
	if err != nil {
		return "", err
	}
	stable, us := found[p.order.Stable], found[p.merged.tree]
	switch {
	case stable.why != "":
		return "", nil // not plain YAML
	case us.why != "":
		return us.why, nil
	case !us.same(stable):
		return "the workload would not get the stable template", nil
	}
	return "", nil
}

// checkRendering proves, where kustomize renders the paths, that every object comes out as the
// head has it or as it was at stable.
func (p *proposal) checkRendering(ctx context.Context) (string, error) {
	var states []map[string]any
	for _, treeish := range []string{p.head, p.order.Stable, p.order.Failed, p.merged.tree} {
		tree, err := p.list(ctx, treeish, p.pathspecs())
		if err != nil {
			return "", err
		}
		roots, plain := p.roots(tree)
		if plain {
			return "", nil
		}
		rendered, err := p.render(ctx, treeish, roots)
		if err != nil {
			return "", err
		}
		if rendered.why != "" {
			if treeish == p.merged.tree {
				return rendered.why, nil
			}
			return "", nil // nothing to compare with
		}
		objects := map[string]any{}
		for id, object := range rendered.objects {
			if id.is(p.order.Workload) {
				object = withoutTemplate(object) // checkTemplate is stricter
			}
			objects[fmt.Sprintf("%s %s/%s (%s)", id.kind, id.namespace, id.name, id.apiVersion)] = object
		}
		states = append(states, objects)
	}
	head, stable, failed, us := states[0], states[1], states[2], states[3]
	for _, objects := range []map[string]any{us, head, stable} {
		for _, id := range slices.Sorted(maps.Keys(objects)) {
			if !explained(us[id], head[id], stable[id], failed[id]) {
				return "kustomize would render " + id + " neither as it is on the branch nor as it was", nil
			}
		}
	}
	return "", nil
}

func withoutTemplate(object any) any {
	o, spec := maps.Clone(asMap(object)), maps.Clone(asMap(asMap(object)["spec"]))
	delete(spec, "template")
	o["spec"] = spec
	return o
}

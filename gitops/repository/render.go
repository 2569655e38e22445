package repository

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/openapi/kubernetesapi"

	"github.com/belay-dev/belay/gitops"
)

// maxClosure bounds the files that one rendering may read.
const maxClosure = 2000

// rendering is what kustomize makes of a tree, or why it is not made.
type rendering struct {
	objects map[objectID]any
	why     string
}

// template finds the workload's template among the rendered objects.
func (r rendering) template(workload gitops.ObjectRef) template {
	if r.why != "" {
		return template{why: r.why}
	}
	var found []any
	for id, object := range r.objects {
		if id.is(workload) {
			found = append(found, object)
		}
	}
	what := fmt.Sprintf("%s %s/%s", workload.Kind, workload.Namespace, workload.Name)
	if len(found) != 1 {
		return template{why: fmt.Sprintf("%s is %d times in what kustomize renders", what, len(found))}
	}
	content := asMap(asMap(found[0])["spec"])["template"]
	if content == nil {
		return template{why: what + " has no spec.template in what kustomize renders"}
	}
	return template{content: content}
}

// kustomizationIn returns the kustomization file of a directory, or "".
func kustomizationIn(tree map[string]file, dir string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if full := path.Join(dir, name); at(tree, full).regular() {
			return full
		}
	}
	return ""
}

// roots are the paths of F that are rendered with kustomize. plain is true when there is no
// kustomization at all.
func (s *session) roots(tree map[string]file) (roots []string, plain bool) {
	plain = true
	for name := range tree {
		plain = plain && !isKustomization(name)
	}
	for _, p := range s.src.Paths {
		p = strings.TrimSuffix(p, "/")
		if isKustomization(p) {
			p = path.Dir(p)
		}
		if kustomizationIn(tree, p) != "" && !slices.Contains(roots, p) {
			roots = append(roots, p)
		}
	}
	return roots, plain
}

// render renders the roots at a commit or tree, each once in a session.
func (s *session) render(ctx context.Context, treeish string, roots []string) (rendering, error) {
	if r, done := s.rendered[treeish]; done {
		return r, nil
	}
	r, err := s.renderNow(ctx, treeish, roots)
	if err == nil {
		s.rendered[treeish] = r
	}
	return r, err
}

// renderNow renders in memory. Nothing is read but the tree: what would
// make kustomize reach for the network, a plugin or a chart is a why.
func (s *session) renderNow(ctx context.Context, treeish string, roots []string) (rendering, error) {
	if len(roots) == 0 {
		return rendering{why: "the kustomization is not at the top of the paths, so what is rendered is not known"}, nil
	}
	c := &closure{session: s, treeish: treeish, tree: map[string]file{}, files: map[string]file{}, visited: map[string]bool{}}
	for _, root := range roots {
		if why, err := c.visit(ctx, root); err != nil || why != "" {
			return rendering{why: why}, err
		}
	}
	disk := filesys.MakeFsInMemory()
	blobs := make([]string, 0, len(c.files))
	for _, f := range c.files {
		blobs = append(blobs, f.blob)
	}
	contents, err := s.contents(ctx, blobs)
	if err != nil {
		return rendering{}, err
	}
	for name, f := range c.files {
		content, small := contents[f.blob]
		if !small {
			return rendering{why: name + " is too large for a manifest"}, nil
		}
		if _, err := parse(content); errors.Is(err, errWide) {
			return rendering{why: fmt.Sprintf("%s is not rendered: %s", name, err)}, nil
		}
		if err := disk.WriteFile("/"+name, content); err != nil {
			return rendering{}, local("a file cannot be put in memory", err)
		}
	}
	all := rendering{objects: map[objectID]any{}}
	s.engine.rendering.Lock()
	defer s.engine.rendering.Unlock()
	for _, root := range roots {
		if why := build(disk, "/"+root, all.objects); why != "" {
			return rendering{why: why}, nil
		}
	}
	return all, nil
}

// build runs kustomize on one root and adds its objects. One at a time: the schemas by which kustomize merges are the whole
// process's, and those that a kustomization brings would be every other repository's from then on, so they are taken away.
func build(disk filesys.FileSystem, root string, objects map[objectID]any) (why string) {
	defer func() {
		if openapi.GetSchemaVersion() != kubernetesapi.DefaultOpenAPI {
			openapi.ResetOpenAPI()
		}
	}()
	defer func() {
		// A library for a command-line tool may well panic; the controller must not end by it.
		if r := recover(); r != nil {
			why = fmt.Sprintf("kustomize cannot render %s", strings.TrimPrefix(root, "/"))
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone // the agents allow it, and this disk has nothing to hide
	rendered, err := krusty.MakeKustomizer(options).Run(disk, path.Clean(root))
	if err != nil {
		return fmt.Sprintf("kustomize cannot render %s: %s", strings.TrimPrefix(root, "/"), clean(err.Error()))
	}
	for _, resource := range rendered.Resources() {
		object, err := resource.Map()
		if err != nil {
			return "what kustomize renders cannot be read: " + clean(err.Error())
		}
		gvk := resource.GetGvk()
		id := objectID{apiVersion: gvk.ApiVersion(), kind: gvk.Kind, namespace: resource.GetNamespace(), name: resource.GetName()}
		if _, twice := objects[id]; twice {
			return fmt.Sprintf("%s %s is rendered by two of the paths", id.kind, id.name)
		}
		objects[id] = object
	}
	return ""
}

// closure collects the files that a kustomization reads.
type closure struct {
	*session
	treeish string
	tree    map[string]file // all files below the directories seen
	listed  []string
	files   map[string]file // what is read
	visited map[string]bool
}

// look makes the files at a path known.
func (c *closure) look(ctx context.Context, name string) error {
	for _, dir := range c.listed {
		if dir == "." || name == dir || strings.HasPrefix(name, dir+"/") {
			return nil
		}
	}
	var where []string
	if name != "." {
		where = []string{name}
	}
	files, err := c.list(ctx, c.treeish, where)
	if err != nil {
		return err
	}
	for name, f := range files {
		c.tree[name] = f
	}
	c.listed = append(c.listed, name)
	return nil
}

// visit reads the kustomization of a directory and what it names.
func (c *closure) visit(ctx context.Context, dir string) (why string, err error) {
	if c.visited[dir] {
		return "", nil
	}
	c.visited[dir] = true
	if err := c.look(ctx, dir); err != nil {
		return "", err
	}
	name := kustomizationIn(c.tree, dir)
	if name == "" {
		return "there is no kustomization in " + dir, nil
	}
	c.files[name] = c.tree[name]
	contents, err := c.contents(ctx, []string{c.tree[name].blob})
	if err != nil {
		return "", err
	}
	var k types.Kustomization
	if err := k.Unmarshal(contents[c.tree[name].blob]); err != nil {
		return name + " cannot be read: " + clean(err.Error()), nil
	}
	if plugins(k) {
		return name + " uses charts or plugins, which are not run here", nil
	}
	for _, ref := range references(k) {
		if why, err := c.follow(ctx, dir, ref); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// plugins says that a kustomization wants programs, charts or configurations of programs.
func plugins(k types.Kustomization) bool {
	return len(k.HelmCharts)+len(k.HelmChartInflationGenerator)+len(k.Generators)+len(k.Transformers)+len(k.Validators) > 0 || k.HelmGlobals != nil
}

// remote is what kustomize could take for something to clone or download.
var remote = regexp.MustCompile(`(?i)[:?@]|//|github\.com|\.git\b|_git\b`)

// leads is where a reference of the kustomization in dir leads; false: out of the repository.
func leads(dir, ref string) (name string, inside bool) {
	name = path.Join(dir, ref)
	outside := ref == "" || remote.MatchString(ref) || path.IsAbs(ref) || name == ".." || strings.HasPrefix(name, "../")
	return name, !outside
}

func (c *closure) follow(ctx context.Context, dir, ref string) (why string, err error) {
	name, inside := leads(dir, ref)
	if !inside {
		return fmt.Sprintf("the kustomization in %s names %s, which is not in the repository", dir, clean(ref)), nil
	}
	if err := c.look(ctx, name); err != nil {
		return "", err
	}
	if len(c.files) > maxClosure {
		return fmt.Sprintf("the kustomization reads more than %d files", maxClosure), nil
	}
	f := at(c.tree, name)
	switch {
	case f.regular():
		c.files[name] = f
		return "", nil
	case f.exists():
		return name + " is a symbolic link or a submodule", nil
	}
	return c.visit(ctx, name)
}

// references are the paths that a kustomization names.
func references(k types.Kustomization) []string {
	refs := slices.Concat(k.Resources, k.Components, k.Bases, k.Crds, k.Configurations)
	for _, p := range k.PatchesStrategicMerge {
		if !strings.Contains(string(p), "\n") { // else the patch itself
			refs = append(refs, string(p))
		}
	}
	for _, p := range slices.Concat(k.Patches, k.PatchesJson6902) {
		if p.Path != "" {
			refs = append(refs, p.Path)
		}
	}
	for _, r := range k.Replacements {
		if r.Path != "" {
			refs = append(refs, r.Path)
		}
	}
	if schema := k.OpenAPI["path"]; schema != "" {
		refs = append(refs, schema)
	}
	var sources []types.KvPairSources
	for _, g := range k.ConfigMapGenerator {
		sources = append(sources, g.KvPairSources)
	}
	for _, g := range k.SecretGenerator {
		sources = append(sources, g.KvPairSources)
	}
	for _, source := range sources {
		for _, f := range source.FileSources {
			if _, file, named := strings.Cut(f, "="); named {
				f = file
			}
			refs = append(refs, f)
		}
		refs = append(refs, source.EnvSources...)
		if source.EnvSource != "" {
			refs = append(refs, source.EnvSource)
		}
	}
	return refs
}

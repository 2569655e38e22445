package delivery

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/gitops"
	"github.com/belay-dev/belay/gitops/repository"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const (
	app  = "apps/checkout/app.yaml"
	gone = "\x00gone"
)

// push is one commit of a history: files are put in place, or gone.
type push struct {
	message string
	files   map[string]string
}

// history is one way in which a branch can look when a revert is due. Commits are named by their places in pushes, from 1;
// 0: none.
type history struct {
	pushes                   []push
	stable, failed, accepted int
	paths                    []string
}

func (h history) source(branch string) gitops.Source {
	paths := h.paths
	if len(paths) == 0 {
		paths = []string{"apps/checkout"}
	}
	return gitops.Source{Branch: branch, Paths: paths, Workload: gitops.ObjectRef{Kind: "Deployment", Namespace: "shop", Name: "checkout"}}
}

// order is the revert that is due; ids are those of the commits, by their places.
func (h history) order(branch string, ids []string) gitops.Revert {
	return gitops.Revert{
		Source: h.source(branch), Interval: gitops.Interval{Stable: ids[h.stable], Failed: ids[h.failed]}, Accepted: ids[h.accepted],
		Failure: gitops.Failure{Cluster: "prod", Namespace: "shop", Rollout: "checkout", Stable: "v1", Headline: "error-rate 7.2% > 1%", At: noon},
	}
}

// play plays a history in memory. It returns the ids of the commits; that of place 0 is empty.
func (h history) play(t *testing.T, s *schedule.Schedule) (*Repository, []string) {
	t.Helper()
	r := NewRepository(RepositoryOptions{Schedule: s})
	ids := []string{""}
	for _, p := range h.pushes {
		c := r.Push("ada", Change{Message: p.message, NoAutoRevert: strings.Contains(p.message, "\n\nNo-Auto-Revert: true"), Edit: func(files Files) {
			for name, content := range p.files {
				if content == gone {
					delete(files, name)
					continue
				}
				files[name] = parsed(t, name, content)
			}
		}})
		if _, key, is := strings.Cut(p.message, "\n\nBelay-Revert-Key: "); is {
			marked := *c
			marked.Key = key
			delete(r.commits, c.ID)
			r.head = c.parent
			c = r.land(marked.sealed())
		}
		ids = append(ids, c.ID)
	}
	return r, ids
}

// parsed is a file as the simulation has it.
func parsed(t *testing.T, name, content string) *File {
	t.Helper()
	if !strings.HasSuffix(name, ".yaml") {
		return Text(content)
	}
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(content, "---\n") {
		raw, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			return Text(content) // a template of a chart
		}
		var object map[string]any
		if err := json.Unmarshal(raw, &object); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(object) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: object})
		}
	}
	return Manifest(objects...)
}

// disk is a real Git repository with one branch per history, and the product's engine for it.
type disk struct {
	dir    string
	engine *repository.Engine
	ids    map[string][]string
}

// written writes histories to disk, in one go.
func written(t *testing.T, histories map[string]history) *disk {
	t.Helper()
	d := &disk{dir: filepath.Join(t.TempDir(), "apps.git"), ids: map[string][]string{}}
	d.git(t, "", "init", "-q", "--bare", d.dir)
	d.git(t, "", "-C", d.dir, "config", "uploadpack.allowFilter", "true")
	var stream bytes.Buffer
	mark := 0
	for _, branch := range slices.Sorted(maps.Keys(histories)) {
		for _, p := range histories[branch].pushes {
			mark++
			when := noon.Add(-time.Hour).Add(time.Duration(mark) * time.Second).Unix()
			fmt.Fprintf(&stream, "commit refs/heads/%s\nmark :%d\ncommitter Ada <ada@example.com> %d +0000\ndata %d\n%s\n", branch, mark, when, len(p.message), p.message)
			for _, name := range slices.Sorted(maps.Keys(p.files)) {
				if content := p.files[name]; content == gone {
					fmt.Fprintf(&stream, "D %s\n", name)
				} else {
					fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", name, len(content), content)
				}
			}
		}
	}
	marks := filepath.Join(t.TempDir(), "marks")
	d.git(t, stream.String(), "-C", d.dir, "fast-import", "--quiet", "--export-marks="+marks)
	d.read(t, histories, marks)
	var err error
	if d.engine, err = repository.New(t.Context(), repository.Options{Dir: t.TempDir(), AllowProtocols: []string{"file"}, Now: func() time.Time { return noon }}); err != nil {
		t.Fatal(err)
	}
	return d
}

// read finds the ids of all commits.
func (d *disk) read(t *testing.T, histories map[string]history, marks string) {
	t.Helper()
	raw, err := os.ReadFile(marks)
	if err != nil {
		t.Fatal(err)
	}
	id := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		mark, hash, _ := strings.Cut(strings.TrimSpace(line), " ")
		id[mark] = hash
	}
	mark := 0
	for _, branch := range slices.Sorted(maps.Keys(histories)) {
		d.ids[branch] = []string{""}
		for range histories[branch].pushes {
			mark++
			d.ids[branch] = append(d.ids[branch], id[fmt.Sprint(":", mark)])
		}
	}
}

func (d *disk) git(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	cmd.Stdin = strings.NewReader(stdin)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, errors.String())
	}
	return string(out)
}

func (d *disk) repo() gitops.Repository { return gitops.Repository{URL: "file://" + d.dir} }

// files of a branch, as the simulation has them.
func (d *disk) files(t *testing.T, branch string) Files {
	t.Helper()
	files := Files{}
	for name := range strings.Lines(d.git(t, "", "-C", d.dir, "ls-tree", "-r", "--name-only", branch)) {
		name = strings.TrimSpace(name)
		files[name] = parsed(t, name, d.git(t, "", "-C", d.dir, "show", branch+":"+name))
	}
	return files
}

package parts

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// checkout is a small repository with one part, "tool", whose source is a
// module beside it, so that nothing is downloaded.
func checkout(t *testing.T, source string) Builder {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"e2e/parts/tool/go.mod": "module some/parts/tool\n\ngo 1.26.0\n\nrequire some/tool v1.22.3\n\nreplace some/tool => ./source\n\ntool some/tool\n",
		"e2e/parts/tool/go.sum": "",
		// The file system sees source as part of the module's folder; the module does not.
		"e2e/parts/tool/source/go.mod":  "module some/tool\n\ngo 1.26.0\n",
		"e2e/parts/tool/source/main.go": source,
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Builder{
		Root: root, Now: time.Now,
		Parts: []Part{{
			Name: "tool", Module: "tool", Requirement: "some/tool", Package: "some/tool", Usual: 4 * time.Minute,
			Variables: map[string]string{"main.version": "{version}", "main.minor": "{minor}"},
		}},
	}
}

const good = "package main\n\nvar version, minor string\n\nfunc main() { print(version, \" \", minor) }\n"

func build(t *testing.T, b Builder, names ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	b.Out = &out
	err := b.Build(t.Context(), names...)
	return out.String(), err
}

func TestBuildOnceAndAgainWhenThePinChanges(t *testing.T) {
	b := checkout(t, good)
	tool := filepath.Join(Folder(b.Root), "tool")

	out, err := build(t, b)
	if err != nil {
		t.Fatal(err)
	}
	want := `^building tool 1\.22\.3 \(1 of 1\); about 4 minutes on two cores the first time
built tool 1\.22\.3 \(1 of 1\) in \d+ s
$`
	if !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("the first build says %q", out)
	}
	if said, err := exec.Command(tool).CombinedOutput(); err != nil || string(said) != "v1.22.3 22" {
		t.Errorf("the tool says %q, %v", said, err)
	}

	if out, err := build(t, b); err != nil || out != "1 of 1 parts were built before, in bin/parts\n" {
		t.Errorf("the second build says %q, %v", out, err)
	}

	pin := filepath.Join(b.Root, "e2e/parts/tool/go.mod")
	text, err := os.ReadFile(pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pin, bytes.ReplaceAll(text, []byte("1.22.3"), []byte("1.23.0")), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := build(t, b, "tool"); err != nil || !strings.Contains(out, "built tool 1.23.0") {
		t.Errorf("the build after the change says %q, %v", out, err)
	}
	if said, err := exec.Command(tool).CombinedOutput(); err != nil || string(said) != "v1.23.0 23" {
		t.Errorf("the tool says %q, %v", said, err)
	}
}

func TestLongBuildIsNeverSilent(t *testing.T) {
	b := checkout(t, good)
	b.Every = time.Millisecond
	out, err := build(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`building tool 1\.22\.3 \(1 of 1\), \d+ s so far; about 4 minutes on two cores the first time\n`).MatchString(out) {
		t.Errorf("it says %q", out)
	}
}

func TestFailureNamesThePartAndTheCompilersWords(t *testing.T) {
	b := checkout(t, good+"\nfunc broken() { return 1 }\n")
	out, err := build(t, b)
	if err == nil {
		t.Fatalf("no error; it says %q", out)
	}
	for _, want := range []string{"tool 1.22.3 could not be built", "too many return values", "e2e/parts/tool"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(Folder(b.Root), "tool")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a tool: %v", err)
	}
}

func TestCanceledBuildLeavesTheOldPart(t *testing.T) {
	b := checkout(t, good)
	if _, err := build(t, b); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.Out = &bytes.Buffer{}
	if err := b.Build(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(Folder(b.Root), "tool")); err != nil {
		t.Error(err)
	}
}

func TestUnknownPartListsTheKnown(t *testing.T) {
	_, err := build(t, Builder{Parts: All(), Now: time.Now}, "kubelet")
	if err == nil || !strings.Contains(err.Error(), `part "kubelet" is unknown; the parts are etcd, kube-apiserver, kube-controller-manager`) {
		t.Errorf("got %v", err)
	}
}

func TestMissingToolsAreAllNamed(t *testing.T) {
	err := needTools(func(string) (string, error) { return "", exec.ErrNotFound })
	if err == nil || !strings.Contains(err.Error(), "go is missing: install Go") || !strings.Contains(err.Error(), "git is missing: install it") {
		t.Errorf("got %v", err)
	}
}

func TestEveryPartIsPinned(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			if seen[p.Name] {
				t.Error("it is listed twice")
			}
			seen[p.Name] = true
			version, err := p.version(root)
			if err != nil {
				t.Fatal(err)
			}
			if p.Requirement != "" && !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(version) {
				t.Errorf("the version is %q", version)
			}
			if _, err := os.Stat(filepath.Join(p.folder(root), "go.sum")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMissingPartSaysWhatToRun(t *testing.T) {
	_, err := Path("no-such-part")
	var missing *MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "make parts") {
		t.Errorf("got %v", err)
	}
}

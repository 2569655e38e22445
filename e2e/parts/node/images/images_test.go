package images

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "images.json")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := File(path)
	write(`{"app:v1": {"command": ["/app", "--version", "v1"]}, "empty": {}}`)
	if got, err := file.Lookup("app:v1"); err != nil || !slices.Equal(got.Command, []string{"/app", "--version", "v1"}) {
		t.Errorf("app:v1 = %v, %v", got, err)
	}
	for name, want := range map[string]string{"app:v2": `"app:v2" is not in`, "empty": `"empty" has no command`} {
		if _, err := file.Lookup(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want it to say %s", name, err, want)
		}
	}
	write(`{"app:v2": {"command": ["/app"]}}`)
	if _, err := file.Lookup("app:v2"); err != nil {
		t.Errorf("app:v2 after it was pushed: %v", err)
	}
	write(`{`)
	if _, err := file.Lookup("app:v2"); err == nil {
		t.Error("a broken images file gave an image")
	}
}

func TestRun(t *testing.T) {
	image := Image{Command: []string{"/app", "--version", "v1"}}
	cases := map[string]struct{ command, args, want []string }{
		"image alone":      {want: []string{"/app", "--version", "v1"}},
		"args":             {args: []string{"-x"}, want: []string{"/app", "-x"}},
		"command":          {command: []string{"/sh"}, want: []string{"/sh"}},
		"command and args": {command: []string{"/sh"}, args: []string{"-c"}, want: []string{"/sh", "-c"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := image.Run(tc.command, tc.args); !slices.Equal(got, tc.want) {
				t.Errorf("run = %v, want %v", got, tc.want)
			}
		})
	}
}

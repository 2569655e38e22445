package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is committed must be what the sources say, or the chart installs something else than config/ does.
func TestCommittedTemplatesAreUpToDate(t *testing.T) {
	const root = "../.."
	files, err := render(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || string(got) != want {
			t.Errorf("%s is not what config/ says (%v): run make generate and commit the result", path, err)
		}
	}
	for _, g := range groups() {
		present, err := filepath.Glob(filepath.Join(root, templates, g.name, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range present {
			if _, known := files[strings.TrimPrefix(filepath.ToSlash(path), root+"/")]; !known {
				t.Errorf("%s has no source in config/%s: run make generate and commit the result", path, g.name)
			}
		}
	}
}

func TestReleased(t *testing.T) {
	for name, c := range map[string]struct{ in, want, refused string }{
		"user name in CEL": {
			in:   `expression: "request.userInfo.username == 'system:serviceaccount:belay-system:belay'"`,
			want: `expression: "request.userInfo.username == 'system:serviceaccount:{{ .Release.Namespace }}:{{ include "belay.serviceAccountName" . }}'"`,
		},
		"subject": {
			in:   "- kind: ServiceAccount\n  name: belay\n  namespace: belay-system\n",
			want: "- kind: ServiceAccount\n  name: {{ include \"belay.serviceAccountName\" . }}\n  namespace: {{ .Release.Namespace }}\n",
		},
		"role": {
			in:   "  name: belay-controller\n  namespace: belay-system\n",
			want: "  name: belay-controller\n  namespace: {{ .Release.Namespace }}\n",
		},
		"comment":      {in: "# lives in belay-system\n", want: "# lives in belay-system\n"},
		"other form":   {in: "values: [belay-system]\n", refused: "line 1 names belay-system"},
		"other object": {in: "  name: belay-hold\n", want: "  name: belay-hold\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := released(c.in)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("error %v, want one with %q", err, c.refused)
				}
				return
			}
			if err != nil || got != c.want {
				t.Fatalf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestEscape(t *testing.T) {
	got := escape(`with {{ .Namespace }} and {{ .Args.<name> }}`)
	want := `with {{ "{{" }} .Namespace }} and {{ "{{" }} .Args.<name> }}`
	if got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

package fidelity

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
)

const config = "../../../../config"

func texts(t *testing.T, patterns ...string) [][]byte {
	t.Helper()
	var all [][]byte
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no file matches %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
	}
	return all
}

func schemas(t *testing.T) *server.Schemas {
	t.Helper()
	gateway, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatalf("looking for the Gateway API: %v", err)
	}
	routes := filepath.Join(strings.TrimSpace(string(gateway)), "config/crd/standard/*httproutes.yaml")
	s, err := Compile(texts(t, config+"/crd/*.yaml", routes)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The server in memory answers as kube-apiserver did when it was recorded.
func TestAsRecorded(t *testing.T) {
	s := schemas(t)
	policies, err := admission.Compile(texts(t, config+"/policies/*.yaml")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range Scripts() {
		t.Run(script.Name, func(t *testing.T) {
			recorded, err := Recorded("recorded", script.Name)
			if err != nil {
				t.Fatal(err)
			}
			var inForce *admission.Policies
			if script.Governed {
				inForce = policies
			}
			Compare(t, "kube-apiserver", "the server in memory", recorded, script.Play(t, Memory(s, inForce)))
		})
	}
}

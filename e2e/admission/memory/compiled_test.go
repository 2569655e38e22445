package memory

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
	"github.com/belay-dev/belay/e2e/parts"
)

// shipped are the kinds and the policies, as they are installed.
type shipped struct {
	schemas  *server.Schemas
	policies *admission.Policies
}

// compiled is what all worlds share.
var compiled = sync.OnceValues(func() (shipped, error) {
	root, err := parts.Root()
	if err != nil {
		return shipped{}, err
	}
	// The Gateway API's definitions are in the module, so no part has to be there.
	gateway, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return shipped{}, fmt.Errorf("looking for the Gateway API's definitions: %w", err)
	}
	texts, err := read(filepath.Join(root, "config/crd/*.yaml"), filepath.Join(strings.TrimSpace(string(gateway)), "config/crd/standard/*httproutes.yaml"))
	if err != nil {
		return shipped{}, err
	}
	definitions, err := server.ReadDefinitions(texts...)
	if err != nil {
		return shipped{}, err
	}
	all := runtime.NewScheme()
	if err := scheme.AddToScheme(all); err != nil {
		return shipped{}, err
	}
	var s shipped
	if s.schemas, err = server.Compile(all, definitions...); err != nil {
		return shipped{}, err
	}
	if texts, err = read(filepath.Join(root, "config/policies/*.yaml")); err != nil {
		return shipped{}, err
	}
	s.policies, err = admission.Compile(texts...)
	return s, err
})

func read(patterns ...string) ([][]byte, error) {
	var texts [][]byte
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no file matches %s (%w)", pattern, os.ErrNotExist)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
	}
	return texts, nil
}

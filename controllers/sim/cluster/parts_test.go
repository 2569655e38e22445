package cluster_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// schemas and policies are compiled once for all tests, because it takes long.
var schemas = sync.OnceValues(func() (*server.Schemas, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgo.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	gateway, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return nil, fmt.Errorf("looking for the Gateway API's definitions: %w", err)
	}
	texts, err := read("../../../config/crd/*.yaml", filepath.Join(strings.TrimSpace(string(gateway)), "config/crd/standard/*httproutes.yaml"))
	if err != nil {
		return nil, err
	}
	definitions, err := server.ReadDefinitions(texts...)
	if err != nil {
		return nil, err
	}
	return server.Compile(scheme, definitions...)
})

var policies = sync.OnceValues(func() (*admission.Policies, error) {
	texts, err := read("../../../config/policies/*.yaml")
	if err != nil {
		return nil, err
	}
	return admission.Compile(texts...)
})

func read(patterns ...string) ([][]byte, error) {
	var texts [][]byte
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no file matches %s (%w)", pattern, err)
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

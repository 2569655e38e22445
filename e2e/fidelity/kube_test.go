package fidelity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/server/fidelity"
	"github.com/belay-dev/belay/e2e/parts"
)

// read gives the files of the checkout that match.
func read(patterns ...string) ([][]byte, error) {
	root, err := parts.Root()
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, pattern := range patterns {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(root, pattern)
		}
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

// definitions are the custom kinds.
func definitions() ([][]byte, error) {
	gateway, err := parts.Path("gateway-api")
	if err != nil {
		return nil, err
	}
	return read(filepath.Join(gateway, "*httproutes.yaml"), "config/crd/*.yaml")
}

// kube is the side of kube-apiserver.
type kube struct {
	config *rest.Config
	scheme *runtime.Scheme
}

// newKube gives it the custom kinds and the controller's rights.
func newKube(ctx context.Context, config *rest.Config) (*kube, error) {
	scheme, err := fidelity.Scheme()
	if err != nil {
		return nil, err
	}
	kinds, err := definitions()
	if err != nil {
		return nil, err
	}
	rights, err := read("config/rbac/*.yaml")
	if err != nil {
		return nil, err
	}
	k := &kube{config: config, scheme: scheme}
	namespace := []byte("{apiVersion: v1, kind: Namespace, metadata: {name: belay-system}}")
	return k, k.install(ctx, append(append([][]byte{namespace}, kinds...), rights...))
}

func (k *kube) install(ctx context.Context, texts [][]byte) error {
	c, err := client.New(k.config, client.Options{Scheme: k.scheme})
	if err != nil {
		return err
	}
	for _, text := range texts {
		objects, err := fidelity.Documents(text)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if err := c.Create(ctx, object); err != nil {
				return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
			}
		}
	}
	return nil
}

// As implements fidelity.Side by impersonation.
func (k *kube) As(user string) (client.WithWatch, error) {
	config := rest.CopyConfig(k.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	switch user {
	case fidelity.Guest:
		config.Impersonate.Groups = []string{"system:authenticated"}
	case fidelity.Ours:
		config.Impersonate.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:belay-system", "system:authenticated"}
	}
	config.UserAgent = user
	config.WarningHandler = rest.NoWarnings{}
	return client.NewWithWatch(config, client.Options{Scheme: k.scheme})
}

package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// apiServerArgs make an API server that is older than the policies.
func (o Options) apiServerArgs() []string {
	if !o.WithoutPolicyAPI {
		return nil
	}
	const api = "admissionregistration.k8s.io/v1/mutatingadmissionpolic"
	return []string{
		"--disable-admission-plugins=MutatingAdmissionPolicy",
		"--runtime-config=" + api + "ies=false," + api + "ybindings=false",
	}
}

// applyFolders applies the manifests of the project's folders, as kubectl apply -f would.
func (w *World) applyFolders(ctx context.Context, folders ...string) error {
	if err := w.namespace(ctx, Namespace); err != nil {
		return err
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(w.root, folder, "*.yaml"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := w.applyFile(ctx, file); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

func (w *World) applyFile(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := documents.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(object.Object) == 0:
			continue
		}
		if err := w.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("admin")); err != nil {
			return err
		}
	}
}

package install

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// What the chart installs is what the server stores: each object of the plain manifests is there.
func TestChartIsInstalled(t *testing.T) {
	policies := schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"}
	for _, name := range []string{"belay-hold", "belay-pin", "belay-split"} {
		policy, err := shared.objects.Resource(policies).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := policy.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "'"+ours+"'") {
			t.Errorf("policy %s does not know %s", name, ours)
		}
	}
	config, err := shared.client.CoreV1().ConfigMaps("belay-system").Get(t.Context(), "belay-providers", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text := config.Data["providers.yaml"]; !strings.Contains(text, "http://10.244.0.1:9090") {
		t.Errorf("providers.yaml is %q", text)
	}
	if _, err := shared.client.AppsV1().Deployments("belay-system").Get(t.Context(), "belay", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the controller is there although controller.enabled is false: %v", err)
	}
}

// A second release with the controller leaves the rest as it is; its Deployment is one that the server accepts in a
// namespace that enforces the strictest pod security.
func TestChartWithController(t *testing.T) {
	chart := filepath.Join(shared.root, "charts", "belay")
	if err := shared.helm(t.Context(), "upgrade", "belay", chart, "--namespace", "belay-system", "--reuse-values", "--set", "controller.enabled=true", "--dry-run=server"); err != nil {
		t.Error(err)
	}
	if err := shared.helm(t.Context(), "lint", "--strict", chart); err != nil {
		t.Error(err)
	}
}

// Every object of the samples is accepted by a server that refuses unknown fields.
func TestSamplesAreAccepted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared.root, "config", "samples", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples (%v)", err)
	}
	for _, file := range files {
		for _, object := range documents(t, file) {
			t.Run(filepath.Base(file)+"/"+object.GetKind(), func(t *testing.T) {
				resource := schema.GroupVersionResource{Group: object.GroupVersionKind().Group, Version: object.GroupVersionKind().Version,
					Resource: strings.ToLower(object.GetKind()) + "s"}
				if object.GetKind() == "Repository" {
					resource.Resource = "repositories"
				}
				_, err := shared.objects.Resource(resource).Namespace(object.GetNamespace()).Create(t.Context(), object,
					metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func documents(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	source, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(source, 4096)
	var out []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(object.Object) > 0 {
			out = append(out, object)
		}
	}
}

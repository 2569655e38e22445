package admission

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/belay-dev/belay/e2e/admission/outcomes"
	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/parts"
)

// administrator installs what has to be there.
const administrator = "alice"

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// world is the cluster that all tests of this package share.
type world struct {
	config *rest.Config
}

var shared world

func TestMain(m *testing.M) {
	os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) {
		shared = world{config: c.Config()}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := shared.install(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "the policies could not be installed:", err)
			os.Exit(1)
		}
	}))
}

// as returns a client that acts as user, by impersonation. With groups, the
// user is a member of those and not of the administrators.
func (w world) as(user string, groups ...string) dynamic.Interface {
	config := rest.CopyConfig(w.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
	if user == outcomes.Controller {
		config.Impersonate.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:belay-system", "system:authenticated"}
	} else if len(groups) == 0 {
		config.Impersonate.Groups = []string{"system:masters"}
	}
	config.UserAgent = "belay-e2e"
	return dynamic.NewForConfigOrDie(config)
}

// install brings the cluster to where the chart would: resources, roles, policies.
func (w world) install(ctx context.Context) error {
	root, err := parts.Root()
	if err != nil {
		return err
	}
	gateway, err := parts.Path("gateway-api")
	if err != nil {
		return err
	}
	client := w.as(administrator)
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "belay-system"},
	}}
	if _, err := client.Resource(namespaces).Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, pattern := range []string{
		filepath.Join(gateway, "*httproutes.yaml"),
		filepath.Join(root, "config/crd/belay.dev_rollouts.yaml"),
		filepath.Join(root, "config/rbac/*.yaml"), filepath.Join(root, "config/policies/*.yaml"),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no file matches %s (%w)", pattern, errors.Join(err, os.ErrNotExist))
		}
		for _, file := range files {
			if err := w.createFile(ctx, client, file); err != nil {
				return err
			}
		}
	}
	if err := w.installWebhook(ctx); err != nil {
		return err
	}
	return outcomes.Await(ctx, w.as)
}

func (w world) createFile(ctx context.Context, client dynamic.Interface, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		object, err := outcomes.Parse(document)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if object == nil {
			continue
		}
		resource := outcomes.ResourceOf(object)
		var to dynamic.ResourceInterface = client.Resource(resource)
		if object.GetNamespace() != "" {
			to = client.Resource(resource).Namespace(object.GetNamespace())
		}
		if _, err := to.Create(ctx, object, metav1.CreateOptions{FieldManager: "install", FieldValidation: "Strict"}); err != nil {
			return fmt.Errorf("%s, %s %s: %w", file, object.GetKind(), object.GetName(), err)
		}
	}
}

// open makes a namespace.
func (w world) open(t *testing.T, labels ...string) outcomes.Place {
	t.Helper()
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"generateName": "scene-"},
	}}
	content := map[string]string{}
	for _, label := range labels {
		content[label] = outcomes.Rewritten
	}
	namespace.SetLabels(content)
	created, err := w.as(administrator).Resource(namespaces).Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("no namespace: %v", err)
	}
	return outcomes.Place{Namespace: created.GetName(), As: w.as, Pause: pause}
}

func pause(ctx context.Context, while time.Duration) error {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func TestOutcomes(t *testing.T) { outcomes.Test(t, shared.open) }

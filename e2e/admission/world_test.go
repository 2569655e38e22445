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
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/parts"
)

// Who writes. Ours is the controller; agent and person may do everything that
// an administrator may, so what stops them is never a missing right.
const (
	ours   = "system:serviceaccount:belay-system:belay"
	agent  = "agent"
	person = "alice"
)

var (
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	replicaSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	routes      = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	oldRoutes   = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1beta1", Resource: "httproutes"}
	rollouts    = schema.GroupVersionResource{Group: "belay.dev", Version: "v1alpha1", Resource: "rollouts"}
	namespaces  = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

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
	if user == ours {
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
	client := w.as(person)
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "belay-system"},
	}}
	if _, err := client.Resource(namespaces).Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, pattern := range []string{
		filepath.Join(gateway, "*httproutes.yaml"),
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
	return w.awaitPolicies(ctx)
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
		object, err := parse(document)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if object == nil {
			continue
		}
		resource := resourceOf(object)
		var to dynamic.ResourceInterface = client.Resource(resource)
		if object.GetNamespace() != "" {
			to = client.Resource(resource).Namespace(object.GetNamespace())
		}
		if _, err := to.Create(ctx, object, metav1.CreateOptions{FieldManager: "install", FieldValidation: "Strict"}); err != nil {
			return fmt.Errorf("%s, %s %s: %w", file, object.GetKind(), object.GetName(), err)
		}
	}
}

// parse reads one document; nil when it is empty.
func parse(document []byte) (*unstructured.Unstructured, error) {
	content := map[string]any{}
	if err := yaml.Unmarshal(bytes.TrimSpace(document), &content); err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, err
	}
	return object, object.UnmarshalJSON(text)
}

// mustParse reads a manifest written in a test.
func mustParse(t testing.TB, manifest string) *unstructured.Unstructured {
	t.Helper()
	object, err := parse([]byte(manifest))
	if err != nil {
		t.Fatalf("the manifest does not parse: %v\n%s", err, manifest)
	}
	return object
}

// eventually calls check until it returns nil, or fails the test with its last error.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := until(ctx, check); err != nil {
		t.Fatal(err)
	}
}

func until(ctx context.Context, check func() error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w", err)
		case <-ticker.C:
		}
	}
}

package mechanics

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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/parts"
)

// world is the cluster that all tests of this package share.
type world struct {
	// ours has the controller's name and rights; person is whoever owns the objects.
	ours, person client.Client
}

var shared world

func TestMain(m *testing.M) {
	images, err := writeImages()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := cluster.Main(m, cluster.Options{Node: &cluster.NodeOptions{Images: images}}, func(c *cluster.Cluster) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := shared.install(ctx, c.Config()); err != nil {
			fmt.Fprintln(os.Stderr, "the policies could not be installed:", err)
			os.Exit(1)
		}
	})
	if err := os.Remove(images); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// writeImages lets every version be a process that does nothing.
func writeImages() (string, error) {
	file, err := os.CreateTemp("", "images-*.json")
	if err != nil {
		return "", err
	}
	defer file.Close()
	nothing := map[string]any{"command": []string{"/bin/sleep", "1000000"}}
	text, err := yaml.Marshal(map[string]any{"web:v1": nothing, "web:v2": nothing, "web:v3": nothing, "web:unready": nothing})
	if err != nil {
		return "", err
	}
	if text, err = yaml.YAMLToJSON(text); err != nil {
		return "", err
	}
	_, err = file.Write(text)
	return file.Name(), err
}

// install brings the cluster to where the chart would: resources, roles, policies.
func (w *world) install(ctx context.Context, config *rest.Config) error {
	var err error
	if w.person, err = client.New(config, client.Options{Scheme: clientgo.Scheme}); err != nil {
		return err
	}
	root, err := parts.Root()
	if err != nil {
		return err
	}
	gateway, err := parts.Path("gateway-api")
	if err != nil {
		return err
	}
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "belay-system"}}
	if err := w.person.Create(ctx, system); err != nil {
		return err
	}
	for _, pattern := range []string{
		filepath.Join(gateway, "*httproutes.yaml"),
		filepath.Join(root, "config/crd/*.yaml"), filepath.Join(root, "config/rbac/*.yaml"), filepath.Join(root, "config/policies/*.yaml"),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no file matches %s (%w)", pattern, errors.Join(err, os.ErrNotExist))
		}
		for _, file := range files {
			if err := createFile(ctx, w.person, file); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	controller := rest.CopyConfig(config)
	controller.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:belay-system:belay",
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:belay-system", "system:authenticated"},
	}
	if w.ours, err = client.New(controller, client.Options{Scheme: clientgo.Scheme}); err != nil {
		return err
	}
	return w.awaitPolicies(ctx)
}

func createFile(ctx context.Context, c client.Client, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		object, err := parse(string(document))
		if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := c.Create(ctx, object); err != nil {
			return err
		}
	}
}

func parse(document string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
		return nil, err
	}
	// Through JSON once more, so that whole numbers are integers.
	text, err := yaml.YAMLToJSON([]byte(document))
	if err != nil || len(object.Object) == 0 {
		return object, err
	}
	return object, object.UnmarshalJSON(text)
}

// until calls check until it returns nil or ctx ends.
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

func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	must(t, until(ctx, check))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

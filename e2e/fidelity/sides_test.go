package fidelity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
	"github.com/belay-dev/belay/e2e/parts"
)

// Who writes: ours is the controller, everybody else may do everything.
const (
	ours   = "system:serviceaccount:belay-system:belay"
	agent  = "agent"
	person = "alice"
)

// side is a server that scripts run against.
type side interface {
	// as is a user's client; the user is the field owner too, where none is named.
	as(user string) (client.WithWatch, error)
}

// manifests of the product and of the Gateway API, by the folder they stand for.
func manifests(pattern ...string) ([][]byte, error) {
	var texts [][]byte
	for _, p := range pattern {
		files, err := filepath.Glob(p)
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no file matches %s (%w)", p, os.ErrNotExist)
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
	root, err := parts.Root()
	if err != nil {
		return nil, err
	}
	gateway, err := parts.Path("gateway-api")
	if err != nil {
		return nil, err
	}
	return manifests(filepath.Join(gateway, "*httproutes.yaml"), filepath.Join(root, "config/crd/*.yaml"))
}

// policies are the admission policies.
func policies() ([][]byte, error) {
	root, err := parts.Root()
	if err != nil {
		return nil, err
	}
	return manifests(filepath.Join(root, "config/policies/*.yaml"))
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientgo.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return scheme, v1alpha1.AddToScheme(scheme)
}

// kube is kube-apiserver.
type kube struct {
	config *rest.Config
	scheme *runtime.Scheme
}

// newKube gives it the custom kinds and the controller's rights.
func newKube(ctx context.Context, config *rest.Config) (*kube, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	k := &kube{config: config, scheme: scheme}
	texts, err := definitions()
	if err != nil {
		return nil, err
	}
	root, err := parts.Root()
	if err != nil {
		return nil, err
	}
	rights, err := manifests(filepath.Join(root, "config/rbac/*.yaml"))
	if err != nil {
		return nil, err
	}
	if err := k.install(ctx, [][]byte{[]byte("{apiVersion: v1, kind: Namespace, metadata: {name: belay-system}}")}); err != nil {
		return nil, err
	}
	return k, k.install(ctx, append(texts, rights...))
}

func (k *kube) install(ctx context.Context, texts [][]byte) error {
	c, err := k.as(person)
	if err != nil {
		return err
	}
	for _, text := range texts {
		objects, err := documents(text)
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

func (k *kube) as(user string) (client.WithWatch, error) {
	config := rest.CopyConfig(k.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	switch user {
	case guest:
		config.Impersonate.Groups = []string{"system:authenticated"}
	case ours:
		config.Impersonate.Groups = []string{"system:serviceaccounts", "system:serviceaccounts:belay-system", "system:authenticated"}
	}
	config.UserAgent = user
	config.WarningHandler = rest.NoWarnings{}
	return client.NewWithWatch(config, client.Options{Scheme: k.scheme})
}

// memory is the server in memory.
type memory struct{ *server.Server }

func (m memory) as(user string) (client.WithWatch, error) { return m.Client(user), nil }

// compiled is what the servers in memory share.
var compiled = sync.OnceValues(func() (*server.Schemas, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	texts, err := definitions()
	if err != nil {
		return nil, err
	}
	read, err := server.ReadDefinitions(texts...)
	if err != nil {
		return nil, err
	}
	return server.Compile(scheme, read...)
})

// newMemory makes a server; with policies, they are in force.
func newMemory(policies *admission.Policies) (side, error) {
	schemas, err := compiled()
	if err != nil {
		return nil, err
	}
	uids := 0
	options := server.Options{
		Schemas: schemas, Now: time.Now, ShowManagedFields: true,
		UID: func() types.UID { uids++; return types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", uids)) },
	}
	if policies != nil {
		options.Admit = func(ctx context.Context, r server.Request, objects *server.Objects) (*unstructured.Unstructured, error) {
			return policies.Admit(ctx, admission.Request{
				Operation: r.Operation, Kind: r.Kind, Resource: r.Resource, Subresource: r.Subresource,
				Namespace: r.Namespace, Name: r.Name, User: r.User, DryRun: r.DryRun, Object: r.Object, Old: r.Old,
			}, objects.ConfigMaps, may)
		}
	}
	return memory{server.New(options)}, nil
}

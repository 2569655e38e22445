package fidelity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// Who writes: Ours is the controller; Guest may write Rollouts and Deployments (GuestRights) and has none of the verbs that
// policies ask for; everybody else may do everything.
const (
	Ours   = "system:serviceaccount:belay-system:belay"
	Guest  = "guest"
	agent  = "agent"
	person = "alice"
)

// GuestRights are the manifests of what Guest may.
const GuestRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: guest}
rules:
- {apiGroups: [belay.dev], resources: [rollouts], verbs: [get, list, create, update, patch]}
- {apiGroups: [apps], resources: [deployments], verbs: [get, list, create, update, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: guest}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: guest}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: guest}]
`

// may is what the authorizer of the server in memory says.
func may(a authorizer.Attributes) bool {
	return a.GetUser().GetName() != Guest || slices.Contains([]string{"get", "list", "create", "update", "patch"}, a.GetVerb())
}

// Scheme has the types of both sides.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientgo.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return scheme, v1alpha1.AddToScheme(scheme)
}

// Compile makes schemas of the text of CustomResourceDefinitions. HTTPRoute has to be among them.
func Compile(definitions ...[]byte) (*server.Schemas, error) {
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	read, err := server.ReadDefinitions(definitions...)
	if err != nil {
		return nil, err
	}
	return server.Compile(scheme, read...)
}

type memory struct{ *server.Server }

func (m memory) As(user string) (client.WithWatch, error) { return m.Client(user), nil }

// Memory is a new server in memory; with policies, they are in force.
func Memory(schemas *server.Schemas, policies *admission.Policies) Side {
	uids := 0
	options := server.Options{
		Schemas: schemas, ShowManagedFields: true,
		Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
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
	return memory{server.New(options)}
}

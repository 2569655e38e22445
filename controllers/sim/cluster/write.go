package cluster

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// writer is a neighbour's connection to the API server.
type writer struct {
	client client.Client
	owner  client.FieldOwner
}

func writers(api *server.Server) map[neighbour]writer {
	out := map[neighbour]writer{}
	for n := deploymentController; n < proxy; n++ {
		out[n] = writer{api.Client(n.user()), n.manager()}
	}
	return out
}

func (w writer) create(object *unstructured.Unstructured) error {
	return w.client.Create(context.Background(), object, w.owner)
}

// update replaces an object, if the stored one is still the version that this was made from.
func (w writer) update(object *unstructured.Unstructured) error {
	return w.client.Update(context.Background(), object, w.owner)
}

func (w writer) status(object *unstructured.Unstructured) error {
	return w.client.Status().Update(context.Background(), object, w.owner)
}

// remove asks for the end of an object. What runs on a node ends after its drain.
func (w writer) remove(object *unstructured.Unstructured, options ...client.DeleteOption) error {
	uid := object.GetUID()
	options = append(options, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	return client.IgnoreNotFound(w.client.Delete(context.Background(), &unstructured.Unstructured{Object: object.Object}, options...))
}

// end takes away what is no longer running.
func (w writer) end(object *unstructured.Unstructured) error {
	return w.remove(object, client.GracePeriodSeconds(0))
}

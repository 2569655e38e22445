package delivery

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// send makes the one request of the agent's mode.
func (a *Agent) send(o, stored *unstructured.Unstructured, known *applied) error {
	ctx := context.Background()
	switch a.opts.Mode {
	case ClientSide:
		return a.patch(ctx, o, stored)
	case Replacing:
		return a.replace(ctx, o, stored, known)
	case Polite:
		return a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner(a.opts.User))
	default:
		return a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner(a.opts.User), client.ForceOwnership)
	}
}

// replace puts the object as it was before this manifest came, with what the manifest says.
func (a *Agent) replace(ctx context.Context, o, stored *unstructured.Unstructured, known *applied) error {
	if stored == nil {
		return a.create(ctx, o)
	}
	if known.copy == nil || known.copy.GetUID() != stored.GetUID() {
		known.copy = stored // the copy is of an object that is gone
	}
	next := known.copy.DeepCopy()
	overlay(next.Object, o.Object)
	next.SetManagedFields(nil)
	// As tools do that replace without caring who wrote meanwhile.
	next.SetResourceVersion(stored.GetResourceVersion())
	return a.client.Update(ctx, next, client.FieldOwner(a.opts.User))
}

func (a *Agent) create(ctx context.Context, o *unstructured.Unstructured) error {
	err := a.client.Create(ctx, o, client.FieldOwner(a.opts.User))
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// sameToAnAgent says that nothing has changed but status: an apply of one does what an apply of the other does.
func sameToAnAgent(a, b *unstructured.Unstructured) bool {
	switch {
	case a == nil || b == nil:
		return false
	case a == b || a.GetResourceVersion() == b.GetResourceVersion():
		return true
	case a.GetGeneration() == 0 || a.GetGeneration() != b.GetGeneration() || a.GetUID() != b.GetUID():
		return false // where nothing counts changes of the spec, any may be one
	}
	was, is := maps.Clone(metadataOf(a)), maps.Clone(metadataOf(b))
	for _, bookkeeping := range []string{"resourceVersion", "managedFields"} {
		delete(was, bookkeeping)
		delete(is, bookkeeping)
	}
	return reflect.DeepEqual(was, is)
}

func metadataOf(o *unstructured.Unstructured) map[string]any {
	m, _ := o.Object["metadata"].(map[string]any)
	return m
}

// overlay puts what a manifest says into an object. Lists are replaced.
func overlay(object, manifest map[string]any) {
	for key, value := range manifest {
		below, ok1 := object[key].(map[string]any)
		above, ok2 := value.(map[string]any)
		if ok1 && ok2 {
			overlay(below, above)
			continue
		}
		object[key] = value
	}
}

func annotate(o *unstructured.Unstructured, key, value string) {
	notes := o.GetAnnotations()
	if notes == nil {
		notes = map[string]string{}
	}
	notes[key] = value
	o.SetAnnotations(notes)
}

// declaredIn lists the objects of files, in order.
func declaredIn(files Files) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, name := range files.Names() {
		out = append(out, files[name].objects...)
	}
	return out
}

func keyOf(o *unstructured.Unstructured) server.Key {
	return server.Key{Kind: o.GroupVersionKind().GroupKind(), Namespace: o.GetNamespace(), Name: o.GetName()}
}

func sortedKeys(objects map[server.Key]*applied) []server.Key {
	return slices.SortedFunc(maps.Keys(objects), func(a, b server.Key) int { return cmp.Compare(a.String(), b.String()) })
}

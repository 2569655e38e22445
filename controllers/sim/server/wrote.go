package server

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// wrote is one plain write, as it was before admission: what admission changes is owned by nobody.
type wrote struct {
	s                    *Server
	k                    *kind
	subresource, manager string
	at                   time.Time
	live, object         content
	// asked is what admission was asked; nil: nothing. It may change owners too.
	asked *Request
}

// owners after a write, given those before. An object that had none gets none by an update, unless it is tracked elsewhere.
func (w wrote) owners(live content, old entries, tracked bool) (entries, error) {
	before, after, differ := differing(live, w.object)
	if !differ {
		return w.admitted(old, old)
	}
	delete(metadata(before), "uid")
	if !tracked {
		put(metadata(before), "uid", "any", true)
	}
	return w.update(before, after, old, nil)
}

// update has the library work it out. sent are owners that the client sent itself; nil: none.
func (w wrote) update(before, after content, old, sent entries) (entries, error) {
	next := &unstructured.Unstructured{Object: after}
	w.s.setOwners(next, sent)
	// Where owners cannot be made out, nobody owns anything: the write goes on (e2e/admission/memory).
	updated := w.k.fields[w.subresource].UpdateNoErrors(w.s.withOwners(before, old), next, w.manager)
	u, _ := updated.(*unstructured.Unstructured)
	return w.admitted(dated(u.GetManagedFields(), old, w.at), old)
}

// differing are two states of an object without what they have in common.
func differing(a, b content) (onlyA, onlyB content, differ bool) {
	onlyA, onlyB = content{}, content{}
	for _, of := range []content{a, b} {
		for key := range of {
			if equal(a[key], b[key]) && key != "apiVersion" && key != "kind" {
				continue
			}
			keep(onlyA, a, key)
			keep(onlyB, b, key)
			differ = differ || (key != "apiVersion" && key != "kind")
		}
	}
	return editable(onlyA), editable(onlyB), differ
}

// admitted are the owners as admission leaves them: it is asked once more, now with owners. Its answer to the same question
// is the same.
func (w wrote) admitted(found, old entries) (entries, error) {
	if w.asked == nil {
		return found, nil
	}
	a := *w.asked
	a.Object = w.s.withOwners(a.Object.Object, found)
	if a.Old != nil {
		a.Old = w.s.withOwners(a.Old.Object, old)
	}
	object, err := w.s.admit(context.Background(), a, w.s.objects)
	if err != nil || object == nil || object == a.Object {
		return found, err
	}
	return object.GetManagedFields(), nil
}

// empty is what an object is before it is created: of a kind with a Go type, all structs of it are there.
func (k *kind) empty() *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content{}}
	if k.zero != nil {
		u.Object = editable(k.zero)
	}
	u.SetGroupVersionKind(k.gvk)
	return u
}

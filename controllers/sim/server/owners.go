package server

import (
	"context"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// owners say who owns which field of a version. Working that out costs more than all the rest of a write, and is wanted only
// by server-side apply and by whoever asks for it. So a plain write remembers what it was, and the owners follow from it and
// from those of the version before, when somebody wants to know.
type owners struct {
	known   bool
	entries []metav1.ManagedFieldsEntry

	before *version // nil: the object was created
	wrote  wrote
}

// wrote is one plain write, as it was before admission: what admission changes is owned by nobody.
type wrote struct {
	s                    *Server
	k                    *kind
	subresource, manager string
	at                   time.Time
	object               content
	// asked is what admission was asked; nil: nothing. It may change owners too.
	asked *Request
	// entries that the client sent itself.
	entries []metav1.ManagedFieldsEntry
	sent    bool
}

// of gives the owners of a version.
func (o *owners) of() ([]metav1.ManagedFieldsEntry, error) {
	var behind []*owners
	for at := o; !at.known; at = at.before.owners {
		behind = append(behind, at)
		if at.before == nil {
			break
		}
	}
	for _, at := range slices.Backward(behind) {
		entries, err := at.wrote.owners(at.before)
		if err != nil {
			return nil, err
		}
		*at = owners{known: true, entries: entries}
	}
	return o.entries, nil
}

// owners after the write. The owners of the version before are known.
func (w wrote) owners(before *version) ([]metav1.ManagedFieldsEntry, error) {
	live := w.k.empty()
	var old []metav1.ManagedFieldsEntry
	if before != nil {
		old = before.owners.entries
		live = withOwners(before.object.Object, old)
	}
	next := &unstructured.Unstructured{Object: editable(w.object)}
	if w.sent {
		setOwners(next, w.entries)
	}
	// Where owners cannot be made out, nobody owns anything: the write goes on.
	after := w.k.fields[w.subresource].UpdateNoErrors(live, next, w.manager)
	u, _ := after.(*unstructured.Unstructured)
	return w.admitted(dated(u.GetManagedFields(), old, w.at), old)
}

// admitted are the owners as admission leaves them: it is asked once more, now with owners. Its answer to the same question
// is the same.
func (w wrote) admitted(entries, old []metav1.ManagedFieldsEntry) ([]metav1.ManagedFieldsEntry, error) {
	if w.asked == nil {
		return entries, nil
	}
	a := *w.asked
	a.Object = withOwners(a.Object.Object, entries)
	if a.Old != nil {
		a.Old = withOwners(a.Old.Object, old)
	}
	object, err := w.s.admit(context.Background(), a, w.s.objects)
	if err != nil || object == nil || object == a.Object {
		return entries, err
	}
	return object.GetManagedFields(), nil
}

// empty is what an object is before it is created: of a kind with a Go type, all structs of it are there.
func (k *kind) empty() *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content{}}
	if example := k.form.patchable(); example != nil {
		if c, err := runtime.DefaultUnstructuredConverter.ToUnstructured(example); err == nil {
			u.Object = c
		}
	}
	u.SetGroupVersionKind(k.gvk)
	return u
}

func withOwners(c content, entries []metav1.ManagedFieldsEntry) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: editable(c)}
	setOwners(u, entries)
	return u
}

// setOwners keeps an empty list empty: it says that all owners are to be forgotten.
func setOwners(u *unstructured.Unstructured, entries []metav1.ManagedFieldsEntry) {
	u.SetManagedFields(entries)
	if entries != nil && len(entries) == 0 {
		metadata(u.Object)["managedFields"] = []any{}
	}
}

// dated gives what changed the time of the server's clock, where the library took the time of the machine, and the order
// that follows from it.
func dated(entries, old []metav1.ManagedFieldsEntry, now time.Time) []metav1.ManagedFieldsEntry {
	for i := range entries {
		e := &entries[i]
		if e.Time == nil {
			continue // an apply that changes nothing has no time
		}
		was := slices.IndexFunc(old, func(o metav1.ManagedFieldsEntry) bool {
			return o.Manager == e.Manager && o.Operation == e.Operation && o.APIVersion == e.APIVersion &&
				o.Subresource == e.Subresource && o.Time.Equal(e.Time)
		})
		if was < 0 {
			at := metav1.NewTime(now.UTC().Truncate(time.Second))
			e.Time = &at
		}
	}
	slices.SortFunc(entries, func(a, b metav1.ManagedFieldsEntry) int {
		for _, c := range []int{
			strings.Compare(string(a.Operation), string(b.Operation)), seconds(a).Compare(seconds(b)),
			strings.Compare(a.Manager, b.Manager), strings.Compare(a.APIVersion, b.APIVersion),
		} {
			if c != 0 {
				return c
			}
		}
		return strings.Compare(a.Subresource, b.Subresource)
	})
	return entries
}

func seconds(e metav1.ManagedFieldsEntry) time.Time {
	if e.Time == nil {
		return time.Time{}
	}
	return e.Time.Truncate(time.Second)
}

// sameOwners compares all but the times.
func sameOwners(a, b []metav1.ManagedFieldsEntry) bool {
	return slices.EqualFunc(a, b, func(a, b metav1.ManagedFieldsEntry) bool {
		return a.Manager == b.Manager && a.Operation == b.Operation && a.APIVersion == b.APIVersion &&
			a.Subresource == b.Subresource && a.FieldsV1.String() == b.FieldsV1.String()
	})
}

package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// entries are managedFields.
type entries = []metav1.ManagedFieldsEntry

const statusField = "f:status"

// divided gives what of an entry belongs to each share.
func divided(e metav1.ManagedFieldsEntry) (main, status *metav1.ManagedFieldsEntry) {
	fields := fieldsIn(e)
	of, is := fields[statusField]
	switch {
	case !is:
		return &e, nil
	case len(fields) == 1:
		return nil, &e
	}
	delete(fields, statusField)
	rest, only := e, e
	rest.FieldsV1, only.FieldsV1 = fieldsOfEntry(fields), fieldsOfEntry(map[string]json.RawMessage{statusField: of})
	return &rest, &only
}

// fieldsIn are the fields at the top of an object that an entry owns something of.
func fieldsIn(e metav1.ManagedFieldsEntry) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if e.FieldsV1 == nil || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
		return nil
	}
	return fields
}

func fieldsOfEntry(fields map[string]json.RawMessage) *metav1.FieldsV1 {
	text, err := json.Marshal(fields)
	if err != nil {
		return &metav1.FieldsV1{}
	}
	return metav1.NewFieldsV1(string(text))
}

// united is one entry of two parts.
func united(a, b metav1.ManagedFieldsEntry) metav1.ManagedFieldsEntry {
	fields := fieldsIn(a)
	maps.Copy(fields, fieldsIn(b))
	a.FieldsV1 = fieldsOfEntry(fields)
	if a.Time.Before(b.Time) {
		a.Time = b.Time
	}
	return a
}

func (s *Server) withOwners(c content, all entries) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: editable(c)}
	s.setOwners(u, all)
	return u
}

// setOwners keeps an empty list empty: it says that all owners are to be forgotten.
func (s *Server) setOwners(u *unstructured.Unstructured, all entries) {
	if all == nil {
		delete(metadata(u.Object), "managedFields")
		return
	}
	list := make([]any, 0, len(all))
	for i := range all {
		list = append(list, s.written(&all[i]))
	}
	metadata(u.Object)["managedFields"] = list
}

// written is an entry as it stands in an object. Most entries stay as they are from one write to the next, and reading their
// fields is what takes long, so that those are kept and shared.
func (s *Server) written(e *metav1.ManagedFieldsEntry) content {
	out := content{}
	put(out, "manager", e.Manager, e.Manager != "")
	put(out, "operation", string(e.Operation), e.Operation != "")
	put(out, "apiVersion", e.APIVersion, e.APIVersion != "")
	put(out, "fieldsType", e.FieldsType, e.FieldsType != "")
	put(out, "subresource", e.Subresource, e.Subresource != "")
	if e.Time != nil {
		out["time"] = e.Time.ToUnstructured()
	}
	if e.FieldsV1 != nil {
		out["fieldsV1"] = s.tree(e.FieldsV1.String())
	}
	return out
}

// tree reads the fields of an entry. What it gives is shared: never change it.
func (s *Server) tree(fields string) any {
	if known, is := s.trees[fields]; is {
		return known
	}
	var tree any
	if err := json.Unmarshal([]byte(fields), &tree); err != nil {
		tree = nil // nobody owns what cannot be read
	}
	s.trees[fields] = tree
	return tree
}

// dated gives what changed the time of the server's clock, where the library took the time of the machine, and the order
// that follows from it.
func dated(found, old entries, now time.Time) entries {
	for i := range found {
		e := &found[i]
		if e.Time == nil {
			continue // an apply that changes nothing has no time
		}
		was := slices.IndexFunc(old, func(o metav1.ManagedFieldsEntry) bool {
			return sameOwner(o, *e) && o.Time.Equal(e.Time)
		})
		if was < 0 {
			at := metav1.NewTime(now.UTC().Truncate(time.Second))
			e.Time = &at
		}
	}
	return inOrder(found)
}

func inOrder(all entries) entries {
	slices.SortFunc(all, func(a, b metav1.ManagedFieldsEntry) int {
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
	return all
}

func seconds(e metav1.ManagedFieldsEntry) time.Time {
	if e.Time == nil {
		return time.Time{}
	}
	return e.Time.Truncate(time.Second)
}

// sameOwners compares all but the times.
func sameOwners(a, b entries) bool {
	return slices.EqualFunc(a, b, func(a, b metav1.ManagedFieldsEntry) bool {
		return sameOwner(a, b) && a.FieldsV1.String() == b.FieldsV1.String()
	})
}

func sameOwner(a, b metav1.ManagedFieldsEntry) bool {
	return a.Manager == b.Manager && a.Operation == b.Operation && a.APIVersion == b.APIVersion && a.Subresource == b.Subresource
}

package server

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apiserver/pkg/admission"
)

// request is one write of one object.
type request struct {
	s           *Server
	k           *kind
	key         Key
	user        string
	manager     string
	subresource string
	dryRun      bool
	// applies says that this is server-side apply.
	applies bool
	unclean bool // see version
	strict  bool
	// before is the version that the write replaces; nil: none.
	before *version
	// owners after the write; nil: they follow from what is written.
	owners *owners
	// entries are owners that the client sent.
	entries []metav1.ManagedFieldsEntry
	sent    bool
}

// takeOwners reads the owners that a client sent with an object, and takes them out of it.
func (r *request) takeOwners(c content) {
	m := metadata(c)
	if list, is := m["managedFields"].([]any); is && r.subresource == "" {
		r.entries, r.sent = (&unstructured.Unstructured{Object: c}).GetManagedFields(), true
		if len(list) == 0 {
			r.entries = []metav1.ManagedFieldsEntry{}
		}
	}
	delete(m, "managedFields")
}

// own says who owns what after a plain write, given what was asked for.
func (r *request) own(before *version, asked content) {
	if r.owners != nil {
		return
	}
	r.owners = &owners{before: before, wrote: wrote{
		s: r.s, k: r.k, subresource: r.subresource, manager: r.manager, at: r.s.now(), object: asked, entries: r.entries, sent: r.sent,
	}}
}

// do carries a request out, and tells of what it changed.
func (r *request) do(write func() (*version, error)) (*version, error) {
	v, err := func() (*version, error) {
		r.s.writing.Lock()
		defer r.s.writing.Unlock()
		return write()
	}()
	r.s.tell()
	return v, err
}

// identify gives an object the kind and the place that the request names.
func (r *request) identify(c content) error {
	if text(c, "apiVersion") == "" {
		c["apiVersion"] = r.k.gvk.GroupVersion().String()
	}
	if text(c, "kind") == "" {
		c["kind"] = r.k.gvk.Kind
	}
	m := metadata(c)
	switch namespace := text(m, "namespace"); {
	case namespace == r.key.Namespace:
	case namespace == "" || r.key.Namespace == "":
		put(m, "namespace", r.key.Namespace, r.key.Namespace != "")
	default:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// admitted is the object after admission; it may share with what was given.
func (r *request) admitted(ctx context.Context, op admission.Operation, next, old content) (content, error) {
	if r.s.admit == nil {
		return next, nil
	}
	a := Request{
		Operation: op, Kind: r.k.gvk, Resource: r.k.resource, Subresource: r.subresource,
		Namespace: r.key.Namespace, Name: r.key.Name, User: r.user, DryRun: r.dryRun,
	}
	if next != nil {
		a.Object = &unstructured.Unstructured{Object: next}
	}
	if old != nil {
		a.Old = &unstructured.Unstructured{Object: old}
	}
	if r.owners != nil && r.owners.known {
		return r.admittedWithOwners(ctx, a)
	}
	if r.owners != nil {
		r.owners.wrote.asked = &a
	}
	object, err := r.s.admit(ctx, a, r.s.objects)
	if err != nil || object == nil || object == a.Object {
		return next, err
	}
	r.unclean = r.k.leavesEmpty(metadata(next), metadata(object.Object))
	return r.reread(editable(object.Object), next)
}

// leavesEmpty: what admission makes of a custom kind is stored as it is, also a map of which it took the last key away.
func (k *kind) leavesEmpty(before, after content) bool {
	if k.form.patchable() != nil {
		return false
	}
	for _, field := range []string{"annotations", "labels"} {
		had, _ := before[field].(content)
		has, _ := after[field].(content)
		if len(had) > 0 && len(has) == 0 {
			return true
		}
	}
	return false
}

// admittedWithOwners lets admission see and change who owns what.
func (r *request) admittedWithOwners(ctx context.Context, a Request) (content, error) {
	next := a.Object.Object
	a.Object = withOwners(next, r.owners.entries)
	if a.Old != nil {
		before, err := r.before.owners.of()
		if err != nil {
			return nil, err
		}
		a.Old = withOwners(a.Old.Object, before)
	}
	object, err := r.s.admit(ctx, a, r.s.objects)
	if err != nil || object == nil || object == a.Object {
		return next, err
	}
	r.unclean = r.k.leavesEmpty(metadata(next), metadata(object.Object))
	changed := editable(object.Object)
	r.owners.entries = object.GetManagedFields()
	delete(metadata(changed), "managedFields")
	return r.reread(changed, next)
}

// reread gives the form in which it is stored to what differs from an object that has it already.
func (r *request) reread(changed, from content) (content, error) {
	partial := content{"apiVersion": from["apiVersion"], "kind": from["kind"], "metadata": metadata(changed)}
	for key, value := range changed {
		switch {
		case key == "apiVersion" || key == "kind" || key == "metadata":
		case equal(value, from[key]):
			changed[key] = from[key]
		default:
			partial[key] = value
		}
	}
	fields := make([]string, 0, len(partial))
	for key := range partial {
		if key != "apiVersion" && key != "kind" {
			fields = append(fields, key)
		}
	}
	known, err := r.k.form.read(partial, r.strict)
	if err != nil {
		return nil, err
	}
	keep(changed, known, fields...)
	for key, value := range known {
		if _, is := changed[key]; !is {
			changed[key] = value // a default for what is not there
		}
	}
	return changed, nil
}

package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
)

// create stores a new object.
func (r *request) create(ctx context.Context, sent content) (*version, error) {
	if r.k.namespaced && r.key.Namespace == "" {
		return nil, fmt.Errorf("an empty namespace may not be set during creation")
	}
	if metadata(sent) == nil {
		sent["metadata"] = content{}
	}
	r.takeOwners(sent)
	if err := r.identify(sent); err != nil {
		return nil, err
	}
	next, err := r.k.form.read(sent, r.strict)
	if err != nil {
		return nil, err
	}
	return r.createRead(ctx, next)
}

// createRead stores what has the right form.
func (r *request) createRead(ctx context.Context, next content) (*version, error) {
	m := metadata(next)
	dedupOwners(m)
	for _, field := range []string{"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"} {
		delete(m, field)
	}
	if err := r.namespaceThere(); err != nil {
		return nil, err
	}
	asked := next
	next, err := r.admitted(ctx, admission.Create, next, nil)
	if err != nil {
		return nil, err
	}
	if err := r.settle(nil, asked); err != nil {
		return nil, err
	}
	next = editable(next)
	m = metadata(next)
	r.s.name(m)
	r.key.Name = text(m, "name")
	m["uid"] = string(r.s.uid())
	m["creationTimestamp"] = r.s.now().UTC().Format(time.RFC3339)
	delete(m, "generation")
	r.k.form.create(next)
	if r.k.allocate != nil {
		r.k.allocate(r.s, next, nil)
	}
	if err := r.validate(next, nil); err != nil {
		return nil, err
	}
	if text(m, "resourceVersion") != "" && !r.applies {
		return nil, failed(errors.New("resourceVersion should not be set on objects to be created"))
	}
	if old := r.s.objects.version(r.key); old != nil {
		return nil, r.exists(old)
	}
	if !r.dryRun {
		r.s.stamp(next)
	}
	v := newVersion(next, r.owners)
	v.unclean = r.unclean
	if !r.dryRun {
		r.s.store(r, nil, v)
	}
	return v, nil
}

func (r *request) exists(old *version) error {
	err := apierrors.NewAlreadyExists(r.k.groupResource(), r.key.Name)
	if text(metadata(old.object.Object), "deletionTimestamp") != "" {
		err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
	}
	return err
}

var namespaces = schema.GroupKind{Kind: "Namespace"}

// namespaceThere refuses new content where there is no namespace, or one that is going.
func (r *request) namespaceThere() error {
	if !r.k.namespaced {
		return nil
	}
	namespace := r.s.objects.Shared(Key{Kind: namespaces, Name: r.key.Namespace})
	if namespace == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, r.key.Namespace)
	}
	if namespace.GetDeletionTimestamp() == nil {
		return nil
	}
	err := apierrors.NewForbidden(r.k.groupResource(), r.key.Name,
		fmt.Errorf("unable to create new content in namespace %s because it is being terminated", r.key.Namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: "NamespaceTerminating", Message: fmt.Sprintf("namespace %s is being terminated", r.key.Namespace), Field: "metadata.namespace",
	})
	return err
}

// validate refuses what the kind does not allow.
func (r *request) validate(next, old content) error {
	errs := r.k.checkMetadata(next, old)
	if old == nil || !r.s.trust {
		errs = append(errs, r.k.form.validate(next, old, r.subresource)...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(r.k.gvk.GroupKind(), r.key.Name, errs)
	}
	return nil
}

// suffixes of generated names have no vowels, so that they are no words.
const (
	letters      = "bcdfghjklmnpqrstvwxz2456789"
	suffixLength = 5
	longestBase  = 63 - suffixLength
)

// name makes one up where only its beginning was sent. The same requests get the same names.
func (s *Server) name(m content) {
	base := text(m, "generateName")
	if text(m, "name") != "" || base == "" {
		return
	}
	base = base[:min(len(base), longestBase)]
	n := s.names
	s.names++
	suffix := make([]byte, suffixLength)
	for i := range suffix {
		suffix[len(suffix)-1-i] = letters[n%len(letters)]
		n /= len(letters)
	}
	m["name"] = base + string(suffix)
}

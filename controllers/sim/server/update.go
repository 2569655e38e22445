package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
)

const optimisticLock = "the object has been modified; please apply your changes to the latest version and try again"

// replace is an update by a whole object.
func (r *request) replace(ctx context.Context, sent content) (*version, error) {
	old := r.s.objects.version(r.key)
	if old == nil {
		return nil, apierrors.NewNotFound(r.k.groupResource(), r.key.Name)
	}
	if metadata(sent) == nil {
		sent["metadata"] = content{}
	}
	if uid, stored := text(metadata(sent), "uid"), string(old.object.GetUID()); uid != "" && uid != stored {
		return nil, r.conflict(fmt.Sprintf("StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
			r.k.storagePath(r.key), uid, stored))
	}
	return r.update(ctx, old, sent)
}

// update stores what an object is to become. What was sent may share with the old version.
func (r *request) update(ctx context.Context, old *version, sent content) (*version, error) {
	was := old.object.Object
	if name := text(metadata(sent), "name"); name != r.key.Name {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", name, r.key.Name))
	}
	r.takeOwners(sent)
	if err := r.identify(sent); err != nil {
		return nil, err
	}
	next, err := r.reread(sent, was)
	if err != nil {
		return nil, err
	}
	if err := r.current(next, was); err != nil {
		return nil, err
	}
	dedupOwners(metadata(next))
	asked := next
	next, err = r.admitted(ctx, admission.Update, next, was)
	if err != nil {
		return nil, err
	}
	if err := r.settle(old, asked); err != nil {
		return nil, err
	}
	next = editable(next)
	r.prepare(next, was)
	if r.k.allocate != nil {
		r.k.allocate(r.s, next, was)
	}
	if err := r.validate(next, was); err != nil {
		return nil, err
	}
	return r.write(old, asked, next)
}

// current refuses to replace another version than the one that was meant.
func (r *request) current(next, was content) error {
	wanted, err := resourceVersion(next)
	if err != nil {
		return failed(errors.New(strings.Replace(err.Error(), "ParseInt", "ParseUint", 1)))
	}
	stored, err := resourceVersion(was)
	if err != nil {
		return err
	}
	switch {
	case wanted == 0 && r.k.unconditional:
		metadata(next)["resourceVersion"] = strconv.FormatInt(stored, 10)
	case wanted == 0:
		return apierrors.NewInvalid(schema.GroupKind{Group: r.k.gvk.Group, Kind: r.k.resource.Resource}, r.key.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata").Child("resourceVersion"), wanted, "must be specified for an update"),
		})
	case wanted != stored:
		return r.conflict(optimisticLock)
	}
	return nil
}

func (r *request) conflict(why string) error {
	return apierrors.NewConflict(r.k.groupResource(), r.key.Name, fmt.Errorf("%s", why))
}

// prepare sets what clients may not change.
func (r *request) prepare(next, was content) {
	m, before := metadata(next), metadata(was)
	keep(m, before, "generation")
	r.k.form.update(next, was, r.subresource)
	m = metadata(next)
	if text(m, "uid") == "" {
		keep(m, before, "uid")
	}
	keep(m, before, "creationTimestamp")
	if text(before, "deletionTimestamp") != "" {
		keep(m, before, "deletionTimestamp", "deletionGracePeriodSeconds")
	}
}

// write stores the next state, unless nothing changed or the last finalizer went.
func (r *request) write(old *version, asked, next content) (*version, error) {
	was := old.object.Object
	if ended(next, was) {
		if !r.dryRun {
			r.s.drop(r, old)
		}
		return newVersion(next, r.owners), nil
	}
	if equal(next, was) && !old.unclean {
		if same, err := r.ownersStay(old, asked); same || err != nil {
			return old, err
		}
	}
	v := newVersion(next, r.owners)
	v.unclean = r.unclean
	if !r.dryRun {
		r.s.stamp(next)
		r.s.store(r, old, v)
	}
	return v, nil
}

// ownersStay says whether a write that changes nothing leaves the owners as they are, too. What admission undid still makes
// an owner of whoever asked for it.
func (r *request) ownersStay(old *version, asked content) (bool, error) {
	if r.applies {
		return sameOwners(r.prior, r.after), nil
	}
	if !r.sent && r.question == nil && equal(asked, old.object.Object) {
		return true, nil
	}
	for _, status := range []bool{false, true} {
		was, is := old.owners.side(status), r.owners.side(status)
		if was == is {
			continue
		}
		before, err := was.of()
		if err != nil {
			return false, err
		}
		after, err := is.of()
		if err != nil || !sameOwners(before, after) {
			return false, err
		}
	}
	return true, nil
}

// ended says that an object that was being deleted waits for nobody any more.
func ended(next, was content) bool {
	m := metadata(was)
	_, waits := m["deletionGracePeriodSeconds"]
	return text(m, "deletionTimestamp") != "" && waits && number(m, "deletionGracePeriodSeconds") == 0 && length(metadata(next), "finalizers") == 0
}

package server

import (
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// failed is how the real server tells of an error that has no status of its own.
func failed(err error) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error(),
	}}
}

// unreadable says that an object does not fit its kind; why is put otherwise where it came out of a patch.
type unreadable struct {
	gvk schema.GroupVersionKind
	why error
	// raw is the reason in the words of the converter of maps, where those differ from JSON's.
	raw error
}

func (e *unreadable) Error() string {
	return fmt.Sprintf("%s in version %q cannot be handled as a %s: %s", e.gvk.Kind, e.gvk.Version, e.gvk.Kind, e.why)
}

// sent is the refusal of a whole object.
func (e *unreadable) sent() error { return apierrors.NewBadRequest(e.Error()) }

// unsupported says that a kind has no patches of that form.
func unsupported() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
	}}
}

// noSubresource is what a client is told that asks for one that is not there.
func noSubresource() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
		Message: "the server could not find the requested resource", Details: &metav1.StatusDetails{},
	}}
}

// unfit says that what came out of a patch does not fit the kind.
func unfit(patched any, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), patched, err.Error())})
}

package server

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
	strict      bool
	// applies says that this is server-side apply.
	applies bool
	// unclean: see version.
	unclean bool
	// question is what admission was asked.
	question *Request
	// owners after the write; nil: they follow from what is written.
	owners *owners
	// prior and after are the owners before and after server-side apply. Apart: without those of the status.
	prior, after entries
	apart        bool
	// entries are owners that the client sent.
	entries entries
	sent    bool
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

// shared is a field of another version; metadata is changed later, so that it is copied.
func shared(key string, value any) any {
	if m, is := value.(content); is && key == "metadata" {
		return copied(m)
	}
	return value
}

// reread gives the form in which it is stored to what differs from an object that has it already.
func (r *request) reread(changed, from content) (content, error) {
	partial := content{"apiVersion": from["apiVersion"], "kind": from["kind"]}
	for key, value := range changed {
		switch {
		case key == "apiVersion" || key == "kind":
		case equal(value, from[key]):
			changed[key] = shared(key, from[key])
		default:
			partial[key] = value
		}
	}
	var fields []string
	for key := range partial {
		if key != "apiVersion" && key != "kind" {
			fields = append(fields, key)
		}
	}
	removed := false
	for key := range from {
		_, is := changed[key]
		removed = removed || !is
	}
	if len(fields) == 0 && !removed {
		return changed, nil
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

package server

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// takeOwners reads the owners that a client sent with an object, and takes them out of it.
func (r *request) takeOwners(c content) {
	m := metadata(c)
	if list, is := m["managedFields"].([]any); is && r.subresource == "" {
		r.entries, r.sent = (&unstructured.Unstructured{Object: c}).GetManagedFields(), true
		if len(list) == 0 {
			r.entries = entries{}
		}
	}
	delete(m, "managedFields")
}

// settle says who owns what, now that admission has had its say.
func (r *request) settle(before *version, asked content) error {
	switch {
	case !r.applies:
		return r.own(before, asked, r.question)
	case r.apart:
		r.owners = &owners{main: &share{known: true, entries: r.after}, status: before.owners.status}
	default:
		r.owners = knownOwners(r.after)
	}
	return nil
}

// own says who owns what after a plain write, given what was asked for and what admission was asked.
func (r *request) own(before *version, asked content, question *Request) error {
	w := wrote{s: r.s, k: r.k, subresource: r.subresource, manager: r.manager, at: r.s.now(), object: asked, asked: question}
	if before == nil {
		r.owners = &owners{main: &share{wrote: w}, status: nobody()}
		return nil
	}
	w.live = before.object.Object
	ofStatus := r.subresource == statusSubresource
	if r.sent || (ofStatus && !r.k.keepsMetadata(w.live, asked)) {
		return r.ownBoth(before, w)
	}
	r.owners = &owners{main: before.owners.main, status: before.owners.status}
	s := &share{before: before.owners, ofStatus: ofStatus, wrote: w}
	if ofStatus {
		r.owners.status = s
	} else {
		r.owners.main = s
	}
	return nil
}

// keepsMetadata: a status of a custom kind comes alone; of a built-in one annotations may come with it.
func (k *kind) keepsMetadata(live, asked content) bool {
	return k.form.patchable() == nil || equal(metadata(live), metadata(asked))
}

// ownBoth works out at once who owns what after a write that may touch both shares.
func (r *request) ownBoth(before *version, w wrote) error {
	old, err := before.owners.of()
	if err != nil {
		return err
	}
	all, err := w.update(editable(w.live), editable(w.object), old, r.entries)
	r.owners = knownOwners(all)
	return err
}

package server

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// owners say who owns which field of a version: of its status, and of all the rest. Writes touch one of the two, so that
// the many reports of a status cost nothing when it is asked who owns the spec.
type owners struct{ main, status *share }

// share is who owns one of the two. Working that out costs more than all the rest of a write, and is wanted only by
// server-side apply and by whoever asks for it. So a plain write remembers what it was, and the owners follow from it and
// from those of the version before, when somebody wants to know.
type share struct {
	known   bool
	entries entries

	// before are the owners of the version before; nil: the object was created.
	before   *owners
	ofStatus bool
	wrote    wrote

	// applied is what was applied to this version and changed nothing.
	applied []applied
}

func nobody() *share { return &share{known: true} }

func knownOwners(all entries) *owners {
	o := &owners{main: nobody(), status: nobody()}
	for _, e := range all {
		main, status := divided(e)
		if main != nil {
			o.main.entries = append(o.main.entries, *main)
		}
		if status != nil {
			o.status.entries = append(o.status.entries, *status)
		}
	}
	return o
}

// of gives all owners of a version, in the order in which they are stored.
func (o *owners) of() (entries, error) {
	main, err := o.main.of()
	if err != nil {
		return nil, err
	}
	status, err := o.status.of()
	if err != nil {
		return nil, err
	}
	all := slices.Clone(main)
	for _, e := range status {
		if same := slices.IndexFunc(all, func(o metav1.ManagedFieldsEntry) bool { return sameOwner(o, e) }); same < 0 {
			all = append(all, e)
		} else {
			all[same] = united(all[same], e)
		}
	}
	return inOrder(all), nil
}

func (o *owners) side(status bool) *share {
	if status {
		return o.status
	}
	return o.main
}

func (s *share) of() (entries, error) {
	var behind []*share
	for at := s; !at.known; at = at.before.side(at.ofStatus) {
		behind = append(behind, at)
		if at.before == nil {
			break
		}
	}
	for _, at := range slices.Backward(behind) {
		found, err := at.work()
		if err != nil {
			return nil, err
		}
		*at = share{known: true, entries: found, ofStatus: at.ofStatus, applied: at.applied}
	}
	return s.entries, nil
}

// work says who owns what after the write. The share of the version before is known.
func (s *share) work() (entries, error) {
	if s.before == nil {
		return s.wrote.owners(s.wrote.k.empty().Object, nil, true)
	}
	old := s.before.side(s.ofStatus).entries
	tracked := len(old) > 0
	if !tracked {
		other, err := s.before.side(!s.ofStatus).of()
		if err != nil {
			return nil, err
		}
		tracked = len(other) > 0
	}
	return s.wrote.owners(s.wrote.live, old, tracked)
}

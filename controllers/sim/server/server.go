package server

import (
	"context"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/admission"
)

// Request is what admission is asked about.
type Request struct {
	Operation                    admission.Operation
	Kind                         schema.GroupVersionKind
	Resource                     schema.GroupVersionResource
	Subresource, Namespace, Name string
	User                         string
	DryRun                       bool
	// Object is as it would be stored, nil in a delete; Old is what is stored, nil in a create. Neither may be changed.
	Object, Old *unstructured.Unstructured
}

// Admit lets a request pass, changed or not, or refuses it with an error of an API server. Objects are what is stored at
// that moment.
type Admit func(ctx context.Context, r Request, objects *Objects) (*unstructured.Unstructured, error)

// Options of a server.
type Options struct {
	Schemas *Schemas
	// Now and UID are where times and uids come from.
	Now func() time.Time
	UID func() types.UID
	// Admit are the admission policies; nil: none.
	Admit Admit
	// ShowManagedFields has clients see managedFields. They are kept in any case, but working them out for every answer
	// takes long.
	ShowManagedFields bool
	// TrustUpdates stores changes of custom objects without holding them against their schema, which costs more than all
	// else of a write. What is created is held against it in any case.
	TrustUpdates bool
	// Lends has clients and caches read without copying: what they are given shares all below its metadata with what is
	// stored, and they must not change it. Seals remembers what each version was, for Event.Intact to tell.
	Lends, Seals bool
}

// Server is an API server in memory.
type Server struct {
	schemas *Schemas
	now     func() time.Time
	uid     func() types.UID
	admit   Admit
	trust   bool
	seals   bool
	// showOwners has clients see managedFields.
	showOwners bool

	// writing is held during a request, never while events are told.
	writing sync.Mutex
	objects *Objects
	// names and addresses count what the server makes up: suffixes of generated names, cluster addresses of Services.
	names, addresses int
	// trees are the fields of owners, by their text.
	trees map[string]any

	telling   bool
	untold    []Event
	listeners []func(Event)
}

// New makes an empty server. It is cheap.
func New(o Options) *Server {
	return &Server{
		schemas: o.Schemas, now: o.Now, uid: o.UID, admit: o.Admit, showOwners: o.ShowManagedFields, trust: o.TrustUpdates, seals: o.Seals,
		objects: &Objects{schemas: o.Schemas, lends: o.Lends, kinds: map[schema.GroupKind][]row{}},
		trees:   map[string]any{},
	}
}

// Objects is what is stored now: it changes with every write.
func (s *Server) Objects() *Objects { return s.objects }

// OnWrite has a function called after every write that changed something, in the writer's goroutine. A write that is made
// within such a call is told after all have been told of the one before.
func (s *Server) OnWrite(told func(Event)) { s.listeners = append(s.listeners, told) }

// store makes a version the object's state and remembers to tell of it.
func (s *Server) store(r *request, old, next *version) {
	kind := watch.Modified
	if old == nil {
		kind = watch.Added
	}
	r.s.objects.set(r.key, next)
	s.remember(r, kind, old, next)
}

// drop removes an object. What is told is its last stored state, with the version of the removal.
func (s *Server) drop(r *request, old *version) {
	last := editable(old.object.Object)
	s.stamp(last)
	s.objects.remove(r.key)
	s.remember(r, watch.Deleted, old, newVersion(last, old.owners))
}

// stamp gives content the next version.
func (s *Server) stamp(c content) {
	s.objects.latest++
	metadata(c)["resourceVersion"] = strconv.FormatInt(s.objects.latest, 10)
}

func (s *Server) remember(r *request, what watch.EventType, old, next *version) {
	if s.seals {
		next.seal = next.text()
	}
	e := Event{Version: s.objects.latest, Type: what, Key: r.key, Object: next.object, User: r.user, version: next}
	if old != nil {
		e.Old, e.was = old.object, old
	}
	s.untold = append(s.untold, e)
}

// tell calls the listeners, in order.
func (s *Server) tell() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.telling {
		return
	}
	s.telling = true
	defer func() { s.telling = false }()
	for len(s.untold) > 0 {
		e := s.untold[0]
		s.untold = s.untold[1:]
		s.each(e)
	}
}

// each tells all listeners; they may write.
func (s *Server) each(e Event) {
	s.writing.Unlock()
	defer s.writing.Lock()
	for _, told := range s.listeners {
		told(e)
	}
}

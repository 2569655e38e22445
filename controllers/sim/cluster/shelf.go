package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// shelf holds what is stored of one kind, in the form in which neighbours think of it, in the order of names.
type shelf[T any] struct {
	items map[types.NamespacedName]T
	order []types.NamespacedName
}

func newShelf[T any]() *shelf[T] {
	return &shelf[T]{items: map[types.NamespacedName]T{}}
}

func (s *shelf[T]) get(name types.NamespacedName) T { return s.items[name] }

func (s *shelf[T]) put(name types.NamespacedName, item T) {
	if at, known := slices.BinarySearchFunc(s.order, name, byName); !known {
		s.order = slices.Insert(s.order, at, name)
	}
	s.items[name] = item
}

func (s *shelf[T]) drop(name types.NamespacedName) {
	if at, known := slices.BinarySearchFunc(s.order, name, byName); known {
		s.order = slices.Delete(s.order, at, at+1)
	}
	delete(s.items, name)
}

// in gives the items of a namespace that are wanted. Writing while going through them is safe.
func (s *shelf[T]) in(namespace string, wanted func(T) bool) []T {
	var out []T
	for _, name := range s.order {
		if item := s.items[name]; name.Namespace == namespace && wanted(item) {
			out = append(out, item)
		}
	}
	return out
}

// all gives every item.
func (s *shelf[T]) all() []T {
	out := make([]T, 0, len(s.order))
	for _, name := range s.order {
		out = append(out, s.items[name])
	}
	return out
}

func byName(a, b types.NamespacedName) int {
	if order := strings.Compare(a.Namespace, b.Namespace); order != 0 {
		return order
	}
	return strings.Compare(a.Name, b.Name)
}

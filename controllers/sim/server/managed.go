package server

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Managed is who owns which fields of an object, also of a server that does not show it. Nil: there is no such object.
func (s *Server) Managed(key Key) ([]metav1.ManagedFieldsEntry, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	v := s.objects.version(key)
	if v == nil {
		return nil, nil
	}
	return v.owners.of()
}

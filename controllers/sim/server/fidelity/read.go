package fidelity

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func listing(s *run) {
	for _, other := range []string{"-a", "-b", ".c"} {
		if other != ".c" {
			s.namespaced(s.namespace + other)
		}
	}
	for _, name := range []string{"b", "a", "a-1", "a.1", "a1", "ab", "z", "0"} {
		s.create(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %q, labels: {app: web, first: %q}}}", name, name[:1]))
	}
	for _, other := range []string{"-b", "-a"} {
		s.create(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: %s%s}}", s.namespace, other))
	}
	in := client.InNamespace(s.namespace)
	s.list("ConfigMap")
	s.list("ConfigMap", in)
	s.list("ConfigMap", in, client.MatchingLabels{"first": "a"})
	s.list("ConfigMap", in, client.HasLabels{"app"})
	not, err := labels.NewRequirement("first", selection.NotIn, []string{"a", "b"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.list("ConfigMap", in, client.MatchingLabelsSelector{Selector: labels.NewSelector().Add(*not)})
	s.list("ConfigMap", in, client.MatchingFields{"metadata.name": "a"})
	s.list("ConfigMap", client.InNamespace("nowhere"))
	s.list("Rollout", in)
	s.list("Namespace")
	s.get("ConfigMap", "nothing")
	s.get("Rollout", "nothing")
	s.get("Namespace", "nothing")
	s.typed()
}

// typed reads Go types: what they say of their kind, and items of lists.
func (s *run) typed() {
	c := s.client(person)
	m := &corev1.ConfigMap{}
	err := c.Get(s.ctx(), client.ObjectKey{Namespace: s.namespace, Name: "a"}, m)
	s.tape.say("a typed get", fmt.Sprintf("%v %q %q %v", err, m.Kind, m.APIVersion, m.Labels))
	l := &corev1.ConfigMapList{}
	err = c.List(s.ctx(), l, client.InNamespace(s.namespace))
	s.tape.say("a typed list", fmt.Sprintf("%v %q of %d, the first %q %q", err, l.Kind, len(l.Items), l.Items[0].Kind, l.Items[0].Name))
	made := &corev1.ConfigMap{}
	made.Namespace, made.Name = s.namespace, "made"
	err = c.Create(s.ctx(), made)
	s.tape.say("a typed create", fmt.Sprintf("%v %q %t", err, made.Kind, made.UID != ""))
	err = c.Update(s.ctx(), made)
	s.tape.say("a typed update", fmt.Sprintf("%v %q", err, made.Kind))
}

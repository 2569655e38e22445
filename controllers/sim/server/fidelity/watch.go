package fidelity

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watching writes all events of a kind in the script's namespace while do runs.
func (s *run) watching(kind string, do func(), opts ...client.ListOption) {
	s.t.Helper()
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion(versions[kind])
	l.SetKind(kind + "List")
	c := s.client(person)
	opts = append(opts, client.InNamespace(s.namespace))
	if err := c.List(s.ctx(), l, opts...); err != nil {
		s.t.Fatal(err)
	}
	after := l.DeepCopy()
	w, err := c.Watch(s.ctx(), l, append(opts, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: after.GetResourceVersion()}})...)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Stop()
	do()
	// The last event is that of an object made for it.
	last := s.named(kind, "last")
	last.SetLabels(map[string]string{"watched": "yes"})
	if kind == "Pod" {
		last.Object["spec"] = map[string]any{"containers": []any{map[string]any{"name": "a", "image": "a:1"}}}
	}
	if err := c.Create(s.ctx(), last); err != nil {
		s.t.Fatal(err)
	}
	for s.event(w) {
	}
}

// event writes one; false: it was the last.
func (s *run) event(w watch.Interface) bool {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx(), 20*time.Second)
	defer cancel()
	select {
	case e := <-w.ResultChan():
		o, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			s.t.Fatalf("the watch tells %v", e)
		}
		if o.GetName() == "last" {
			return false
		}
		s.tape.object(fmt.Sprintf("told: %s %s", e.Type, o.GetName()), "told "+topicOf(o), o)
		return true
	case <-ctx.Done():
		s.t.Fatal("the last event does not come")
	}
	return false
}

func watched(s *run) {
	s.watching("ConfigMap", func() {
		s.create(configMap)
		s.patch("ConfigMap", "notes", merging, `{}`)
		s.patch("ConfigMap", "notes", merging, `{"data":{"b":"2"}}`)
		s.patch("ConfigMap", "notes", merging, `{"data":{"b":"3"}}`, client.DryRunAll)
		s.patch("ConfigMap", "notes", merging, `{"metadata":{"finalizers":["example.com/a"]}}`)
		s.delete("ConfigMap", "notes")
		s.delete("ConfigMap", "notes")
		s.patch("ConfigMap", "notes", merging, `{"metadata":{"finalizers":null}}`)
		s.create(configMap)
		s.delete("ConfigMap", "notes")
	})
	s.watching("Pod", func() {
		s.create(pod)
		s.delete("Pod", "web-1")
		s.create(with(pod, "spec:", "spec:\n  nodeName: local"))
		s.delete("Pod", "web-1", client.GracePeriodSeconds(10))
		s.delete("Pod", "web-1", client.GracePeriodSeconds(0))
	})
}

func selected(s *run) {
	s.watching("ConfigMap", func() {
		s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}`)
		s.patch("ConfigMap", "a", merging, `{"metadata":{"labels":{"watched":"yes"}}}`)
		s.patch("ConfigMap", "a", merging, `{"data":{"b":"2"}}`)
		s.patch("ConfigMap", "a", merging, `{"metadata":{"labels":{"watched":"no"}}}`)
		s.patch("ConfigMap", "a", merging, `{"metadata":{"labels":{"watched":"yes"}}}`)
		s.delete("ConfigMap", "a")
	}, client.MatchingLabels{"watched": "yes"})
}

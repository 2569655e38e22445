package fidelity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// script runs against one side and writes what it answers.
type script struct {
	t         *testing.T
	side      side
	namespace string
	tape      tape
	// refused is the error of the last call.
	refused error
}

// play runs a script against both sides and compares the tapes.
func play(t *testing.T, actual, inMemory side, story func(*script)) {
	t.Helper()
	namespace := strings.ToLower(strings.NewReplacer("/", "-", "_", "-", "'", "", ",", "").Replace(t.Name()))
	var tapes [2]*script
	for i, side := range []side{actual, inMemory} {
		s := &script{t: t, side: side, namespace: namespace, tape: newTape()}
		s.namespaced(namespace)
		story(s)
		tapes[i] = s
	}
	compare(t, tapes[0].tape.lines, tapes[1].tape.lines)
}

// compare tells the lines that differ.
func compare(t *testing.T, kube, memory []string) {
	t.Helper()
	if len(kube) != len(memory) {
		t.Errorf("%d answers of kube-apiserver, %d of the server in memory", len(kube), len(memory))
	}
	for i := range min(len(kube), len(memory)) {
		if testing.Verbose() {
			t.Log(kube[i])
		}
		if kube[i] != memory[i] {
			t.Errorf("call %d, %s", i+1, difference(kube[i], memory[i]))
		}
	}
}

func (s *script) client(user string) client.WithWatch {
	s.t.Helper()
	c, err := s.side.as(user)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *script) ctx() context.Context { return s.t.Context() }

// namespaced makes a namespace.
func (s *script) namespaced(name string) {
	s.create(fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name))
}

// object reads a manifest; what names no namespace is in the script's.
func (s *script) object(manifest string) *unstructured.Unstructured {
	s.t.Helper()
	objects, err := documents([]byte(manifest))
	if err != nil || len(objects) != 1 {
		s.t.Fatalf("one manifest is wanted, %d are there: %v", len(objects), err)
	}
	o := objects[0]
	if o.GetNamespace() == "" && o.GetKind() != "Namespace" && o.GetKind() != "ClusterAnalysisTemplate" {
		o.SetNamespace(s.namespace)
	}
	return o
}

// answered writes what came of a call.
func (s *script) answered(what string, object *unstructured.Unstructured, err error) *unstructured.Unstructured {
	s.t.Helper()
	s.refused = err
	if err != nil {
		s.tape.refusal(what, err)
		return object
	}
	s.tape.object(what, object)
	return object
}

func (s *script) create(manifest string, opts ...client.CreateOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.object(manifest)
	if base := o.GetGenerateName(); base != "" {
		s.tape.bases = append(s.tape.bases, base)
	}
	return s.answered("create "+o.GetKind()+" "+o.GetName(), o, s.client(person).Create(s.ctx(), o, opts...))
}

func (s *script) get(kind, name string) *unstructured.Unstructured {
	s.t.Helper()
	o := s.named(kind, name)
	return s.answered("get "+kind+" "+name, o, s.client(person).Get(s.ctx(), client.ObjectKeyFromObject(o), o))
}

// named is an object of which only the name is known.
func (s *script) named(kind, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(versions[kind])
	o.SetKind(kind)
	o.SetName(name)
	if kind != "Namespace" {
		o.SetNamespace(s.namespace)
	}
	return o
}

// update replaces an object by what change makes of it.
func (s *script) update(o *unstructured.Unstructured, change func(*unstructured.Unstructured), opts ...client.UpdateOption) *unstructured.Unstructured {
	s.t.Helper()
	o = o.DeepCopy()
	if change != nil {
		change(o)
	}
	return s.answered("update "+o.GetKind()+" "+o.GetName(), o, s.client(person).Update(s.ctx(), o, opts...))
}

func (s *script) updateStatus(o *unstructured.Unstructured, change func(*unstructured.Unstructured), opts ...client.SubResourceUpdateOption) *unstructured.Unstructured {
	s.t.Helper()
	o = o.DeepCopy()
	if change != nil {
		change(o)
	}
	return s.answered("update the status of "+o.GetKind()+" "+o.GetName(), o, s.client(person).Status().Update(s.ctx(), o, opts...))
}

// patches by kind.
const (
	merging   = types.MergePatchType
	strategic = types.StrategicMergePatchType
	editing   = types.JSONPatchType
)

func (s *script) patch(kind, name string, as types.PatchType, patch string, opts ...client.PatchOption) *unstructured.Unstructured {
	s.t.Helper()
	return s.patchAs(person, kind, name, as, patch, opts...)
}

func (s *script) patchAs(user, kind, name string, as types.PatchType, patch string, opts ...client.PatchOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.named(kind, name)
	err := s.client(user).Patch(s.ctx(), o, client.RawPatch(as, []byte(patch)), opts...)
	return s.answered(fmt.Sprintf("patch %s %s by %s", kind, name, patch), o, err)
}

func (s *script) patchStatus(kind, name string, as types.PatchType, patch string, opts ...client.SubResourcePatchOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.named(kind, name)
	err := s.client(person).Status().Patch(s.ctx(), o, client.RawPatch(as, []byte(patch)), opts...)
	return s.answered(fmt.Sprintf("patch the status of %s %s by %s", kind, name, patch), o, err)
}

// apply is server-side apply by the user of that name.
func (s *script) apply(manager, manifest string, opts ...client.ApplyOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.object(manifest)
	opts = append([]client.ApplyOption{client.FieldOwner(manager)}, opts...)
	err := s.client(cmp.Or(manager, person)).Apply(s.ctx(), client.ApplyConfigurationFromUnstructured(o), opts...)
	return s.answered("apply "+o.GetKind()+" "+o.GetName()+" as "+manager, o, err)
}

func (s *script) applyStatus(manager, manifest string, opts ...client.SubResourceApplyOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.object(manifest)
	opts = append([]client.SubResourceApplyOption{client.FieldOwner(manager)}, opts...)
	err := s.client(manager).Status().Apply(s.ctx(), client.ApplyConfigurationFromUnstructured(o), opts...)
	return s.answered("apply the status of "+o.GetKind()+" "+o.GetName()+" as "+manager, o, err)
}

// delete removes an object and looks what is left of it.
func (s *script) delete(kind, name string, opts ...client.DeleteOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.named(kind, name)
	if err := s.client(person).Delete(s.ctx(), o, opts...); err != nil {
		return s.answered("delete "+kind+" "+name, o, err)
	}
	s.tape.say("delete " + kind + " " + name + ": done")
	return s.get(kind, name)
}

// list writes the names in the order of the list.
func (s *script) list(kind string, opts ...client.ListOption) {
	s.t.Helper()
	l := &unstructured.UnstructuredList{}
	l.SetAPIVersion(versions[kind])
	l.SetKind(kind + "List")
	if err := s.client(person).List(s.ctx(), l, opts...); err != nil {
		s.tape.refusal("list "+kind, err)
		return
	}
	var names []string
	for i := range l.Items {
		if ns := l.Items[i].GetNamespace(); strings.HasPrefix(ns, s.namespace) || (ns == "" && strings.HasPrefix(l.Items[i].GetName(), s.namespace)) {
			names = append(names, ns+"/"+l.Items[i].GetName())
		}
	}
	s.tape.say(fmt.Sprintf("list %s: %s %v", kind, l.GetKind(), names))
}

// status is the answer of a server that refuses.
func status(err error) (metav1.Status, bool) {
	var refusal apierrors.APIStatus
	if errors.As(err, &refusal) {
		return refusal.Status(), true
	}
	return metav1.Status{}, false
}

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

// Side is a server that scripts run against.
type Side interface {
	// As is a user's client. The user is the field owner too, where none is named.
	As(user string) (client.WithWatch, error)
}

// Script is a sequence of calls.
type Script struct {
	// Name has letters and dashes only.
	Name string
	// Governed says that the product's admission policies are in force.
	Governed bool
	calls    func(*run)
}

// Play runs the script against a side and gives the tape, one entry for each call.
func (s Script) Play(t testing.TB, side Side) []string {
	t.Helper()
	r := &run{t: t, side: side, namespace: s.Name, tape: newTape()}
	r.namespaced(s.Name)
	s.calls(r)
	return r.tape.entries
}

// run is a script that runs.
type run struct {
	t         testing.TB
	side      Side
	namespace string
	tape      *tape
	// refused is the error of the last call.
	refused error
}

func (s *run) client(user string) client.WithWatch {
	s.t.Helper()
	c, err := s.side.As(user)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *run) ctx() context.Context { return s.t.Context() }

// namespaced makes a namespace.
func (s *run) namespaced(name string) {
	s.create(fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name))
}

// object reads a manifest; what names no namespace is in the script's.
func (s *run) object(manifest string) *unstructured.Unstructured {
	s.t.Helper()
	objects, err := Documents([]byte(manifest))
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
func (s *run) answered(what string, object *unstructured.Unstructured, err error) *unstructured.Unstructured {
	s.t.Helper()
	s.refused = err
	if err != nil {
		s.tape.refusal(what, err)
		return object
	}
	s.tape.object(what, topicOf(object), object)
	return object
}

func (s *run) create(manifest string, opts ...client.CreateOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.object(manifest)
	if base := o.GetGenerateName(); base != "" {
		s.tape.masks.bases = append(s.tape.masks.bases, base)
	}
	with := (&client.CreateOptions{}).ApplyOptions(opts)
	call := "create " + o.GetKind() + " " + o.GetName() + how(with.DryRun, with.FieldManager, nil, with.FieldValidation)
	return s.answered(call, o, s.client(person).Create(s.ctx(), o, opts...))
}

func (s *run) get(kind, name string) *unstructured.Unstructured {
	s.t.Helper()
	o := s.named(kind, name)
	return s.answered("get "+kind+" "+name, o, s.client(person).Get(s.ctx(), client.ObjectKeyFromObject(o), o))
}

// named is an object of which only the name is known.
func (s *run) named(kind, name string) *unstructured.Unstructured {
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
func (s *run) update(o *unstructured.Unstructured, change func(*unstructured.Unstructured), opts ...client.UpdateOption) *unstructured.Unstructured {
	s.t.Helper()
	o = o.DeepCopy()
	if change != nil {
		change(o)
	}
	with := (&client.UpdateOptions{}).ApplyOptions(opts)
	call := "update " + o.GetKind() + " " + o.GetName() + how(with.DryRun, with.FieldManager, nil, with.FieldValidation)
	return s.answered(call, o, s.client(person).Update(s.ctx(), o, opts...))
}

func (s *run) updateStatus(o *unstructured.Unstructured, change func(*unstructured.Unstructured)) *unstructured.Unstructured {
	s.t.Helper()
	o = o.DeepCopy()
	if change != nil {
		change(o)
	}
	return s.answered("update the status of "+o.GetKind()+" "+o.GetName(), o, s.client(person).Status().Update(s.ctx(), o))
}

// patches by kind.
const (
	merging   = types.MergePatchType
	strategic = types.StrategicMergePatchType
	editing   = types.JSONPatchType
)

func (s *run) patch(kind, name string, as types.PatchType, patch string, opts ...client.PatchOption) *unstructured.Unstructured {
	s.t.Helper()
	return s.patchAs(person, kind, name, as, patch, opts...)
}

func (s *run) patchAs(user, kind, name string, as types.PatchType, patch string, opts ...client.PatchOption) *unstructured.Unstructured {
	s.t.Helper()
	o := s.named(kind, name)
	err := s.client(user).Patch(s.ctx(), o, client.RawPatch(as, []byte(patch)), opts...)
	with := (&client.PatchOptions{}).ApplyOptions(opts)
	call := fmt.Sprintf("patch %s %s by %s%s", kind, name, patch, how(with.DryRun, with.FieldManager, with.Force, with.FieldValidation))
	if user != person {
		call += " as " + user
	}
	return s.answered(call, o, err)
}

func (s *run) patchStatus(kind, name string, as types.PatchType, patch string, opts ...client.SubResourcePatchOption) {
	s.t.Helper()
	o := s.named(kind, name)
	err := s.client(person).Status().Patch(s.ctx(), o, client.RawPatch(as, []byte(patch)), opts...)
	with := (&client.SubResourcePatchOptions{}).ApplyOptions(opts)
	call := fmt.Sprintf("patch the status of %s %s by %s%s", kind, name, patch, how(with.DryRun, with.FieldManager, with.Force, with.FieldValidation))
	s.answered(call, o, err)
}

// apply is server-side apply by the user of that name.
func (s *run) apply(manager, manifest string, opts ...client.ApplyOption) {
	s.t.Helper()
	o := s.object(manifest)
	opts = append([]client.ApplyOption{client.FieldOwner(manager)}, opts...)
	err := s.client(cmp.Or(manager, person)).Apply(s.ctx(), client.ApplyConfigurationFromUnstructured(o), opts...)
	with := (&client.ApplyOptions{}).ApplyOptions(opts)
	call := "apply " + o.GetKind() + " " + o.GetName() + how(with.DryRun, with.FieldManager, with.Force, "")
	s.answered(call, o, err)
}

func (s *run) applyStatus(manager, manifest string, opts ...client.SubResourceApplyOption) {
	s.t.Helper()
	o := s.object(manifest)
	opts = append([]client.SubResourceApplyOption{client.FieldOwner(manager)}, opts...)
	err := s.client(manager).Status().Apply(s.ctx(), client.ApplyConfigurationFromUnstructured(o), opts...)
	s.answered("apply the status of "+o.GetKind()+" "+o.GetName()+how(nil, manager, nil, ""), o, err)
}

// how tells a call's options.
func how(dryRun []string, owner string, force *bool, validation string) string {
	out := ""
	if owner != "" {
		out += ", owner " + owner
	}
	if force != nil {
		out += ", forced"
	}
	if validation != "" {
		out += ", " + validation
	}
	if len(dryRun) > 0 {
		out += ", dry run"
	}
	return out
}

// delete removes an object and looks what is left of it.
func (s *run) delete(kind, name string, opts ...client.DeleteOption) {
	s.t.Helper()
	o := s.named(kind, name)
	if err := s.client(person).Delete(s.ctx(), o, opts...); err != nil {
		s.answered("delete "+kind+" "+name, o, err)
		return
	}
	s.tape.say("delete "+kind+" "+name, "done")
	s.get(kind, name)
}

// list writes the names in the order of the list.
func (s *run) list(kind string, opts ...client.ListOption) {
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
	s.tape.say("list "+kind, fmt.Sprintf("%s %v", l.GetKind(), names))
}

// status is the answer of a server that refuses.
func status(err error) (metav1.Status, bool) {
	var refusal apierrors.APIStatus
	if errors.As(err, &refusal) {
		return refusal.Status(), true
	}
	return metav1.Status{}, false
}

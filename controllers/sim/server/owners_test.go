package server

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Owners are worked out late, in two shares and from what differs only. That must give what the library gives when it is
// asked at once, about everything.
func TestOwnersAreThoseOfTheLibrary(t *testing.T) {
	schemas, err := Compile(clientgo.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		o := &ownersMachine{t: t}
		o.s = New(Options{Schemas: schemas, Now: func() time.Time { o.seconds++; return time.Unix(o.seconds, 0) }, UID: func() types.UID { return "uid" }})
		o.must(o.s.Client("alice").Create(t.Context(), o.object(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`)))
		t.Repeat(map[string]func(*rapid.T){
			"patch":  func(t *rapid.T) { o.t = t; o.patch("") },
			"status": func(t *rapid.T) { o.t = t; o.patch(statusSubresource) },
			"apply":  func(t *rapid.T) { o.t = t; o.apply() },
			"owners": func(t *rapid.T) { o.t = t; o.compare() },
		})
		o.compare()
	})
}

type ownersMachine struct {
	t       *rapid.T
	s       *Server
	seconds int64
	// expected is the object as the library has it, with all managedFields.
	expected *unstructured.Unstructured
}

func (o *ownersMachine) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *ownersMachine) object(text string) *unstructured.Unstructured {
	o.t.Helper()
	u := &unstructured.Unstructured{}
	o.must(u.UnmarshalJSON([]byte(text)))
	return u
}

func (o *ownersMachine) manager() string {
	return rapid.SampledFrom([]string{"agent", "belay", "kubelet"}).Draw(o.t, "manager")
}

func (o *ownersMachine) stored() content {
	object := o.s.Objects().Shared(o.key())
	if object == nil {
		return nil
	}
	return object.Object
}

func (o *ownersMachine) key() Key {
	return Key{Kind: o.kind().gvk.GroupKind(), Namespace: "shop", Name: "web"}
}

func (o *ownersMachine) kind() *kind { return o.s.schemas.kinds[gvkOf("", "v1", "Service")] }

const serviceHead = `{"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"`

func (o *ownersMachine) patch(subresource string) {
	if o.stored() == nil {
		return
	}
	manager := o.manager()
	patch := rapid.SampledFrom([]string{
		`{"metadata":{"annotations":{"a":"1"}}}`, `{"metadata":{"annotations":{"a":"2"}}}`, `{"metadata":{"annotations":null}}`,
		`{"metadata":{"labels":{"app":"web"}}}`, `{"spec":{"selector":{"app":"api"}}}`, `{"spec":{"selector":{"app":"web"}}}`,
		`{"spec":{"selector":null}}`, `{"spec":{"sessionAffinity":"ClientIP"}}`, `{"spec":{"ports":[{"port":80},{"port":81,"name":"b"}]}}`,
		`{"status":{"conditions":[{"type":"A","status":"True","reason":"R","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`,
		`{"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}}}`, `{"status":null}`,
		`{"status":{"loadBalancer":{}},"metadata":{"annotations":{"b":"1"}}}`, `{}`,
	}).Draw(o.t, "patch")
	before := o.stored()
	as := client.RawPatch(types.MergePatchType, []byte(patch))
	c, u := o.s.Client("alice"), o.object(serviceHead+`}}`)
	var err error
	if subresource == "" {
		err = c.Patch(o.t.Context(), u, as, client.FieldOwner(manager))
	} else {
		err = c.Status().Patch(o.t.Context(), u, as, client.FieldOwner(manager))
	}
	if err != nil {
		return // ports without names are refused
	}
	var asked content
	o.must(json.Unmarshal([]byte(patch), &asked))
	next, err := o.kind().form.read(runtime.DeepCopyJSON(merge(before, asked)), false)
	o.must(err)
	updated, err := o.kind().fields[subresource].Update(o.expected, &unstructured.Unstructured{Object: next}, manager)
	o.must(err)
	o.expect(updated)
}

// expect takes the stored object over, with the owners that the library found.
func (o *ownersMachine) expect(found runtime.Object) {
	u, _ := found.(*unstructured.Unstructured)
	o.expected = &unstructured.Unstructured{Object: editable(o.stored())}
	o.expected.SetManagedFields(u.GetManagedFields())
}

func (o *ownersMachine) apply() {
	manager := o.manager()
	sent := rapid.SampledFrom([]string{
		`},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"protocol":"TCP"}]}}`,
		`},"spec":{"ports":[{"port":80,"protocol":"TCP","targetPort":8080}]}}`,
		`,"annotations":{"a":"1"}},"spec":{"ports":[{"port":80,"protocol":"TCP"}]}}`,
		`,"labels":{"app":"web"},"annotations":{"a":"2"}},"spec":{"ports":[{"port":80,"protocol":"TCP"}]}}`,
	}).Draw(o.t, "config")
	if o.expected == nil {
		o.expected = o.kind().empty()
	}
	config := o.object(serviceHead + sent)
	found, err := o.kind().fields[""].Apply(o.expected, config.DeepCopy(), manager, true)
	if err != nil {
		o.t.Fatal(err)
	}
	refused := o.s.Client("alice").Apply(o.t.Context(), client.ApplyConfigurationFromUnstructured(config), client.FieldOwner(manager), client.ForceOwnership)
	if refused != nil {
		if o.stored() == nil {
			o.expected = nil
		}
		return
	}
	o.expect(found)
}

// compare holds the owners against each other, but for the times: the library's are those of the machine.
func (o *ownersMachine) compare() {
	if o.stored() == nil {
		return
	}
	got, err := o.s.Managed(o.key())
	o.must(err)
	if a, b := lines(got), lines(o.expected.GetManagedFields()); a != b {
		o.t.Fatalf("owners are\n%s\nand by the library\n%s", a, b)
	}
}

func lines(all entries) string {
	var out string
	sorted := append(entries{}, all...)
	for i := range sorted {
		sorted[i].Time = nil
	}
	for _, e := range inOrder(sorted) {
		out += fmt.Sprintf("%s %s %s %s\n", e.Operation, e.Manager, e.Subresource, e.FieldsV1)
	}
	return out
}

func TestEntriesAreDivided(t *testing.T) {
	for fields, want := range map[string][2]string{
		`{"f:spec":{"f:a":{}}}`:                                {`{"f:spec":{"f:a":{}}}`, ""},
		`{"f:status":{"f:a":{}}}`:                              {"", `{"f:status":{"f:a":{}}}`},
		`{"f:metadata":{"f:labels":{}},"f:status":{"f:a":{}}}`: {`{"f:metadata":{"f:labels":{}}}`, `{"f:status":{"f:a":{}}}`},
		`{"f:status":{"k:{\"type\":\"}\"}":{}},"f:type":{}}`:   {`{"f:type":{}}`, `{"f:status":{"k:{\"type\":\"}\"}":{}}}`},
	} {
		e := metav1.ManagedFieldsEntry{Manager: "a", FieldsV1: metav1.NewFieldsV1(fields)}
		main, status := divided(e)
		for i, part := range []*metav1.ManagedFieldsEntry{main, status} {
			switch {
			case part == nil && want[i] != "", part != nil && part.FieldsV1.String() != want[i]:
				t.Errorf("of %s share %d is %v, not %s", fields, i, part, want[i])
			}
		}
		if main != nil && status != nil && united(*main, *status).FieldsV1.String() != fields {
			t.Errorf("united it is %s", united(*main, *status).FieldsV1)
		}
	}
}

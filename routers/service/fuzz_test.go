package service

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/routers"
)

// namespace reads two Services, the slices of all of them, and pods by name with their labels, whatever they say.
type namespace struct {
	client.Reader
	services []corev1.Service
	slices   []discoveryv1.EndpointSlice
	pods     map[string]map[string]string
}

func (n namespace) List(_ context.Context, into client.ObjectList, _ ...client.ListOption) error {
	switch into := into.(type) {
	case *corev1.ServiceList:
		for i := range n.services {
			into.Items = append(into.Items, *n.services[i].DeepCopy())
		}
	case *discoveryv1.EndpointSliceList:
		into.Items = n.slices
	}
	return nil
}

func (n namespace) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if pod, ok := into.(*corev1.Pod); ok {
		labels, there := n.pods[key.Name]
		if !there {
			return apierrors.NewNotFound(corev1.Resource("pods"), key.Name)
		}
		pod.Labels = labels
		return nil
	}
	i := slices.IndexFunc(n.services, func(s corev1.Service) bool { return s.Name == key.Name })
	if i < 0 {
		return apierrors.NewNotFound(corev1.Resource("services"), key.Name)
	}
	n.services[i].DeepCopyInto(into.(*corev1.Service))
	return nil
}

// read makes the namespace of texts; false: one of them is no JSON of its kind.
func read(service, endpoints, pods string) (namespace, bool) {
	n := namespace{services: make([]corev1.Service, 2)}
	for _, problem := range []error{
		json.Unmarshal([]byte(service), &n.services[0]), json.Unmarshal([]byte(endpoints), &n.slices), json.Unmarshal([]byte(pods), &n.pods),
	} {
		if problem != nil {
			return n, false
		}
	}
	n.services[1] = *n.services[0].DeepCopy()
	n.services[0].Name, n.services[1].Name = "web", "also-web"
	return n, true
}

func seedServices(f *testing.F) {
	const two = `[{"endpoints":[{"addresses":["10.0.0.1"],"targetRef":{"kind":"Pod","name":"a"}},{"addresses":["10.0.0.2"],"conditions":{"ready":false},"targetRef":{"kind":"Pod","name":"b"}}]}]`
	const pods = `{"a":{"app":"web","pod-template-hash":"v1"},"b":{"app":"web","pod-template-hash":"v2"},"c":null}`
	f.Add(`{"spec":{"selector":{"app":"web"},"ports":[{"port":80,"nodePort":30000}]}}`, two, pods, "v1")
	f.Add(`{"metadata":{"annotations":{"belay.dev/pin":"1.2/pod-template-hash=v1"}},"spec":{"selector":{"app":"web","pod-template-hash":"v1"}}}`,
		`[{"endpoints":[{"targetRef":{"kind":"Pod","name":"a"},"conditions":{"terminating":true}}]},{"endpoints":[{"targetRef":{"kind":"Pod","name":"a"},"conditions":{"ready":true}},{"addresses":["fd00::1"]},{"addresses":["fd00::1"]}]}]`, pods, "")
	f.Add(`{"metadata":{"labels":{"belay.dev/canary-of":"x"}},"spec":{"selector":{"app":"web"}}}`, `[{"endpoints":null}]`, `null`, "v1,v2")
	f.Add(`{"spec":{"type":"ExternalName"}}`, `[]`, `{}`, "")
}

var labels = map[string]string{"app": "web"}

// FuzzObserve reads Services and endpoints that say anything: nothing is counted twice or from nowhere, nor in another
// number when the same endpoints are listed in another order, and a pin is no reason to overlook a Service.
func FuzzObserve(f *testing.F) {
	seedServices(f)
	f.Fuzz(func(t *testing.T, service, endpoints, pods, revisions string) {
		n, ok := read(service, endpoints, pods)
		if !ok {
			return
		}
		known := strings.FieldsFunc(revisions, func(r rune) bool { return r == ',' })
		states, err := Observe(t.Context(), n, "shop", labels, hashKey, known...)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(states, func(a, b routers.ServiceState) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("not sorted: %+v", states)
		}
		for _, s := range states {
			counted(t, n, s, known)
		}
		slices.Reverse(n.slices)
		for i := range n.slices {
			slices.Reverse(n.slices[i].Endpoints)
		}
		if again, err := Observe(t.Context(), n, "shop", labels, hashKey, known...); err != nil || !reflect.DeepEqual(states, again) {
			t.Errorf("read\n%+v\nand in another order\n%+v\n%v", states, again, err)
		}
		pinned := n.services[0].DeepCopy()
		if pinned.Spec.Selector == nil {
			pinned.Spec.Selector = map[string]string{}
		}
		pinned.Spec.Selector[hashKey] = "v1"
		if inFront(pinned, labels, hashKey) != inFront(&n.services[0], labels, hashKey) {
			t.Error("a pin changes which pods the Service stands in front of")
		}
	})
}

func counted(t *testing.T, n namespace, s routers.ServiceState, known []string) {
	t.Helper()
	addresses := int32(0)
	for _, slice := range n.slices {
		addresses += int32(len(slice.Endpoints))
	}
	sum := s.Foreign
	for _, counts := range []map[string]int32{s.Ready, s.Terminating} {
		for revision, count := range counts {
			if count <= 0 || revision == "" || len(known) > 0 && !slices.Contains(known, revision) {
				t.Errorf("%d endpoints of revision %q", count, revision)
			}
			sum += count
		}
	}
	if s.Foreign < 0 || sum > addresses {
		t.Errorf("counted %+v of %d addresses", s, addresses)
	}
	if s.Pin == nil && s.Pinned || s.Pin != nil && s.Pinned != (n.services[0].Spec.Selector[s.Pin.Key] == s.Pin.Value) {
		t.Errorf("pin %v, pinned %t, selector %v", s.Pin, s.Pinned, n.services[0].Spec.Selector)
	}
}

// FuzzCanary says that the canary's Service, once it says what the user's says, needs no second write; that it never
// selects what the user's does not; and that no port of a node is asked for twice.
func FuzzCanary(f *testing.F) {
	seedServices(f)
	f.Fuzz(func(t *testing.T, service, endpoints, pods, hash string) {
		n, ok := read(service, endpoints, pods)
		if !ok || n.services[0].Spec.Type == corev1.ServiceTypeExternalName {
			return
		}
		user, canary := n.services[0].DeepCopy(), &n.services[1]
		canary.OwnerReferences = []metav1.OwnerReference{owner}
		say(canary, user, hashKey, hash)
		want := maps.Clone(user.Spec.Selector)
		if want == nil {
			want = map[string]string{}
		}
		want[hashKey] = hash
		if !maps.Equal(canary.Spec.Selector, want) || canary.Spec.Type != corev1.ServiceTypeClusterIP || !reflect.DeepEqual(user, &n.services[0]) {
			t.Errorf("the canary's selects %v, the user's %v", canary.Spec.Selector, user.Spec.Selector)
		}
		for _, p := range canary.Spec.Ports {
			if p.NodePort != 0 {
				t.Errorf("asks for port %d of the nodes", p.NodePort)
			}
		}
		state, err := ObserveCanary(t.Context(), n, "shop", "web", "also-web", hashKey, owner.UID)
		if err != nil {
			t.Fatal(err)
		}
		if !state.Found || state.Foreign || !state.Current || state.Revision != hash || state.Ready < 0 || hash == "" && state.Ready > 0 {
			t.Errorf("just written it is %+v", state)
		}
	})
}

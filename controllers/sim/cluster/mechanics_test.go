package cluster_test

import (
	"fmt"
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/attempt"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/routers/service"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

// The tests here are those of e2e/mechanics beside the contracts: what was seen on real controllers is seen here.

const hashKey = "pod-template-hash"

// fence is what the tests write first, newest what they take it away with.
var fence, newest = routers.Fence{Attempt: 7, Sequence: 3}, routers.Fence{Attempt: 7, Sequence: 9}

func (s *scene) observe() workloads.State {
	s.Helper()
	state, err := deployment.Deployment{}.Observe(s.Context(), s.ours, s.target())
	must(s, err)
	return state
}

// hold ships v2 behind the hold.
func (s *scene) hold() workloads.Revision {
	s.Helper()
	must(s, deployment.Deployment{}.Govern(s.Context(), s.ours, s.target(), nil))
	s.apply(versioned("v2"))
	s.settle()
	return s.observe().Candidate
}

func (s *scene) canaries(size int32) {
	s.Helper()
	must(s, deployment.Deployment{}.Canaries(s.Context(), s.ours, s.target(), s.observe().Candidate, size))
	s.settle()
}

func (s *scene) adopt() {
	s.Helper()
	must(s, deployment.Deployment{}.Adopt(s.Context(), s.ours, s.target(), s.observe().Candidate))
}

func (s *scene) release() {
	s.Helper()
	must(s, deployment.Deployment{}.Release(s.Context(), s.ours, s.target(), s.observe().ResourceVersion, newest.String()))
}

// promote brings v2 from the hold to the end, without any traffic.
func (s *scene) promote() {
	s.Helper()
	s.hold()
	s.canaries(3)
	s.adopt()
	s.release()
	s.settle()
}

func (s *scene) scale(replicas int) {
	s.Helper()
	s.patch("Deployment", "web", fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas))
	s.settle()
}

// services observes the Services in front of the scene's pods.
func (s *scene) services() []routers.ServiceState {
	s.Helper()
	state := s.observe()
	var hashes []string
	for _, r := range state.Revisions {
		hashes = append(hashes, r.Hash)
	}
	found, err := service.Observe(s.Context(), s.ours, "shop", state.PodLabels, hashKey, hashes...)
	must(s, err)
	return found
}

// serves expects the Service "web" to have these ready endpoints, by revision.
func (s *scene) serves(want map[string]int32) routers.ServiceState {
	s.Helper()
	all := s.services()
	if len(all) != 1 || !maps.Equal(all[0].Ready, want) || all[0].Foreign != 0 {
		s.Fatalf("the Services in front are %+v, wanted is %v", all, want)
	}
	return all[0]
}

// owner is the reference to the scene's Rollout.
func (s *scene) owner() metav1.OwnerReference {
	s.Helper()
	rollout := s.get("Rollout", "web")
	return *metav1.NewControllerRef(rollout, rollout.GroupVersionKind())
}

func TestHeldAtZeroStartsNothingOfTheHeldTemplate(t *testing.T) {
	s := newGuarded(t, 1).withDeployment()
	first := s.observe().Candidate.Name
	s.promote()
	second := s.observe().Candidate.Name
	s.apply(versioned("v1"))
	s.canaries(0)
	s.scale(0)
	s.scale(3)
	state := s.observe()
	held, _ := state.Find(first)
	stable, _ := state.Find(second)
	if !state.Held || !held.Ours || held.Replicas != 0 || stable.Available != 3 {
		t.Errorf("held %+v, stable %+v", held, stable)
	}
}

func TestWorkloadRecreatedInFlight(t *testing.T) {
	s := newGuarded(t, 1).withDeployment()
	before := s.observe()
	s.hold()
	s.canaries(1)
	must(t, s.person.Delete(t.Context(), object("Deployment", "web")))
	s.apply(versioned("v1"))
	s.settle()
	after := s.observe()
	if !after.Settled || after.UID == before.UID || after.Held || after.Governor != "" {
		t.Errorf("recreated as %+v", after)
	}
	var canary workloads.Revision
	for _, r := range after.Revisions {
		if r.Ours {
			canary = r
		}
	}
	if canary.Replicas != 1 || canary.Image != "web:v2" || len(s.names("web:v2")) != 1 || len(s.names("web:v1")) != 3 {
		t.Errorf("the canary is %+v, pods are %+v", canary, s.Pods())
	}
	must(t, deployment.Deployment{}.Canaries(t.Context(), s.ours, s.target(), canary, 0))
	s.settle()
	must(t, deployment.Deployment{}.Return(t.Context(), s.ours, s.target(), canary))
	if _, found := s.observe().Find(canary.Name); found {
		t.Error("the canary's ReplicaSet is left")
	}
}

// Pin, canary Service and unpin, as an attempt goes through them, with the agent at work in between.
func TestServicesDuringAnAttempt(t *testing.T) {
	s := newGuarded(t, 1).withDeployment()
	s.apply(serviceManifest)
	s.settle()
	stable := s.observe().Candidate.Hash
	web := s.serves(map[string]int32{stable: 3})
	canary := s.hold().Hash

	must(t, service.Pin(t.Context(), s.ours, "shop", "web", web.ResourceVersion, routers.Pin{Fence: fence, Key: hashKey, Value: stable}))
	s.canaries(2)
	must(t, service.EnsureCanary(t.Context(), s.ours, "shop", s.owner(), "web", "web-canary", hashKey, canary))
	s.settle()
	observeCanary := func() routers.CanaryServiceState {
		state, err := service.ObserveCanary(t.Context(), s.ours, "shop", "web", "web-canary", hashKey, types.UID(s.target().RolloutUID))
		must(t, err)
		return state
	}
	if state := observeCanary(); state.Ready != 2 || state.Revision != canary || !state.Current {
		t.Errorf("the canary's Service is %+v", state)
	}
	s.apply(serviceManifest)
	s.settle()
	if web = s.serves(map[string]int32{stable: 3}); !web.Pinned {
		t.Errorf("the agent took the pin off: %+v", web)
	}

	must(t, service.Unpin(t.Context(), s.ours, "shop", "web", web.ResourceVersion, newest))
	s.settle()
	if web = s.serves(map[string]int32{stable: 3, canary: 2}); web.Pinned || web.Pin != nil {
		t.Errorf("still pinned: %+v", web)
	}
	must(t, service.DeleteCanary(t.Context(), s.ours, "shop", "web-canary", types.UID(s.target().RolloutUID)))
	s.settle()
	if state := observeCanary(); state.Found {
		t.Errorf("the canary's Service is %+v", state)
	}
	if left := s.slicesOf("web-canary"); len(left) != 0 {
		t.Errorf("%d EndpointSlices of it are left", len(left))
	}
}

func (s *scene) slicesOf(service string) []unstructured.Unstructured {
	s.Helper()
	found := &unstructured.UnstructuredList{}
	found.SetAPIVersion("discovery.k8s.io/v1")
	found.SetKind("EndpointSliceList")
	must(s, s.person.List(s.Context(), found, client.InNamespace("shop"), client.MatchingLabels{"kubernetes.io/service-name": service}))
	return found.Items
}

// What is deleted and created while an attempt runs is pinned and split from its first moment.
func TestRecreatedInFlight(t *testing.T) {
	s := newGuarded(t, 1).withDeployment()
	s.apply(serviceManifest)
	s.apply(dividedManifest)
	s.settle()
	stable := s.observe().Candidate.Hash
	must(t, attempt.Ensure(t.Context(), s.ours, "shop", s.owner(), "web", attempt.Data{
		Pin:       routers.Pin{Fence: fence, Key: hashKey, Value: stable},
		PodLabels: s.observe().PodLabels,
		Split:     routers.Split{Fence: fence, Service: "web", Canary: "web-canary", Weight: 25, Scale: 100},
		Routes:    []string{"web"},
	}))
	must(t, s.person.Delete(t.Context(), object("Service", "web")))
	must(t, s.person.Delete(t.Context(), object("HTTPRoute", "web")))
	s.apply(serviceManifest)
	s.apply(dividedManifest)
	s.settle()
	s.serves(map[string]int32{stable: 3})
	if all := s.slicesOf("web"); len(all) != 1 {
		t.Errorf("the Service has %d EndpointSlices", len(all))
	}
	ref := v1alpha1.RouteReference{Kind: "HTTPRoute", Name: "web"}
	state, err := httproute.HTTPRoute{}.Observe(t.Context(), s.ours, "shop", ref, "web", "web-canary")
	must(t, err)
	if !state.Divided || state.Permille() != 0 || state.Intent == nil || state.Intent.Fence != fence {
		t.Errorf("the route is %+v: %s", state, backends(s.get("HTTPRoute", "web")))
	}
	must(t, attempt.Delete(t.Context(), s.ours, "shop", "web", types.UID(s.target().RolloutUID)))
	must(t, httproute.HTTPRoute{}.Clear(t.Context(), s.ours, "shop", ref, state.ResourceVersion, newest))
	must(t, service.Unpin(t.Context(), s.ours, "shop", "web", s.services()[0].ResourceVersion, newest))
	s.settle()
	if form := backends(s.get("HTTPRoute", "web")); form != "web 90, other 10" || s.services()[0].Pinned {
		t.Errorf("left are %s and %+v", form, s.services()[0])
	}
}

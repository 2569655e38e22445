package mechanics

import (
	"fmt"
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/routers/attempt"
	"github.com/belay-dev/belay/routers/httproute"
	"github.com/belay-dev/belay/routers/service"
	"github.com/belay-dev/belay/workloads"
	"github.com/belay-dev/belay/workloads/deployment"
)

const hashKey = "pod-template-hash"

var fence, newest = routers.Fence{Attempt: 7, Sequence: 3}, routers.Fence{Attempt: 7, Sequence: 99}

// services observes the Services in front of the scene's pods.
func (s *scene) services() []routers.ServiceState {
	s.t.Helper()
	state := s.observe()
	var hashes []string
	for _, r := range state.Revisions {
		hashes = append(hashes, r.Hash)
	}
	found, err := service.Observe(s.t.Context(), shared.ours, s.namespace, state.PodLabels, hashKey, hashes...)
	must(s.t, err)
	return found
}

// serves waits until the Service "web" has these ready endpoints, by revision.
func (s *scene) serves(want map[string]int32) routers.ServiceState {
	s.t.Helper()
	var web routers.ServiceState
	eventually(s.t, func() error {
		all := s.services()
		if len(all) != 1 {
			return fmt.Errorf("Services in front: %+v", all)
		}
		if web = all[0]; !maps.Equal(web.Ready, want) || web.Foreign != 0 {
			return fmt.Errorf("ready are %v and %d foreign ones, not %v", web.Ready, web.Foreign, want)
		}
		return nil
	})
	return web
}

// hold ships v2 behind the hold.
func (s *scene) hold() workloads.Revision {
	s.t.Helper()
	must(s.t, deployment.Deployment{}.Govern(s.t.Context(), shared.ours, s.target, nil))
	s.ship("v2")
	return s.observe().Candidate
}

func (s *scene) pin(state routers.ServiceState, hash string) {
	s.t.Helper()
	must(s.t, service.Pin(s.t.Context(), shared.ours, s.namespace, state.Name, state.ResourceVersion,
		routers.Pin{Fence: fence, Key: hashKey, Value: hash}))
}

func (s *scene) canaries(size int32) {
	s.t.Helper()
	eventually(s.t, func() error {
		return deployment.Deployment{}.Canaries(s.t.Context(), shared.ours, s.target, s.observe().Candidate, size)
	})
}

// Pin, canary Service and unpin, as an attempt goes through them, with the agent at work in between.
func TestServicesDuringAnAttempt(t *testing.T) {
	s := newScene(t).withDeployment()
	s.apply(serviceManifest)
	stable := s.observe().Candidate.Hash
	web := s.serves(map[string]int32{stable: 3})
	canary := s.hold().Hash

	s.pin(web, stable)
	s.canaries(2)
	must(t, service.EnsureCanary(t.Context(), shared.ours, s.namespace, s.owner(), "web", "web-canary", hashKey, canary))
	observeCanary := func() routers.CanaryServiceState {
		state, err := service.ObserveCanary(t.Context(), shared.ours, s.namespace, "web", "web-canary", hashKey, types.UID(s.target.RolloutUID))
		must(t, err)
		return state
	}
	eventually(t, func() error {
		if state := observeCanary(); state.Ready != 2 || state.Revision != canary || !state.Current {
			return fmt.Errorf("the canary's Service is %+v", state)
		}
		return nil
	})
	s.apply(serviceManifest)
	if web = s.serves(map[string]int32{stable: 3}); !web.Pinned {
		t.Errorf("the agent took the pin off: %+v", web)
	}

	must(t, service.Unpin(t.Context(), shared.ours, s.namespace, "web", web.ResourceVersion, newest))
	if web = s.serves(map[string]int32{stable: 3, canary: 2}); web.Pinned || web.Pin != nil {
		t.Errorf("still pinned: %+v", web)
	}
	must(t, service.DeleteCanary(t.Context(), shared.ours, s.namespace, "web-canary", types.UID(s.target.RolloutUID)))
	if state := observeCanary(); state.Found {
		t.Errorf("the canary's Service is %+v", state)
	}
	s.untraced(serviceManifest)
}

// What is deleted and created while an attempt runs is pinned and split from its first moment.
func TestRecreatedInFlight(t *testing.T) {
	s := newScene(t).withDeployment()
	s.apply(serviceManifest)
	s.apply(routeManifest)
	stable := s.observe().Candidate.Hash
	must(t, attempt.Ensure(t.Context(), shared.ours, s.namespace, s.owner(), "web", attempt.Data{
		Pin:       routers.Pin{Fence: fence, Key: hashKey, Value: stable},
		PodLabels: s.observe().PodLabels,
		Split:     routers.Split{Fence: fence, Service: "web", Canary: "web-canary", Weight: 25, Scale: 100},
		Routes:    []string{"web"},
	}))
	eventually(t, func() error {
		s.recreate(serviceManifest)
		selector, _, _ := unstructured.NestedStringMap(s.get(serviceManifest).Object, "spec", "selector")
		if selector[hashKey] != stable {
			return fmt.Errorf("the Service selects %v", selector)
		}
		return nil
	})
	s.recreate(routeManifest)
	ref := v1alpha1.RouteReference{Kind: "HTTPRoute", Name: "web"}
	state, err := httproute.HTTPRoute{}.Observe(t.Context(), shared.ours, s.namespace, ref, "web", "web-canary")
	must(t, err)
	if !state.Divided || state.Permille() != 0 || state.Intent == nil || state.Intent.Fence != fence {
		t.Errorf("the route is %+v: %s", state, backends(s.get(routeManifest)))
	}
	must(t, attempt.Delete(t.Context(), shared.ours, s.namespace, "web", types.UID(s.target.RolloutUID)))
	if found, err := attempt.Observe(t.Context(), shared.ours, s.namespace, "web", types.UID(s.target.RolloutUID)); err != nil || found.Found {
		t.Errorf("the parameters are %+v, %v", found, err)
	}
	must(t, httproute.HTTPRoute{}.Clear(t.Context(), shared.ours, s.namespace, ref, state.ResourceVersion, newest))
	must(t, service.Unpin(t.Context(), shared.ours, s.namespace, "web", s.get(serviceManifest).GetResourceVersion(), newest))
	s.untraced(serviceManifest)
	s.untraced(routeManifest)
}

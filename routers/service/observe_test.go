package service

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/belay-dev/belay/routers"
)

var podLabels = map[string]string{"app": "web", "tier": "front"}

func TestWhichServicesAreInFront(t *testing.T) {
	c := store(
		service("exact", map[string]string{"app": "web", "tier": "front"}),
		service("subset", map[string]string{"app": "web"}),
		service("pinned", map[string]string{"app": "web", hashKey: "a"}),
		service("only-pin", map[string]string{hashKey: "a"}),
		service("other", map[string]string{"app": "api"}),
		service("narrower", map[string]string{"app": "web", "zone": "x"}),
		service("no-selector", nil),
		service("external", map[string]string{"app": "web"}, func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }),
		service("canary", map[string]string{"app": "web", hashKey: "b"}, func(s *corev1.Service) { s.Labels = map[string]string{"belay.dev/canary-of": "subset"} }),
	)
	states, err := Observe(t.Context(), c, "shop", podLabels, hashKey)
	must(t, err)
	var names []string
	for _, s := range states {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, []string{"exact", "pinned", "subset"}) {
		t.Errorf("in front are %v", names)
	}
}

func TestEndpoints(t *testing.T) {
	tests := map[string]struct {
		endpoints   []discoveryv1.Endpoint
		more        []discoveryv1.Endpoint
		ready       map[string]int32
		terminating map[string]int32
		foreign     int32
	}{
		"none":                               {nil, nil, nil, nil, 0},
		"two revisions":                      {[]discoveryv1.Endpoint{at("a1", &yes, &yes, &no), at("b1", &yes, &yes, &no), at("a2", &yes, &yes, &no)}, nil, map[string]int32{"a": 2, "b": 1}, nil, 0},
		"conditions not given":               {[]discoveryv1.Endpoint{at("a1", nil, nil, nil)}, nil, map[string]int32{"a": 1}, nil, 0},
		"not ready":                          {[]discoveryv1.Endpoint{at("a1", &no, &no, &no)}, nil, nil, nil, 0},
		"published, but its pod not ready":   {[]discoveryv1.Endpoint{at("a1", &yes, &no, &no)}, nil, nil, nil, 0},
		"published, but its pod terminating": {[]discoveryv1.Endpoint{at("a1", &yes, &yes, &yes)}, nil, nil, map[string]int32{"a": 1}, 0},
		"terminating":                        {[]discoveryv1.Endpoint{at("a1", &no, &yes, &yes)}, nil, nil, map[string]int32{"a": 1}, 0},
		"another Deployment's":               {[]discoveryv1.Endpoint{at("x1", &yes, &yes, &no)}, nil, nil, nil, 1},
		"a pod without revision":             {[]discoveryv1.Endpoint{at("bare", &yes, &yes, &no)}, nil, nil, nil, 1},
		"no pod at all":                      {[]discoveryv1.Endpoint{at("", &yes, &yes, &no)}, nil, nil, nil, 1},
		"a pod not seen yet":                 {[]discoveryv1.Endpoint{at("unseen", &yes, &yes, &no)}, nil, nil, nil, 0},
		"two families":                       {[]discoveryv1.Endpoint{at("a1", &yes, &yes, &no)}, []discoveryv1.Endpoint{at("a1", &yes, &yes, &no)}, map[string]int32{"a": 1}, nil, 0},
		"ready in one family only":           {[]discoveryv1.Endpoint{at("a1", &yes, &yes, &no)}, []discoveryv1.Endpoint{at("a1", &no, &no, &no)}, nil, nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := store(service("web", podLabels), pod("a1", "a"), pod("a2", "a"), pod("b1", "b"), pod("x1", "x"), pod("bare", ""),
				slice("web-1", "web", test.endpoints...), slice("web-2", "web", test.more...), slice("other", "other", at("a2", &yes, &yes, &no)))
			states, err := Observe(t.Context(), c, "shop", podLabels, hashKey, "a", "b")
			must(t, err)
			got := states[0]
			if !maps.Equal(got.Ready, test.ready) || !maps.Equal(got.Terminating, test.terminating) || got.Foreign != test.foreign {
				t.Errorf("saw %+v", got)
			}
		})
	}
}

func TestPinAndUnpin(t *testing.T) {
	c := store(service("web", map[string]string{"app": "web"}))
	observe := func() routers.ServiceState {
		states, err := Observe(t.Context(), c, "shop", podLabels, hashKey)
		must(t, err)
		return states[0]
	}
	want := routers.Pin{Fence: routers.Fence{Attempt: 7, Sequence: 3}, Key: hashKey, Value: "a"}
	before := observe()
	if before.Pin != nil || before.Pinned {
		t.Errorf("saw %+v", before)
	}
	must(t, Pin(t.Context(), c, "shop", "web", before.ResourceVersion, want))
	after := observe()
	// Without admission the selector stays as it is, which is exactly what Pinned is to tell.
	if after.Pin == nil || *after.Pin != want || after.Pinned {
		t.Errorf("saw %+v", after)
	}
	if err := Unpin(t.Context(), c, "shop", "web", before.ResourceVersion, want.Fence); !apierrors.IsConflict(err) {
		t.Errorf("unpinned from an old copy: %v", err)
	}
	s := stored(t, c, "web")
	s.Spec.Selector[hashKey], s.Annotations["belay.dev/contested-by"] = "a", "alice"
	must(t, c.Update(t.Context(), s))
	contested := observe()
	if !contested.Pinned || contested.ContestedBy != "alice" {
		t.Errorf("saw %+v", contested)
	}
	must(t, Unpin(t.Context(), c, "shop", "web", contested.ResourceVersion, want.Fence))
	// Admission, which is not here, takes it away.
	if s := stored(t, c, "web"); len(s.Annotations) != 1 || s.Annotations["belay.dev/pin"] != "7.3/-" {
		t.Errorf("left behind: %v", s.Annotations)
	}
}

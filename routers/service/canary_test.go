package service

import (
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/routers"
)

func ensure(t *testing.T, c client.Client) error {
	t.Helper()
	return EnsureCanary(t.Context(), c, "shop", owner, "web", "web-canary", hashKey, "b")
}

func observeCanary(t *testing.T, c client.Client) routers.CanaryServiceState {
	t.Helper()
	state, err := ObserveCanary(t.Context(), c, "shop", "web", "web-canary", hashKey, owner.UID)
	must(t, err)
	return state
}

func TestCanaryServiceSaysWhatTheUsersSays(t *testing.T) {
	h2c, near, seconds := "kubernetes.io/h2c", "PreferSameZone", int32(60)
	user := service("web", map[string]string{"app": "web", hashKey: "a"}, func(s *corev1.Service) {
		s.Labels, s.Annotations = map[string]string{"team": "x"}, map[string]string{"note": "y"}
		s.Spec.Type = corev1.ServiceTypeNodePort
		s.Spec.ClusterIP, s.Spec.ClusterIPs = "10.1.1.1", []string{"10.1.1.1"}
		s.Spec.Ports[0].AppProtocol, s.Spec.Ports[0].NodePort = &h2c, 30080
		s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
		s.Spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: &seconds}}
		s.Spec.TrafficDistribution, s.Spec.PublishNotReadyAddresses = &near, true
	})
	c := store(user, pod("a1", "a"), pod("b1", "b"), pod("b2", "b"),
		slice("s", "web-canary", at("b1", &yes, &yes, &no), at("b2", &yes, &no, &no), at("a1", &yes, &yes, &no)))
	must(t, ensure(t, c))
	made := stored(t, c, "web-canary")
	spec := made.Spec
	if !maps.Equal(spec.Selector, map[string]string{"app": "web", hashKey: "b"}) || spec.Type != corev1.ServiceTypeClusterIP || spec.ClusterIP != "" {
		t.Errorf("made %+v", spec)
	}
	if p := spec.Ports[0]; p.Name != "http" || p.Port != 80 || p.TargetPort.StrVal != "web" || *p.AppProtocol != h2c || p.NodePort != 0 {
		t.Errorf("port %+v", p)
	}
	if spec.SessionAffinity != "ClientIP" || *spec.SessionAffinityConfig.ClientIP.TimeoutSeconds != 60 || *spec.TrafficDistribution != near || !spec.PublishNotReadyAddresses {
		t.Errorf("made %+v", spec)
	}
	if !maps.Equal(made.Labels, map[string]string{"belay.dev/canary-of": "web"}) || len(made.Annotations) != 0 || made.OwnerReferences[0].UID != owner.UID {
		t.Errorf("made %+v", made.ObjectMeta)
	}
	if state := observeCanary(t, c); !state.Found || state.Foreign || state.Revision != "b" || state.Ready != 1 || !state.Current {
		t.Errorf("saw %+v", state)
	}
}

func TestCanaryServiceFollowsTheUsers(t *testing.T) {
	c := store(service("web", map[string]string{"app": "web", "old": "yes"}))
	must(t, ensure(t, c))
	version := stored(t, c, "web-canary").ResourceVersion
	must(t, ensure(t, c))
	if again := stored(t, c, "web-canary").ResourceVersion; again != version {
		t.Error("written although nothing changed")
	}
	user := stored(t, c, "web")
	user.Spec.Selector = map[string]string{"app": "web"}
	user.Spec.Ports[0].TargetPort = intstr.FromInt32(8080)
	must(t, c.Update(t.Context(), user))
	if observeCanary(t, c).Current {
		t.Error("called current")
	}
	must(t, ensure(t, c))
	spec := stored(t, c, "web-canary").Spec
	if !maps.Equal(spec.Selector, map[string]string{"app": "web", hashKey: "b"}) || spec.Ports[0].TargetPort.IntVal != 8080 {
		t.Errorf("follows as %+v", spec)
	}
	if !observeCanary(t, c).Current {
		t.Error("not called current")
	}
}

func TestForeignCanaryServiceIsLeftAlone(t *testing.T) {
	for name, owners := range map[string][]metav1.OwnerReference{
		"nobody's":          nil,
		"another Rollout's": {{APIVersion: "belay.dev/v1alpha1", Kind: "Rollout", Name: "web", UID: "other", Controller: &yes}},
		"not controlled":    {{APIVersion: "belay.dev/v1alpha1", Kind: "Rollout", Name: "web", UID: owner.UID}},
	} {
		t.Run(name, func(t *testing.T) {
			foreign := service("web-canary", map[string]string{"x": "y"}, func(s *corev1.Service) { s.OwnerReferences = owners })
			c := store(service("web", map[string]string{"app": "web"}), foreign)
			before := stored(t, c, "web-canary")
			if err := ensure(t, c); err == nil || !strings.Contains(err.Error(), "web-canary") {
				t.Errorf("error %v", err)
			}
			must(t, DeleteCanary(t.Context(), c, "shop", "web-canary", owner.UID))
			if after := stored(t, c, "web-canary"); after == nil || after.ResourceVersion != before.ResourceVersion {
				t.Errorf("touched: %+v", after)
			}
			if state := observeCanary(t, c); !state.Found || !state.Foreign {
				t.Errorf("saw %+v", state)
			}
		})
	}
}

func TestCanaryServiceOfNothing(t *testing.T) {
	if err := ensure(t, store()); !apierrors.IsNotFound(err) {
		t.Errorf("without a Service: %v", err)
	}
	if err := ensure(t, store(service("web", nil))); err == nil || !strings.Contains(err.Error(), "selects no pods") {
		t.Errorf("without a selector: %v", err)
	}
}

// The user takes the selector away while the canary has its Service: that is reported, not fatal.
func TestCanaryServiceOfAServiceThatLostItsSelector(t *testing.T) {
	c := store(service("web", map[string]string{"app": "web"}))
	must(t, ensure(t, c))
	user := stored(t, c, "web")
	user.Spec.Selector = nil
	must(t, c.Update(t.Context(), user))
	if state := observeCanary(t, c); !state.Found || state.Current || state.Revision != "b" {
		t.Errorf("saw %+v", state)
	}
}

func TestDeleteCanary(t *testing.T) {
	c := store(service("web", map[string]string{"app": "web"}))
	must(t, ensure(t, c))
	for range 2 {
		must(t, DeleteCanary(t.Context(), c, "shop", "web-canary", owner.UID))
		if state := observeCanary(t, c); state.Found {
			t.Errorf("saw %+v", state)
		}
	}
	if stored(t, c, "web") == nil {
		t.Error("the user's Service is gone")
	}
}

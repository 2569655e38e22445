package pods

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/belay-dev/belay/e2e/parts/node/images"
)

func TestExpand(t *testing.T) {
	env := []string{"A=old", "A=1", "B=two"}
	cases := map[string]struct{ in, want string }{
		"nothing":       {"plain", "plain"},
		"last one wins": {"$(A)", "1"},
		"in the middle": {"x-$(A)-$(B)-y", "x-1-two-y"},
		"unknown":       {"$(C)", "$(C)"},
		"escaped":       {"$$(A)", "$(A)"},
		"shell style":   {"$A ${A}", "$A ${A}"},
		"not closed":    {"$(A", "$(A"},
		"at the end":    {"100$", "100$"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := expand(tc.in, env); got != tc.want {
				t.Errorf("expand(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestEnvironmentOrder(t *testing.T) {
	object := pod("", func(s *corev1.PodSpec) {
		s.Containers[0].Env = []corev1.EnvVar{{Name: "LEVEL", Value: "pod"}, {Name: "POD_IP", Value: "forged"}}
	})
	image := images.Image{Env: map[string]string{"LEVEL": "image", "ONLY": "image"}}
	env, err := environment(object, "10.244.1.7", "10.244.0.1", image, object.Spec.Containers[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"LEVEL": "pod", "ONLY": "image", "POD_IP": "10.244.1.7", "HOSTNAME": "web-1"} {
		if got, _ := lookup(env, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestUnknownFieldPath(t *testing.T) {
	_, err := fieldValue(pod("", nil), "10.244.1.7", "10.244.0.1", "spec.color")
	if err == nil || !strings.Contains(err.Error(), `"spec.color" is not one of`) {
		t.Errorf("error = %v", err)
	}
}

func TestDelays(t *testing.T) {
	d := delays{Backoff: Backoff{Initial: 10 * time.Second, Max: 30 * time.Second}}
	var got []time.Duration
	for _, ran := range []time.Duration{0, 0, 0, 0, 0, time.Hour, 0} {
		got = append(got, d.after(ran))
	}
	want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second, 0, 10 * time.Second}
	if !slices.Equal(got, want) {
		t.Errorf("delays = %v, want %v", got, want)
	}
}

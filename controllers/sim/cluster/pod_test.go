package cluster_test

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/server"
)

func (s *scene) pod(name string) *corev1.Pod {
	s.Helper()
	pod := &corev1.Pod{}
	must(s, s.person.Get(s.Context(), client.ObjectKey{Namespace: "shop", Name: name}, pod))
	return pod
}

// stages lists what became of the first pod of an image while time passed, without repetitions.
func (s *scene) stages(image string, d time.Duration) []string {
	s.Helper()
	var out []string
	var name string
	for end := s.schedule.Now().Add(d); ; {
		if names := s.names(image); name == "" && len(names) > 0 {
			name = names[0]
		}
		if name != "" {
			if stage := stageOf(s.pod(name)); len(out) == 0 || out[len(out)-1] != stage {
				out = append(out, stage)
			}
		}
		if _, more := s.schedule.Step(end); !more {
			return out
		}
	}
}

func stageOf(pod *corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		if status.State.Waiting != nil {
			return status.State.Waiting.Reason
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return "Ready"
		}
	}
	return string(pod.Status.Phase)
}

func TestHealth(t *testing.T) {
	for health, want := range map[cluster.Health][]string{
		cluster.Healthy:    {"Pending", "Running", "Ready"},
		cluster.NeverReady: {"Pending", "Running"},
		cluster.Crashing:   {"Pending", "Running", "CrashLoopBackOff"},
		cluster.Flapping:   {"Pending", "Running", "Ready", "Running", "Ready", "Running"},
	} {
		t.Run("health "+string(health), func(t *testing.T) {
			s := newScene(t, 2).withShop()
			s.SetHealth("web:v2", health)
			s.ship("web:v2")
			if got := s.stages("web:v2", 3*time.Minute); !slices.Equal(got[:min(len(got), len(want))], want) {
				t.Errorf("it was %v, wanted %v", got, want)
			}
			if !s.Quiet() {
				t.Errorf("not quiet: %v", s.Pending())
			}
		})
	}
}

// A slow image takes minutes, and no longer once all is calm.
func TestSlow(t *testing.T) {
	s := newScene(t, 2).withShop()
	s.SetHealth("web:v2", cluster.Slow)
	s.ship("web:v2")
	s.run(30 * time.Second)
	if s.ready("web:v2") != 0 || s.Quiet() {
		t.Errorf("after half a minute: %+v", s.Pods())
	}
	s.Calm()
	s.run(10 * time.Second)
	if s.ready("web:v2") == 0 {
		t.Errorf("ten seconds after it calmed: %+v", s.Pods())
	}
	if all := s.schedule.Pending(s.schedule.Now().Add(time.Hour)); len(all) != len(s.Pending()) {
		t.Errorf("planned are %v, and to come is %v", s.Pending(), all)
	}
	s.settle()
	if s.ready("web:v2") != 4 {
		t.Errorf("at the end: %+v", s.Pods())
	}
	if left := s.schedule.Pending(s.schedule.Now().Add(time.Hour)); len(left) != 0 {
		t.Errorf("quiet, and %v is to come", left)
	}
}

// A version can fall ill and recover while it runs.
func TestHealthChanges(t *testing.T) {
	s := newScene(t, 3).withShop()
	s.SetHealth("web:v1", cluster.Crashing)
	s.settle()
	if s.ready("web:v1") != 0 {
		t.Errorf("ill, and %+v", s.Pods())
	}
	s.SetHealth("web:v1", cluster.Healthy)
	s.settle()
	if s.ready("web:v1") != 4 || len(s.Pods()) != 4 {
		t.Errorf("recovered, and %+v", s.Pods())
	}
}

// What is asked to end is no ready endpoint from then on, goes on serving for some seconds, and then is gone.
func TestDrain(t *testing.T) {
	s := newScene(t, 4).withShop()
	victim := s.Pods()[1]
	must(t, s.person.Delete(t.Context(), s.get("Pod", victim.Name)))
	began := s.schedule.Now()
	s.run(time.Second)
	ready, terminating := s.endpoints("web")
	if slices.Contains(ready, victim.Name) || !slices.Contains(terminating, victim.Name) {
		t.Errorf("%s: ready %v, terminating %v", victim.Name, ready, terminating)
	}
	s.until("gone", func() bool {
		return !slices.ContainsFunc(s.Pods(), func(p cluster.Pod) bool { return p.Name == victim.Name })
	})
	if took := s.schedule.Now().Sub(began); took < 4*time.Second || took > 6*time.Second {
		t.Errorf("gone after %s", took)
	}
	s.settle()
	if ready, _ := s.endpoints("web"); len(ready) != 4 {
		t.Errorf("ready are %v", ready)
	}
}

// endpoints of a Service, by the names of their pods.
func (s *scene) endpoints(service string) (ready, terminating []string) {
	s.Helper()
	for _, slice := range s.slicesOf(service) {
		all, _, _ := unstructured.NestedSlice(slice.Object, "endpoints")
		for _, item := range all {
			endpoint := item.(map[string]any)
			name, _, _ := unstructured.NestedString(endpoint, "targetRef", "name")
			if is, _, _ := unstructured.NestedBool(endpoint, "conditions", "ready"); is {
				ready = append(ready, name)
			}
			if is, _, _ := unstructured.NestedBool(endpoint, "conditions", "terminating"); is {
				terminating = append(terminating, name)
			}
		}
	}
	return ready, terminating
}

// A pod that was never ready is missed least, then the youngest.
func TestWhichPodsEnd(t *testing.T) {
	s := newScene(t, 5).withShop()
	old := s.names("web:v1")
	s.run(5 * time.Second)
	s.scale(5)
	young := slices.DeleteFunc(s.names("web:v1"), func(name string) bool { return slices.Contains(old, name) })
	s.scale(4)
	if got := s.names("web:v1"); !slices.Equal(got, old) {
		t.Errorf("%v were there first, then %v, and left are %v", old, young, got)
	}
	slow := cluster.Normal()
	slow.Ready = cluster.Range{From: time.Minute, To: 2 * time.Minute}
	s.SetDelays(slow)
	s.patch("Deployment", "web", `{"spec":{"replicas":6}}`)
	s.run(5 * time.Second)
	s.patch("Deployment", "web", `{"spec":{"replicas":4}}`)
	s.settle()
	if got := s.names("web:v1"); !slices.Equal(got, old) {
		t.Errorf("%v were ready, and left are %v", old, got)
	}
}

// Pods count as available only after they have been ready for as long as is asked.
func TestMinReadySeconds(t *testing.T) {
	s := newScene(t, 6).withShop()
	s.patch("Deployment", "web", `{"spec":{"minReadySeconds":30}}`)
	s.settle()
	s.ship("web:v2")
	began := s.schedule.Now()
	s.settle()
	// Two by two, and each pair has to wait.
	if took := s.schedule.Now().Sub(began); took < time.Minute || s.ready("web:v2") != 4 {
		t.Errorf("rolled after %s: %+v", took, s.Pods())
	}
}

// Endpoints without the pin are those of all versions, with it those of one.
func TestPinnedEndpoints(t *testing.T) {
	s := newScene(t, 7).withShop()
	stable := s.Pods()[0].Revision
	s.SetHealth("web:v2", cluster.Healthy)
	s.paused("web:v2")
	s.beside("canary", 2)
	if ready, _ := s.endpoints("web"); len(ready) != 6 {
		t.Errorf("not pinned: %v", ready)
	}
	s.patch("Service", "web", `{"spec":{"selector":{"pod-template-hash":"`+stable+`"}}}`)
	s.settle()
	if ready, _ := s.endpoints("web"); !slices.Equal(ready, s.names("web:v1")) {
		t.Errorf("pinned: %v", ready)
	}
	s.patch("Service", "web", `{"spec":{"selector":{"pod-template-hash":null}}}`)
	s.settle()
	if ready, _ := s.endpoints("web"); len(ready) != 6 {
		t.Errorf("not pinned any more: %v", ready)
	}
}

// What is left without an owner goes, down to the last child; what still has one stays.
func TestGarbage(t *testing.T) {
	s := newScene(t, 8).withShop()
	s.paused("web:v2")
	s.beside("canary", 1)
	must(t, s.person.Delete(t.Context(), object("Deployment", "web")))
	s.settle()
	if sets := s.sets(); len(sets) != 1 || sets[0].GetName() != "web-canary" || len(s.Pods()) != 1 {
		t.Errorf("%d ReplicaSets and %+v are left", len(sets), s.Pods())
	}
	must(t, s.person.Delete(t.Context(), object("ConfigMap", "other")))
	must(t, s.person.Delete(t.Context(), object("Service", "web")))
	s.settle()
	if len(s.sets()) != 0 || len(s.Pods()) != 0 || len(s.slicesOf("web")) != 0 {
		t.Errorf("%d ReplicaSets, %+v and %d EndpointSlices are left", len(s.sets()), s.Pods(), len(s.slicesOf("web")))
	}
}

// What comes into the world without a living owner goes, too.
func TestBornAsGarbage(t *testing.T) {
	s := newScene(t, 9).withShop()
	set := s.newSet("canary", 1)
	must(t, s.person.Delete(t.Context(), object("ConfigMap", "other")))
	must(t, s.person.Create(t.Context(), set))
	s.settle()
	if sets := s.sets(); len(sets) != 1 || len(s.Pods()) != 4 {
		t.Errorf("%d ReplicaSets and %+v are left", len(sets), s.Pods())
	}
}

// A ReplicaSet takes pods that nobody controls, and none of another's.
func TestPodsOfOthers(t *testing.T) {
	s := newScene(t, 10).withShop()
	all := s.newSet("all", 1)
	must(t, unstructured.SetNestedMap(all.Object, map[string]any{"app": "web"}, "spec", "selector", "matchLabels"))
	must(t, s.person.Create(t.Context(), all))
	s.settle()
	if len(s.Pods()) != 5 {
		t.Errorf("pods are %+v", s.Pods())
	}
	s.patch("Pod", s.Pods()[0].Name, `{"metadata":{"ownerReferences":null,"labels":{"pod-template-hash":"none"}}}`)
	s.settle()
	owners := map[string]int{}
	for _, p := range s.Pods() {
		for _, owner := range s.pod(p.Name).OwnerReferences {
			owners[owner.Name]++
		}
	}
	if owners["web-all"] != 1 || len(s.Pods()) != 5 {
		t.Errorf("pods are %v's", owners)
	}
}

// An EndpointSlice that somebody deletes is made again.
func TestDeletedEndpointSlice(t *testing.T) {
	s := newScene(t, 11).withShop()
	must(t, s.person.Delete(t.Context(), &s.slicesOf("web")[0]))
	s.settle()
	if ready, _ := s.endpoints("web"); len(ready) != 4 {
		t.Errorf("ready are %v", ready)
	}
}

// The slice of a Service that was deleted is never made to speak for another of the same name.
func TestServiceRecreated(t *testing.T) {
	for seed := range uint64(5) {
		s := newScene(t, seed).withShop()
		s.api.OnWrite(func(e server.Event) {
			if e.Key.Kind.Kind == "EndpointSlice" && e.Type == watch.Modified && s.get("Service", "web").GetUID() != e.Object.GetOwnerReferences()[0].UID {
				t.Errorf("seed %d: %v is written", seed, e.Object.Object)
			}
		})
		untidy := cluster.Normal()
		untidy.Garbage = cluster.Range{From: 10 * time.Second, To: 20 * time.Second}
		s.SetDelays(untidy)
		must(t, s.person.Delete(t.Context(), object("Service", "web")))
		s.create(serviceManifest)
		s.scale(5)
		if ready, _ := s.endpoints("web"); len(ready) != 5 || len(s.slicesOf("web")) != 1 {
			t.Errorf("seed %d: ready are %v in %d slices", seed, ready, len(s.slicesOf("web")))
		}
	}
}

package cluster_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/cluster"
)

// A rolling update is never short of pods and never has too many, and no request is lost in it.
func TestRollingUpdate(t *testing.T) {
	for seed := range uint64(20) {
		s := newScene(t, seed).withShop()
		quick := cluster.Normal()
		quick.Controller = cluster.Range{}
		s.SetDelays(quick)
		s.ship("web:v2")
		least, most := 4, int64(0)
		s.until("rolled", func() bool {
			least = min(least, s.ready("web:v1")+s.ready("web:v2"))
			most = max(most, s.sizes()["web:v1"]+s.sizes()["web:v2"])
			for _, a := range s.Requests(10) {
				if a.Outcome.Lost() {
					t.Fatalf("seed %d: %+v", seed, a)
				}
			}
			return s.Quiet()
		})
		if least != 3 || most != 5 {
			t.Errorf("seed %d: between %d and %d pods, allowed are 3 and 5", seed, least, most)
		}
		if len(s.names("web:v2")) != 4 || len(s.Pods()) != 4 {
			t.Errorf("seed %d ends with %+v", seed, s.Pods())
		}
	}
}

// Without room above the size, pods go before others come; without any below it, the other way round.
func TestStepsOfARollingUpdate(t *testing.T) {
	for name, tc := range map[string]struct {
		surge, unavailable string
		least              int
		most               int64
	}{
		"only more":       {`1`, `0`, 4, 5},
		"only fewer":      {`0`, `1`, 3, 4},
		"neither is one":  {`0`, `0`, 3, 4},
		"all at once":     {`"100%"`, `0`, 4, 8},
		"half and a half": {`"50%"`, `"50%"`, 2, 6},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 3).withShop()
			s.patch("Deployment", "web", fmt.Sprintf(`{"spec":{"strategy":{"rollingUpdate":{"maxSurge":%s,"maxUnavailable":%s}}}}`, tc.surge, tc.unavailable))
			s.settle()
			s.ship("web:v2")
			least, most := 4, int64(0)
			s.until("rolled", func() bool {
				least = min(least, s.ready("web:v1")+s.ready("web:v2"))
				most = max(most, s.sizes()["web:v1"]+s.sizes()["web:v2"])
				return s.Quiet()
			})
			if least != tc.least || most != tc.most || s.ready("web:v2") != 4 {
				t.Errorf("between %d and %d pods, wanted are %d and %d; at the end %+v", least, most, tc.least, tc.most, s.Pods())
			}
		})
	}
}

// What never gets ready stops a rolling update where enough old pods are left.
func TestSickVersionStopsTheRoll(t *testing.T) {
	for _, health := range []cluster.Health{cluster.NeverReady, cluster.Crashing} {
		s := newScene(t, 4).withShop()
		s.SetHealth("web:v2", health)
		s.ship("web:v2")
		s.settle()
		if s.ready("web:v1") != 3 || s.ready("web:v2") != 0 || len(s.names("web:v2")) != 2 {
			t.Errorf("%s: pods are %+v", health, s.Pods())
		}
		s.ship("web:v1")
		s.settle()
		if s.ready("web:v1") != 4 || len(s.Pods()) != 4 {
			t.Errorf("%s, taken back: pods are %+v", health, s.Pods())
		}
	}
}

// paused writes what the hold derives, and a new template with it.
func (s *scene) paused(image string) {
	s.Helper()
	s.patch("Deployment", "web", `{"spec":{"paused":true}}`)
	s.ship(image)
	s.settle()
}

// A held Deployment still replaces dead pods and follows its size, always with the template that runs.
func TestPausedDeployment(t *testing.T) {
	s := newScene(t, 5).withShop()
	s.paused("web:v2")
	before := s.names("web:v1")
	if !s.Vanish(s.Pods()[0].NamespacedName) {
		t.Fatal("there is no pod to vanish")
	}
	s.settle()
	after := s.names("web:v1")
	if len(after) != 4 || slices.Equal(before, after) || len(s.Pods()) != 4 {
		t.Errorf("pods %v became %v", before, after)
	}
	for _, n := range []int{7, 2, 0, 3} {
		s.scale(n)
		if s.ready("web:v1") != n || len(s.Pods()) != n {
			t.Errorf("scaled to %d: %+v", n, s.Pods())
		}
	}
	if sets := s.sets(); len(sets) != 1 {
		t.Errorf("%d ReplicaSets, the new template's among them", len(sets))
	}
}

// beside makes a ReplicaSet with the Deployment's present template beside it, controlled by somebody else.
func (s *scene) beside(hash string, replicas int) {
	s.Helper()
	must(s, s.person.Create(s.Context(), s.newSet(hash, replicas)))
	s.settle()
}

func (s *scene) newSet(hash string, replicas int) *unstructured.Unstructured {
	s.Helper()
	template, _, _ := unstructured.NestedMap(s.get("Deployment", "web").Object, "spec", "template")
	labels := map[string]any{"app": "web", "tier": "front", hashKey: hash}
	must(s, unstructured.SetNestedMap(template, labels, "metadata", "labels"))
	set := object("ReplicaSet", "web-"+hash)
	metadata, _ := set.Object["metadata"].(map[string]any)
	metadata["labels"], metadata["ownerReferences"] = labels, []any{s.reference()}
	set.Object["spec"] = map[string]any{
		"replicas": int64(replicas), "template": template,
		"selector": map[string]any{"matchLabels": map[string]any{"app": "web", hashKey: hash}},
	}
	return set
}

// reference is the controller reference to a ConfigMap that stands for a Rollout.
func (s *scene) reference() map[string]any {
	s.Helper()
	other := object("ConfigMap", "other")
	if err := client.IgnoreAlreadyExists(s.person.Create(s.Context(), other)); err != nil {
		s.Fatal(err)
	}
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": string(s.get("ConfigMap", "other").GetUID()), "controller": true,
	}
}

// give lets the Deployment control a ReplicaSet; annotations are a JSON object.
func (s *scene) give(set, annotations string) {
	s.Helper()
	uid := s.get("Deployment", "web").GetUID()
	s.patch("ReplicaSet", set, fmt.Sprintf(`{"metadata":{"annotations":%s,"ownerReferences":[
		{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":%q,"controller":true}]}}`, annotations, uid))
}

const sizedForFour = `{"deployment.kubernetes.io/desired-replicas":"4","deployment.kubernetes.io/max-replicas":"5"}`

// What somebody else controls is left alone, whatever its template.
func TestForeignReplicaSetIsLeftAlone(t *testing.T) {
	s := newScene(t, 6).withShop()
	s.paused("web:v2")
	s.beside("canary", 4)
	if s.ready("web:v1") != 4 || s.ready("web:v2") != 4 {
		t.Errorf("pods are %+v", s.Pods())
	}
	if n, _, _ := unstructured.NestedInt64(s.get("Deployment", "web").Object, "status", "replicas"); n != 4 {
		t.Errorf("the Deployment counts %d pods", n)
	}
}

// The point of no return: a complete ReplicaSet that is adopted ends the old pods at once, paused or not, and none of its
// own restarts, not when the Deployment is released either.
func TestAdoptedWhilePaused(t *testing.T) {
	s := newScene(t, 7).withShop()
	s.paused("web:v2")
	s.beside("canary", 4)
	pods := s.names("web:v2")
	s.give("web-canary", sizedForFour)
	s.settle()
	if got := s.names("web:v2"); !slices.Equal(got, pods) || len(s.names("web:v1")) != 0 {
		t.Errorf("pods %v became %v, old ones are %v", pods, got, s.names("web:v1"))
	}
	s.patch("Deployment", "web", `{"spec":{"paused":null}}`)
	s.settle()
	if got := s.names("web:v2"); !slices.Equal(got, pods) || len(s.Pods()) != 4 {
		t.Errorf("released: pods %v became %v", pods, got)
	}
	if revision := s.get("Deployment", "web").GetAnnotations()["deployment.kubernetes.io/revision"]; revision != "2" {
		t.Errorf("the Deployment is at revision %q", revision)
	}
}

// Without the annotations of its size, or with those of another, a complete one is not recognised, and the pods of all are
// moved in proportion first.
func TestAdoptedWithoutItsSize(t *testing.T) {
	for _, annotations := range []string{`{}`, `{"deployment.kubernetes.io/desired-replicas":"8","deployment.kubernetes.io/max-replicas":"10"}`} {
		s := newScene(t, 8).withShop()
		s.paused("web:v2")
		s.beside("canary", 4)
		s.give("web-canary", annotations)
		kept := true
		s.until("quiet", func() bool {
			kept = kept && s.sizes()["web:v2"] == 4
			return s.Quiet()
		})
		if sizes := s.sizes(); kept || sizes["web:v1"]+sizes["web:v2"] > 5 {
			t.Errorf("%s: the sizes are %v, and the new one always was: %t", annotations, sizes, kept)
		}
	}
}

// One that is not complete goes on as the Deployment's own rolling update.
func TestAdoptedWhenNotComplete(t *testing.T) {
	s := newScene(t, 9).withShop()
	s.paused("web:v2")
	s.beside("canary", 1)
	pods := s.names("web:v2")
	s.give("web-canary", sizedForFour)
	s.settle()
	if sizes := s.sizes(); !maps.Equal(sizes, map[string]int64{"web:v1": 4, "web:v2": 1}) {
		t.Errorf("still paused, the sizes are %v", sizes)
	}
	s.patch("Deployment", "web", `{"spec":{"paused":false}}`)
	s.settle()
	if got := s.names("web:v2"); len(got) != 4 || !slices.Contains(got, pods[0]) || len(s.Pods()) != 4 {
		t.Errorf("pods %v became %v", pods, s.Pods())
	}
}

// The oldest ReplicaSet with an equal template is the new one. With an older one around, a complete younger one loses all
// its pods when it is adopted.
func TestOldestEqualReplicaSetWins(t *testing.T) {
	s := newScene(t, 10).withShop()
	s.ship("web:v2")
	s.settle()
	s.ship("web:v1")
	s.settle()
	s.paused("web:v2") // which has an empty ReplicaSet from before
	s.run(2 * time.Second)
	s.beside("canary", 4)
	s.give("web-canary", sizedForFour)
	s.patch("Deployment", "web", `{"spec":{"paused":false}}`)
	s.settle()
	for _, set := range s.sets() {
		n, _, _ := unstructured.NestedInt64(set.Object, "spec", "replicas")
		if young := set.GetName() == "web-canary"; young && n != 0 || !young && imageOf(set) == "web:v2" && n != 4 {
			t.Errorf("%s of %s has size %d", set.GetName(), imageOf(set), n)
		}
	}
}

// A version that comes back gets its old ReplicaSet, under a new number.
func TestOldVersionComesBack(t *testing.T) {
	s := newScene(t, 11).withShop()
	first := s.sets()[0].GetName()
	s.ship("web:v2")
	s.settle()
	s.ship("web:v1")
	s.settle()
	if len(s.sets()) != 2 {
		t.Fatalf("there are %d ReplicaSets", len(s.sets()))
	}
	notes := s.get("ReplicaSet", first).GetAnnotations()
	if notes["deployment.kubernetes.io/revision"] != "3" || notes["deployment.kubernetes.io/revision-history"] != "1" || s.ready("web:v1") != 4 {
		t.Errorf("annotations %v, pods %+v", notes, s.Pods())
	}
}

// The Deployment's controller gives its annotations to the ReplicaSet of the present template, and only to that.
func TestAnnotationsAreCopied(t *testing.T) {
	s := newScene(t, 12).withShop()
	name := s.sets()[0].GetName()
	s.patch("Deployment", "web", `{"metadata":{"annotations":{"team":"shop"}}}`)
	s.settle()
	s.paused("web:v2")
	s.patch("Deployment", "web", `{"metadata":{"annotations":{"team":"other"}}}`)
	s.settle()
	if got := s.get("ReplicaSet", name).GetAnnotations()["team"]; got != "shop" {
		t.Errorf("the ReplicaSet says %q", got)
	}
}

// A ReplicaSet that is not selected any more is let go, with its pods, and another is made under another name. One that
// nobody controls is adopted.
func TestAdoptionAndOrphaning(t *testing.T) {
	s := newScene(t, 13).withShop()
	first := s.sets()[0].GetName()
	s.patch("ReplicaSet", first, `{"metadata":{"labels":{"app":"elsewhere"}}}`)
	s.settle()
	if owners := s.get("ReplicaSet", first).GetOwnerReferences(); len(owners) != 0 || len(s.sets()) != 2 || len(s.Pods()) != 8 {
		t.Errorf("it is owned by %v, there are %d ReplicaSets and %d pods", owners, len(s.sets()), len(s.Pods()))
	}
	s.patch("ReplicaSet", first, `{"metadata":{"labels":{"app":"web"}}}`)
	s.settle()
	if owners := s.get("ReplicaSet", first).GetOwnerReferences(); len(owners) != 1 || len(s.Pods()) != 4 {
		t.Errorf("it is owned by %v, and there are %d pods", owners, len(s.Pods()))
	}
}

// Scaled in the middle of a roll-out, paused or not, both versions grow and shrink in proportion.
func TestScaledInTheMiddle(t *testing.T) {
	for _, paused := range []bool{false, true} {
		s := newScene(t, 15).withShop()
		s.SetHealth("web:v2", cluster.NeverReady)
		s.ship("web:v2")
		s.settle()
		s.patch("Deployment", "web", fmt.Sprintf(`{"spec":{"paused":%t}}`, paused))
		for _, tc := range []struct {
			replicas int
			v1, v2   int64
		}{{4, 3, 2}, {8, 6, 4}, {16, 12, 8}, {2, 2, 1}} {
			s.scale(tc.replicas)
			if got := s.sizes(); got["web:v1"] != tc.v1 || got["web:v2"] != tc.v2 {
				t.Errorf("paused %t, scaled to %d: %v", paused, tc.replicas, got)
			}
		}
	}
}

// With no pods anywhere, a paused Deployment that is scaled up starts the present template if it has a ReplicaSet of it.
func TestPausedAtZero(t *testing.T) {
	s := newScene(t, 16).withShop()
	s.ship("web:v2")
	s.settle()
	s.paused("web:v1")
	s.scale(0)
	s.scale(3)
	if s.ready("web:v1") != 3 || len(s.Pods()) != 3 {
		t.Errorf("pods are %+v", s.Pods())
	}
}

// The history is as long as the Deployment says.
func TestHistoryIsBounded(t *testing.T) {
	s := newScene(t, 14).withShop()
	s.patch("Deployment", "web", `{"spec":{"revisionHistoryLimit":2}}`)
	for i := range 6 {
		s.ship(fmt.Sprintf("web:v%d", i+2))
		s.settle()
	}
	var images []string
	for _, set := range s.sets() {
		images = append(images, imageOf(set))
	}
	slices.Sort(images)
	if !slices.Equal(images, []string{"web:v5", "web:v6", "web:v7"}) {
		t.Errorf("left are %v", images)
	}
	// The oldest is not the one that was current the longest time ago, and a paused one forgets, too.
	s.ship("web:v5")
	s.settle()
	s.paused("web:v8")
	s.patch("Deployment", "web", `{"spec":{"revisionHistoryLimit":1}}`)
	s.settle()
	if sets := s.sets(); len(sets) != 1 || imageOf(sets[0]) != "web:v5" {
		t.Errorf("left are %d ReplicaSets, the first of %s", len(sets), imageOf(sets[0]))
	}
}

package deployment

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/workloads"
)

func TestObserve(t *testing.T) {
	tests := map[string]struct {
		change func(*appsv1.Deployment)
		sees   func(workloads.State) bool
	}{
		"settled":                       {nil, func(s workloads.State) bool { return s.Found && s.Settled && !s.Held && s.Replicas == 3 }},
		"held":                          {holding, func(s workloads.State) bool { return s.Held && !s.Settled }},
		"hold without paused":           {func(d *appsv1.Deployment) { holding(d); d.Spec.Paused = false }, func(s workloads.State) bool { return !s.Held }},
		"paused without hold":           {func(d *appsv1.Deployment) { d.Spec.Paused = true }, func(s workloads.State) bool { return !s.Held && !s.Settled }},
		"hold that is none":             {func(d *appsv1.Deployment) { holding(d); d.Annotations["belay.dev/hold"] = "7/false" }, func(s workloads.State) bool { return !s.Held }},
		"status of an older generation": {func(d *appsv1.Deployment) { d.Generation = 5 }, func(s workloads.State) bool { return !s.Settled }},
		"old pods left":                 {func(d *appsv1.Deployment) { d.Status.Replicas = 4 }, func(s workloads.State) bool { return !s.Settled }},
		"not updated":                   {func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 2 }, func(s workloads.State) bool { return !s.Settled }},
		"not available":                 {func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 2 }, func(s workloads.State) bool { return !s.Settled }},
		"recreate":                      {func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }, func(s workloads.State) bool { return s.Recreate }},
		"annotations": {func(d *appsv1.Deployment) {
			d.Annotations = map[string]string{
				"belay.dev/bypassed": "fire", "belay.dev/source-revision": "c0ffee", "belay.dev/contested-by": "alice",
				"belay.dev/held": "run this", "belay.dev/ignore-template-changes": "a,b",
			}
		}, func(s workloads.State) bool {
			return s.Bypassed == "fire" && s.Source == "c0ffee" && s.ContestedBy == "alice" && s.Notice == "run this" && s.Ignored == "a,b" && s.Governor == "web"
		}},
		"pod labels": {nil, func(s workloads.State) bool {
			return maps.Equal(s.PodLabels, map[string]string{"app": "web", "tier": "front"})
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := web("v1")
			if test.change != nil {
				test.change(d)
			}
			if state := observe(t, store(d)); !test.sees(state) {
				t.Errorf("saw %+v", state)
			}
		})
	}
}

func TestObserveMissing(t *testing.T) {
	if state := observe(t, store()); state.Found {
		t.Errorf("found %+v", state)
	}
}

func TestCandidate(t *testing.T) {
	stranger := metav1.OwnerReference{APIVersion: "x/v1", Kind: "X", Name: "x", UID: "x", Controller: &yes}
	tests := map[string]struct {
		sets   []client.Object
		want   string
		exists bool
	}{
		"none yet":                             {nil, "", false},
		"only another template":                {[]client.Object{replicaSet("a", "v1", 0, 3, byDeployment)}, "", false},
		"empty one of the workload":            {[]client.Object{replicaSet("a", "v2", 0, 0, byDeployment)}, "web-a", true},
		"oldest of several empty ones":         {[]client.Object{replicaSet("b", "v2", 2, 0, byDeployment), replicaSet("a", "v2", 1, 0, byDeployment)}, "web-a", true},
		"the workload's with pods":             {[]client.Object{replicaSet("a", "v2", 1, 0, byDeployment), replicaSet("b", "v2", 2, 3, byDeployment)}, "web-b", true},
		"ours":                                 {[]client.Object{replicaSet("a", "v2", 1, 0, byRollout)}, "web-a", true},
		"ours with pods before an older empty": {[]client.Object{replicaSet("a", "v2", 1, 0, byDeployment), replicaSet("b", "v2", 2, 1, byRollout)}, "web-b", true},
		"somebody else's":                      {[]client.Object{replicaSet("a", "v2", 1, 0, stranger)}, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := observe(t, store(append(test.sets, web("v2", holding))...)).Candidate
			if got.Exists != test.exists || test.exists && got.Name != test.want {
				t.Errorf("candidate is %+v", got)
			}
			if got.Image != "v2" || !got.Current || got.Hash == "" {
				t.Errorf("candidate is %+v", got)
			}
		})
	}
}

func TestCandidateNameIsStable(t *testing.T) {
	first := observe(t, store(web("v2"))).Candidate
	again := observe(t, store(web("v2"), replicaSet("a", "v1", 0, 3, byDeployment))).Candidate
	other := observe(t, store(web("v3"))).Candidate
	if first.Name != again.Name || first.Name == other.Name || first.Name != "web-"+first.Hash {
		t.Errorf("names %s, %s and %s", first.Name, again.Name, other.Name)
	}
	if !regexp.MustCompile(`^[a-z0-9-]{1,10}$`).MatchString(first.Hash) {
		t.Errorf("hash %q", first.Hash)
	}
	// Another template took the name: a hash collision.
	taken := replicaSet("x", "v1", 0, 0, byDeployment)
	taken.Name = first.Name
	if next := observe(t, store(web("v2"), taken)).Candidate; next.Name == first.Name || next.Exists {
		t.Errorf("candidate is %+v", next)
	}
}

func TestNameIsBounded(t *testing.T) {
	long := strings.Repeat("a", 45) + "." + strings.Repeat("b", 100)
	name, hash, err := nameFor(long, map[string]any{}, func(string) bool { return false })
	if err != nil || len(name) > maxName || !strings.HasSuffix(name, "a-"+hash) && !strings.HasSuffix(name, "b-"+hash) {
		t.Errorf("name %q, %v", name, err)
	}
}

func TestTemplateComparison(t *testing.T) {
	base := func() map[string]any {
		return map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"app": "web"}},
			"spec":     map[string]any{"volumes": []any{map[string]any{"name": "tmp", "emptyDir": map[string]any{}}}},
		}
	}
	tests := map[string]struct {
		change func(template map[string]any)
		same   bool
	}{
		"nothing":                {func(map[string]any) {}, true},
		"hash":                   {func(m map[string]any) { m["metadata"].(map[string]any)["labels"].(map[string]any)[hashKey] = "x" }, true},
		"null creationTimestamp": {func(m map[string]any) { m["metadata"].(map[string]any)["creationTimestamp"] = nil }, true},
		"empty annotations":      {func(m map[string]any) { m["metadata"].(map[string]any)["annotations"] = map[string]any{} }, true},
		"a label":                {func(m map[string]any) { m["metadata"].(map[string]any)["labels"].(map[string]any)["x"] = "y" }, false},
		"an unknown field":       {func(m map[string]any) { m["spec"].(map[string]any)["newer"] = int64(1) }, false},
		"an empty struct gone": {func(m map[string]any) {
			delete(m["spec"].(map[string]any)["volumes"].([]any)[0].(map[string]any), "emptyDir")
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			other := base()
			test.change(other)
			if got := equal(templateIn(base()), templateIn(other)); got != test.same {
				t.Errorf("equal: %v", got)
			}
		})
	}
}

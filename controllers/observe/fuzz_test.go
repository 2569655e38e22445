package observe

import (
	"encoding/json"
	"errors"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/api/v1alpha1"
)

// FuzzSnapshot reads texts that say they are a snapshot: only the digest of what they say makes them one, what applies at
// once is no part of it, and what was read is the same when it is written and read again.
func FuzzSnapshot(f *testing.F) {
	whole := Snapshot{Args: map[string]string{"host": "a"}, Metrics: []v1alpha1.Metric{{Name: "errors"}}}
	whole.Spec.Strategy.Canary = weighted(5, 25, 100)
	text, digest, err := whole.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, digest)
	f.Add(`{"spec":{"suspend":true,"git":{"repository":"a"}},"spec":{}}`, digest)
	f.Add(`{"spec":[],"args":{"a":null}}`, "")
	f.Add(`{"Spec":{"strategy":{"canary":{"steps":[{"weight":1e2}]}}},"new":{"b":2,"a":1}}`, "")
	f.Add(`{"spec":{"progressDeadline":"1x"}} {}`, "")
	f.Fuzz(func(t *testing.T, text, claimed string) {
		_, digest, err := canonical([]byte(text))
		if s, ok := decode(text, claimed); ok && (err != nil || claimed != digest) || !ok && !reflect.DeepEqual(s, Snapshot{}) {
			t.Fatalf("%q is taken for the snapshot %q: %+v", text, claimed, s)
		}
		if err != nil {
			return
		}
		read, ok := decode(text, digest)
		if !ok {
			return // it has a digest and is of another form
		}
		if read.Spec.Suspend || read.Spec.Git != nil {
			t.Errorf("what applies at once is kept: %+v", read.Spec)
		}
		again, redigest, err := read.Encode()
		if err != nil {
			t.Fatal(err)
		}
		twice, ok := decode(again, redigest)
		if !ok || !reflect.DeepEqual(twice, read) {
			t.Errorf("%s\nwas read as %+v and then as %+v", again, read, twice)
		}
		read.Spec.Suspend, read.Spec.Git = true, &v1alpha1.Git{Repository: "platform"}
		if _, other, err := read.Encode(); err != nil || other != redigest {
			t.Errorf("suspending and another Git make %s of %s: %v", other, redigest, err)
		}
	})
}

// A status shows no address, port or id.
var shown = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|//[\w.-]+:\d{1,5}\b|\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b`)

// FuzzSaid looks for what an API server can say that would rewrite a status at every try.
func FuzzSaid(f *testing.F) {
	for _, seed := range []string{
		`Get "https://10.96.0.1:443/api": dial tcp 10.96.0.1:443: connect: connection refused`, "https://api.example.com:6443/x", "[::1]:6443", "1.1.1.1.1",
		`Operation cannot be fulfilled on UID 0f4e5c1a-1111-2222-3333-444455556666`, "a\nb", "//h:1//h:22222", "10.0.0.10.0.0.1:80:90",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Said(errors.New(text))
		if again := Said(errors.New(got)); again != got {
			t.Errorf("%q is said as %q, and that as %q", text, got, again)
		}
		if found := shown.FindString(got); found != "" {
			t.Errorf("%q still shows %q", got, found)
		}
	})
}

// FuzzAccess holds paths against globs as a regular expression does it, and never gives a path that leaves the repository.
func FuzzAccess(f *testing.F) {
	for _, seed := range [][2]string{
		{"apps/**", "apps/checkout"}, {"**", "."}, {"apps/*/prod", "apps/checkout/prod/"}, {"**/prod/**", "prod"}, {"a[b-d]?/x", "ac1/x"}, {"[", "["}, {"\\*", "*"},
		{strings.Repeat("**/a/", 40) + "b", strings.Repeat("a/", 400) + "a"}, {"**/**/a*/**/b", "a/x/b/b"}, {"apps", "apps/../apps"}, {"", ""}, {"a**b", "a/b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, glob, dir string) {
		if len(glob) > 256 || len(dir) > 1024 {
			return // the schema admits no longer ones
		}
		repo := &v1alpha1.Repository{}
		repo.Spec.Access = []v1alpha1.RepositoryAccess{{Namespaces: []string{"shop"}, Branches: []string{"main"}, Paths: []string{glob}}}
		got := allowed(repo, "shop", "main", dir)
		if want := covered(glob, path.Clean(dir)); got != want {
			t.Errorf("%q covers %q: %t, want %t", glob, dir, got, want)
		}
		if allowed(repo, "other", "main", dir) || allowed(repo, "shop", "other", dir) {
			t.Errorf("%q on another branch or from another namespace is allowed", dir)
		}
	})
}

// covered says the same without recursion: which prefixes of the path the glob's first elements cover.
func covered(glob, dir string) bool {
	elements := strings.Split(dir, "/")
	reached := make([]bool, len(elements)+1)
	reached[0] = true
	for _, g := range strings.Split(glob, "/") {
		next := make([]bool, len(elements)+1)
		for i := range reached {
			switch {
			case g == "**":
				next[i] = reached[i] || i > 0 && next[i-1]
			case i > 0 && reached[i-1]:
				ok, err := path.Match(g, elements[i-1])
				next[i] = ok && err == nil
			}
		}
		reached = next
	}
	return reached[len(elements)]
}

// FuzzSpec reads specs that no schema has seen, as a ConfigMap with the digest of one could hold them: whatever they say,
// there is a configuration, and every problem names the field.
func FuzzSpec(f *testing.F) {
	f.Add(`{"spec":{"services":[{"name":"web"}],"strategy":{"canary":{"steps":[{"weight":5,"bake":"1m"},{"approve":{}},{"weightPermille":255,"replicas":"30%"}]}},"analysis":{"startAt":9}},"metrics":[{"name":"errors","prometheus":{"query":"up"},"successCondition":"result < 1"}]}`)
	f.Add(`{"spec":{"strategy":{"canary":{"steps":[{"weight":2147483647},{"weightPermille":-2147483648,"replicas":0},{"replicas":"-5%"},{"weight":-1,"weightPermille":7}],"settle":"-1h"}},"progressDeadline":"-1s"}}`)
	f.Add(`{"spec":{"strategy":{}},"metrics":[{"prometheus":null},{"name":"\n"}],"args":{"":""}}`)
	f.Add(`{"spec":{"analysis":{"interval":"-1s"},"services":[{"name":"` + strings.Repeat("x", 60) + `"}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var read Snapshot
		if json.Unmarshal([]byte(text), &read) != nil {
			return
		}
		scene := &Scene{Rollout: rollout(), Effective: read}
		scene.spec(read)
		var plans []analysis.Plan
		if read.Spec.Analysis != nil {
			var err error
			if plans, err = analysis.Compile(read.Metrics, analysis.Options{Interval: durationOr(read.Spec.Analysis.Interval, 0), Args: read.Args}); err != nil {
				scene.problem("InvalidMetric", "spec.analysis: %s", oneLine(err))
			}
		}
		c := configure(read, plans, nil)
		for _, p := range scene.Problems {
			if p.Reason == "" || !strings.HasPrefix(p.Message, "spec.") {
				t.Errorf("%s does not name a field: %q", p.Reason, p.Message)
			}
		}
		if canary := read.Spec.Strategy.Canary; (len(c.Ladder) > 0) != (canary != nil) {
			t.Errorf("the ladder of %+v is %+v", canary, c.Ladder)
		} else if last := len(c.Ladder) - 1; canary != nil && (len(c.Ladder) > len(canary.Steps)+1 || c.Ladder[last].Permille < 1000 || c.Ladder[last].Approve) {
			t.Errorf("the ladder ends at %+v", c.Ladder[last])
		}
		if c.Scale != 100 && c.Scale != 1000 {
			t.Errorf("the scale is %d", c.Scale)
		}
	})
}

// FuzzPod reads pods that say anything: one that is ready or goes away has no trouble, and what is said of trouble is the
// same for each of its siblings.
func FuzzPod(f *testing.F) {
	for _, seed := range []string{
		`{"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-03-01T12:00:00Z"}],"containerStatuses":[{"name":"app","state":{"waiting":{"reason":"x"}}}]}}`,
		`{"status":{"conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable"}],"containerStatuses":[{"name":"app","image":"a:v1","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}`,
		`{"metadata":{"deletionTimestamp":"2026-03-01T12:00:00Z"},"status":{"containerStatuses":[{"state":{"terminated":{"exitCode":137}}}]}}`,
		`{"status":{"initContainerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}},{"state":{"running":{}}}],"containerStatuses":[{"state":{"running":null,"terminated":{"exitCode":-1}}}]}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pod := &corev1.Pod{}
		if json.Unmarshal([]byte(text), pod) != nil {
			return
		}
		said := troubles(pod)
		ready := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		if len(said) > 0 && (ready || pod.DeletionTimestamp != nil) {
			t.Errorf("ready or leaving, and %q", said)
		}
		if len(said) > len(pod.Status.Conditions)+len(pod.Status.InitContainerStatuses)+len(pod.Status.ContainerStatuses) {
			t.Errorf("more troubles than there is of the pod: %q", said)
		}
		pod.Name, pod.Status.PodIP, pod.Spec.NodeName = pod.Name+"-sibling", "10.0.0.1", "another"
		if other := troubles(pod); !slices.Equal(said, other) {
			t.Errorf("of one it says %q, of another %q", said, other)
		}
	})
}

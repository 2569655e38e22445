package gather

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// FuzzPod tells of pods that say anything, as kubectl does: there always is a word for the state, and one that goes away is
// not ready.
func FuzzPod(f *testing.F) {
	for _, seed := range []string{
		`{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"restartCount":3}]}}`,
		`{"metadata":{"deletionTimestamp":"2026-03-01T12:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}`,
		`{"status":{"initContainerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}}],"containerStatuses":[{"state":{"terminated":{"exitCode":1}}}]}}`,
		`{"status":{"conditions":[{"type":"PodScheduled","status":"False"}]}}`, `{"status":{"reason":"Evicted"}}`, `{}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &corev1.Pod{}
		if json.Unmarshal([]byte(text), p) != nil {
			return
		}
		got := pod(p)
		if got.State == "" || got.Name != p.Name || got.Ready && p.DeletionTimestamp != nil {
			t.Errorf("told as %+v", got)
		}
		var restarts int32
		for _, s := range p.Status.ContainerStatuses {
			restarts += s.RestartCount
		}
		if got.Restarts != restarts {
			t.Errorf("%d restarts, told are %d", restarts, got.Restarts)
		}
	})
}

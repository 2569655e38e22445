package controllers

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
)

// An older controller tells that it is one. Of the record it writes nothing, not even what it knows: a whole status of its
// types would drop every field that is newer than it.
func TestNewerRecordIsNotTouched(t *testing.T) {
	s := shifting()
	s.Progress.Version = v1alpha1.ProgressVersion + 1
	s.Rollout.Namespace, s.Rollout.Name = "shop", "shop"
	s.Rollout.Status.Progress = s.Progress.DeepCopy()
	s.Rollout.Status.Phase = v1alpha1.PhaseProgressing
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var patches []map[string]any
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(s.Rollout).WithStatusSubresource(s.Rollout).WithInterceptorFuncs(interceptor.Funcs{
		SubResourceUpdate: func(context.Context, client.Client, string, client.Object, ...client.SubResourceUpdateOption) error {
			t.Error("the whole status is written")
			return nil
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			data, err := p.Data(o)
			if err != nil {
				return err
			}
			var patch map[string]any
			if err := json.Unmarshal(data, &patch); err != nil {
				return err
			}
			patches = append(patches, patch)
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	}).Build()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(s.Rollout), s.Rollout); err != nil {
		t.Fatal(err)
	}
	var events []string
	r := &Reporter{Client: c, Event: func(_ *v1alpha1.Rollout, _, reason, _ string) { events = append(events, reason) }}

	decided := plan.Decide(s.Observed)
	if _, err := r.Report(t.Context(), s, decided); err != nil {
		t.Fatal(err)
	}

	if len(patches) != 1 {
		t.Fatalf("%d patches were written, want one", len(patches))
	}
	status := patches[0]["status"].(map[string]any)
	if fields := slices.Sorted(maps.Keys(status)); !slices.Equal(fields, []string{"conditions", "message", "phase"}) {
		t.Errorf("the patch writes %v", fields)
	}
	if !slices.Equal(events, []string{"NewerProgress"}) {
		t.Errorf("the events are %v", events)
	}

	// The next round has nothing to say.
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(s.Rollout), s.Rollout); err != nil {
		t.Fatal(err)
	}
	s.Now = s.Now.Add(time.Minute)
	if _, err := r.Report(t.Context(), s, plan.Decide(s.Observed)); err != nil || len(patches) != 1 {
		t.Errorf("it is told again: %d patches, %v", len(patches), err)
	}
}

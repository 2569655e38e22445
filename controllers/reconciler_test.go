package controllers

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/gitwork"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// An order to Git does not outlive what ordered it.
func TestQuietGit(t *testing.T) {
	recorded := func(state v1alpha1.RevertState) plan.Plan {
		return plan.Plan{Progress: &v1alpha1.Progress{Revert: &v1alpha1.RevertRecord{State: state}}}
	}
	all := []gitwork.Kind{gitwork.Tip, gitwork.Locate, gitwork.Revert}
	for name, tc := range map[string]struct {
		plan plan.Plan
		want []gitwork.Kind
	}{
		"asks for the revert":    {plan.Plan{Effects: []plan.Effect{plan.Notice{}, plan.Revert{}}}, []gitwork.Kind{gitwork.Revert}},
		"asks for the bounds":    {plan.Plan{Effects: []plan.Effect{plan.Locate{}}}, []gitwork.Kind{gitwork.Locate}},
		"asks for nothing":       {plan.Plan{Effects: []plan.Effect{plan.Notice{}}}, nil},
		"records the commit":     {recorded(v1alpha1.RevertPlanned), all},
		"records that it is due": {recorded(v1alpha1.RevertWanted), all},
		"gives it up":            {recorded(v1alpha1.RevertSkipped), []gitwork.Kind{gitwork.Tip}},
		"found it done":          {recorded(v1alpha1.RevertUnneeded), []gitwork.Kind{gitwork.Tip}},
		"begins a new attempt":   {plan.Plan{Progress: &v1alpha1.Progress{}}, []gitwork.Kind{gitwork.Tip}},
	} {
		t.Run(name, func(t *testing.T) {
			kept := all // unless it says otherwise
			r := &Reconciler{
				StopMeasuring: func(types.NamespacedName) {},
				KeepGit:       func(_ types.NamespacedName, kinds ...gitwork.Kind) { kept = kinds },
			}
			r.quiet(types.NamespacedName{}, &observe.Scene{}, tc.plan)
			if !slices.Equal(kept, tc.want) {
				t.Errorf("keeps %v, want %v", kept, tc.want)
			}
		})
	}
}

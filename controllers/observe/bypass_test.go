package observe

import (
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// The reason of a bypass stays on the workload. It is that of one change, not of every change after it.
func TestUntold(t *testing.T) {
	bypassed := func(reason string) v1alpha1.AttemptRecord {
		return v1alpha1.AttemptRecord{Outcome: v1alpha1.OutcomeBypassed, Reason: "let through unheld by a person: " + reason}
	}
	promoted := v1alpha1.AttemptRecord{Outcome: v1alpha1.OutcomePromoted, Reason: "revision 2 passed: hotfix"}
	for name, tc := range map[string]struct {
		history []v1alpha1.AttemptRecord
		reason  string
		want    string
	}{
		"none":                     {nil, "", ""},
		"the first":                {nil, "hotfix", "hotfix"},
		"told":                     {[]v1alpha1.AttemptRecord{bypassed("hotfix")}, "hotfix", ""},
		"told, and releases since": {[]v1alpha1.AttemptRecord{promoted, promoted, bypassed("hotfix")}, "hotfix", ""},
		"another":                  {[]v1alpha1.AttemptRecord{bypassed("hotfix")}, "incident 7", "incident 7"},
		"once more, after another": {[]v1alpha1.AttemptRecord{bypassed("incident 7"), bypassed("hotfix")}, "hotfix", "hotfix"},
		"a release says the same":  {[]v1alpha1.AttemptRecord{promoted}, "hotfix", "hotfix"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := untold(tc.history, tc.reason); got != tc.want {
				t.Errorf("%q is untold, want %q", got, tc.want)
			}
		})
	}
}

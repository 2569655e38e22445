package plan

import (
	"testing"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// pushes has a version committed and applied.
func pushes(version string, when func(Observed, Plan) bool) happening {
	return happening{version + " is pushed", when, func(w *world) { w.push(version) }}
}

func bad(w *world) { w.verdicts["v2"] = v1alpha1.VerdictFail }

func TestStories(t *testing.T) {
	tests := map[string]struct {
		begin      func(*world)
		happenings []happening
	}{
		"good": {nil, []happening{pushes("v2", quiet)}},
		"bad":  {bad, []happening{pushes("v2", quiet)}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { tell(t, tc.begin, tc.happenings...).golden(name) })
	}
}

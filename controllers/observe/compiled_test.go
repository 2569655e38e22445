package observe

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/analysis"
)

func TestCompiledOnce(t *testing.T) {
	key, other := types.NamespacedName{Namespace: "shop", Name: "web"}, types.NamespacedName{Namespace: "shop", Name: "api"}
	bad := errors.New("no condition")
	made := 0
	compile := func() ([]analysis.Plan, error) { made++; return make([]analysis.Plan, made), bad }
	var c compiled
	for i, step := range []struct {
		key    types.NamespacedName
		digest string
		made   int
	}{{key, "a", 1}, {key, "a", 1}, {other, "a", 2}, {key, "b", 3}, {key, "b", 3}, {other, "a", 3}, {key, "a", 4}} {
		plans, err := c.get(step.key, step.digest, compile)
		if made != step.made || !errors.Is(err, bad) || len(plans) == 0 {
			t.Errorf("look %d: made %d times, want %d; %d plans, error %v", i+1, made, step.made, len(plans), err)
		}
	}
	c.forget(other)
	if _, _ = c.get(other, "a", compile); made != 5 {
		t.Error("a Rollout that is gone is remembered")
	}
}

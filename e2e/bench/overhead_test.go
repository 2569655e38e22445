package bench

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/world"
)

func TestWithoutMetrics(t *testing.T) {
	files := map[string]string{world.Path + "/rollout.yaml": world.Rollout(world.ShopOptions{Name: "shop", Steps: atOnce})}
	withoutMetrics(files)
	var r v1alpha1.Rollout
	if err := yaml.UnmarshalStrict([]byte(files[world.Path+"/rollout.yaml"]), &r); err != nil {
		t.Fatal(err)
	}
	if r.Spec.Analysis != nil || r.Spec.Git == nil || len(r.Spec.Strategy.Canary.Steps) != 1 {
		t.Errorf("the Rollout is %+v", r.Spec)
	}
}

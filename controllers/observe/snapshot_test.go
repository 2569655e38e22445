package observe

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers/attempt"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// reader reads these objects.
func reader(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	must(t, corev1.AddToScheme(scheme))
	must(t, v1alpha1.AddToScheme(scheme))
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

// sceneOf is a Rollout at a stage of an attempt that began with the snapshot of a digest.
func sceneOf(stage v1alpha1.Stage, digest string) *Scene {
	r := &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "rollout-uid"}}
	r.Spec.Services = []v1alpha1.ServiceReference{{Name: "live"}}
	r.Spec.Strategy.Canary = weighted(50)
	return &Scene{Rollout: r, Observed: plan.Observed{
		Namespace: "shop", Name: "web", Progress: v1alpha1.Progress{Stage: stage, SnapshotDigest: digest, CanaryService: "live-canary"},
	}}
}

// What the attempt's parameters say is believed only as far as the digest in the status goes: whoever may write
// ConfigMaps must not be able to rewrite the ladder of an attempt, or to stop its abort.
func TestSnapshot(t *testing.T) {
	started := Snapshot{}
	started.Spec.Services = []v1alpha1.ServiceReference{{Name: "started"}}
	started.Spec.Strategy.Canary = weighted(5, 25, 100)
	started.Spec.Git = &v1alpha1.Git{Repository: "platform"}
	text, digest, err := started.Encode()
	must(t, err)

	for name, tc := range map[string]struct {
		stage           v1alpha1.Stage
		stored, claimed string // empty stored: there is no ConfigMap
		service         string
		lost            bool
		digest          string
	}{
		"in flight":                       {v1alpha1.StageStepping, text, digest, "started", false, digest},
		"the claim alone is wrong":        {v1alpha1.StageStepping, text, "other", "started", false, "other"},
		"another ladder":                  {v1alpha1.StageStepping, strings.Replace(text, `"weight":5`, `"weight":100`, 1), digest, "live", true, ""},
		"no JSON":                         {v1alpha1.StageStepping, "{", digest, "live", true, ""},
		"JSON of another form":            {v1alpha1.StageStepping, `{"spec":[]}`, digest, "live", true, ""},
		"emptied":                         {v1alpha1.StageUnpinning, " ", digest, "live", true, ""},
		"a second spec before the first":  {v1alpha1.StageStepping, `{"spec":{"suspend":true,"services":[{"name":"x"}],"progressDeadline":"240h"},` + text[1:], digest, "started", false, digest},
		"gone":                            {v1alpha1.StageUnpinning, "", "", "live", true, ""},
		"gone while traffic goes back":    {v1alpha1.StageAborting, "", "", "live", true, ""},
		"not written yet":                 {v1alpha1.StagePinning, "", "", "live", false, ""},
		"changed before anything is made": {v1alpha1.StagePinning, "{", digest, "live", false, ""},
		"taken away at the end":           {v1alpha1.StageRetiring, "", "", "live", false, ""},
		"a left-over at rest":             {v1alpha1.StageResting, text, digest, "live", false, digest},
		"another Git does not matter":     {v1alpha1.StageStepping, strings.Replace(text, "platform", "other", 1), digest, "started", false, digest},
	} {
		t.Run(name, func(t *testing.T) {
			s := sceneOf(tc.stage, digest)
			c := reader(t)
			if tc.stored != "" {
				owner := *metav1.NewControllerRef(s.Rollout, v1alpha1.GroupVersion.WithKind("Rollout"))
				must(t, attempt.Ensure(t.Context(), c, "shop", owner, "web", attempt.Data{Snapshot: tc.stored, Digest: tc.claimed}))
			}

			must(t, (&Observer{Reader: c}).snapshot(t.Context(), s))

			if s.Config.Service != tc.service || s.Attempt.Lost != tc.lost || s.Attempt.Digest != tc.digest {
				t.Errorf("runs on %s, lost %t, digest %q; want %s, %t, %q", s.Config.Service, s.Attempt.Lost, s.Attempt.Digest, tc.service, tc.lost, tc.digest)
			}
			if s.Config.Progress != defaultProgress {
				t.Errorf("the progress deadline is %s, nobody set it", s.Config.Progress)
			}
		})
	}
}

// Suspending, and other ways to Git, are no edit.
func TestDigestNamesWhatAnAttemptRunsOn(t *testing.T) {
	base := Snapshot{}
	base.Spec.Strategy.Canary = weighted(5, 100)
	_, want, err := base.Encode()
	must(t, err)
	for name, tc := range map[string]struct {
		change func(*Snapshot)
		same   bool
	}{
		"nothing": {func(*Snapshot) {}, true},
		"suspend": {func(s *Snapshot) { s.Spec.Suspend = true }, true},
		"git":     {func(s *Snapshot) { s.Spec.Git = &v1alpha1.Git{Repository: "platform"} }, true},
		"a step":  {func(s *Snapshot) { s.Spec.Strategy.Canary = weighted(6, 100) }, false},
		"metrics": {func(s *Snapshot) { s.Metrics = []v1alpha1.Metric{{Name: "errors"}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			changed := base
			tc.change(&changed)
			_, got, err := changed.Encode()
			must(t, err)
			if (got == want) != tc.same {
				t.Errorf("the digest is %s, that of the base is %s; want the same: %t", got, want, tc.same)
			}
		})
	}
}

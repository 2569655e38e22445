package deployment

import (
	"context"
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/workloads"
)

func templateIn(template map[string]any) map[string]any {
	return templateOf(&unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": template}}})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantConflict(t *testing.T, err error) {
	t.Helper()
	if !apierrors.IsConflict(err) {
		t.Errorf("error is %v, not a conflict", err)
	}
}

func TestGovern(t *testing.T) {
	c := store(web("v1", func(d *appsv1.Deployment) { d.Labels = nil }))
	must(t, Deployment{}.Govern(t.Context(), c, target, []string{"a", "b"}))
	if state := observe(t, c); state.Governor != "web" || state.Ignored != "a,b" {
		t.Errorf("saw %+v", state)
	}
	none := target
	none.Rollout = ""
	must(t, Deployment{}.Govern(t.Context(), c, none, nil))
	if d := getDeployment(t, c); len(d.Labels)+len(d.Annotations) != 0 {
		t.Errorf("left behind: %v %v", d.Labels, d.Annotations)
	}
}

// A template that nobody judged is not started by letting go: what admission restores is written as true before the hold
// ends with the label.
func TestLettingGoOfAHeldWorkload(t *testing.T) {
	var patches []string
	c := fake.NewClientBuilder().WithScheme(clientgo.Scheme).WithObjects(web("v2", holding)).WithInterceptorFuncs(interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			text, err := p.Data(o)
			patches = append(patches, string(text))
			return errors.Join(err, c.Patch(ctx, o, p, options...))
		},
	}).Build()
	none := target
	none.Rollout = ""
	must(t, Deployment{}.Govern(t.Context(), c, none, nil))
	d := getDeployment(t, c)
	if d.Annotations["belay.dev/held"] == "" || !d.Spec.Paused || len(d.Labels) != 0 || len(d.Annotations) != 1 {
		t.Errorf("left as %v %v, paused %v", d.Labels, d.Annotations, d.Spec.Paused)
	}
	if len(patches) != 2 || !strings.Contains(patches[0], `"belay.dev/hold":"7.3/true"`) || !strings.Contains(patches[1], `"belay.dev/rollout":null`) {
		t.Errorf("wrote %v", patches)
	}

	// A round that read an older state does it again: what people read stays.
	must(t, Deployment{}.Govern(t.Context(), c, none, nil))
	if again := getDeployment(t, c); again.Annotations["belay.dev/held"] != d.Annotations["belay.dev/held"] || len(patches) != 2 {
		t.Errorf("left as %v, wrote %v", again.Annotations, patches)
	}
}

func TestRelease(t *testing.T) {
	c := store(web("v2", holding))
	wantConflict(t, Deployment{}.Release(t.Context(), c, target, "1", "7.9"))
	must(t, Deployment{}.Notice(t.Context(), c, target, "run this"))
	state := observe(t, c)
	if state.Notice != "run this" {
		t.Errorf("notice %q", state.Notice)
	}
	must(t, Deployment{}.Release(t.Context(), c, target, state.ResourceVersion, "7.9"))
	// Admission, which is not here, takes it away.
	if d := getDeployment(t, c); len(d.Annotations) != 1 || d.Annotations["belay.dev/hold"] != "7.9/-" {
		t.Errorf("left behind: %v", d.Annotations)
	}
	wantConflict(t, Deployment{}.Notice(t.Context(), c, target, "run this"))
}

func TestCanariesMake(t *testing.T) {
	c := store(web("v2", holding), replicaSet("a", "v1", 0, 3, byDeployment))
	want := observe(t, c).Candidate
	must(t, Deployment{}.Canaries(t.Context(), c, target, want, 1))
	state := observe(t, c)
	got := state.Candidate
	if got.Name != want.Name || got.Hash != want.Hash || !got.Ours || got.Owned || got.Replicas != 1 || !got.Current {
		t.Errorf("made %+v, wanted %+v", got, want)
	}
	rs := getReplicaSet(t, c, got.Name)
	selector := rs.Spec.Selector.MatchLabels
	if rs.Spec.MinReadySeconds != 2 || selector["app"] != "web" || selector[hashKey] != got.Hash || len(selector) != 2 {
		t.Errorf("made %+v", rs.Spec)
	}
	if labels := rs.Spec.Template.Labels; labels[hashKey] != got.Hash || labels["tier"] != "front" || rs.Labels["tier"] != "front" {
		t.Errorf("labels %v and %v", rs.Labels, labels)
	}
	if old := getReplicaSet(t, c, "web-a"); *old.Spec.Replicas != 3 || old.OwnerReferences[0].Kind != "Deployment" {
		t.Errorf("the stable one was touched: %+v", old)
	}
	// The same plan once more, from a state that knows nothing of it.
	if err := (Deployment{}).Canaries(t.Context(), c, target, want, 1); !apierrors.IsConflict(err) {
		t.Errorf("made twice: %v", err)
	}
	for _, size := range []int32{3, 0} {
		must(t, Deployment{}.Canaries(t.Context(), c, target, observe(t, c).Candidate, size))
		if got := observe(t, c).Candidate; got.Replicas != size {
			t.Errorf("size %d, not %d", got.Replicas, size)
		}
	}
}

func TestCanariesOfAnotherTemplate(t *testing.T) {
	c := store(web("v2", holding))
	of2 := observe(t, c).Candidate
	d := getDeployment(t, c)
	d.Spec.Template = template("v3")
	must(t, c.Update(t.Context(), d))
	wantConflict(t, Deployment{}.Canaries(t.Context(), c, target, of2, 1))
}

// A cache that has not seen the ReplicaSet yet makes the loop look again, no more.
func TestCanariesMadeBeforeTheyWereSeen(t *testing.T) {
	unseen := replicaSet("x", "v2", 0, 1, byRollout)
	unseen.Labels = nil
	c := store(web("v2", holding))
	candidate := observe(t, c).Candidate
	unseen.Name = candidate.Name
	must(t, c.Create(t.Context(), unseen))
	wantConflict(t, Deployment{}.Canaries(t.Context(), c, target, candidate, 1))
}

func TestCanariesTakeOver(t *testing.T) {
	c := store(web("v2", holding), replicaSet("s", "v1", 0, 3, byDeployment),
		replicaSet("a", "v2", 1, 0, byDeployment), replicaSet("b", "v2", 2, 0, byDeployment))
	revision := observe(t, c).Candidate
	must(t, Deployment{}.Canaries(t.Context(), c, target, revision, 2))
	rs := getReplicaSet(t, c, "web-a")
	if len(rs.OwnerReferences) != 1 || rs.OwnerReferences[0].UID != "rollout-uid" || *rs.Spec.Replicas != 2 || rs.Spec.MinReadySeconds != 2 {
		t.Errorf("took over %+v", rs)
	}
	if _, found := observe(t, c).Find("web-b"); found {
		t.Error("the younger double is still there")
	}
	wantConflict(t, Deployment{}.Canaries(t.Context(), c, target, revision, 3))
}

// The workload is scaled to zero and its template is the stable one again: that one is no double of the canary's.
func TestCanariesLeaveAnEmptyStableAlone(t *testing.T) {
	c := store(web("v1", holding), replicaSet("s", "v1", 0, 0, byDeployment), replicaSet("a", "v2", 1, 2, byRollout))
	canary, _ := observe(t, c).Find("web-a")
	must(t, Deployment{}.Canaries(t.Context(), c, target, canary, 0))
	if r, found := observe(t, c).Find("web-s"); !found || !r.Owned {
		t.Errorf("the stable one is %+v", r)
	}
}

func TestCanariesLeavePodsOfTheWorkloadAlone(t *testing.T) {
	c := store(web("v2"), replicaSet("a", "v2", 1, 3, byDeployment))
	wantConflict(t, Deployment{}.Canaries(t.Context(), c, target, observe(t, c).Candidate, 0))
	if rs := getReplicaSet(t, c, "web-a"); *rs.Spec.Replicas != 3 {
		t.Errorf("scaled to %d", *rs.Spec.Replicas)
	}
}

func TestAdopt(t *testing.T) {
	surge := intstr.FromString("25%")
	surging := func(d *appsv1.Deployment) {
		d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxSurge: &surge}
	}
	c := store(web("v2", holding, surging), replicaSet("s", "v1", 0, 3, byDeployment), replicaSet("old", "v2", 0, 0, byDeployment), replicaSet("a", "v2", 1, 3, byRollout))
	seen, _ := observe(t, c).Find("web-a")
	must(t, Deployment{}.Adopt(t.Context(), c, target, seen))
	state := observe(t, c)
	if r, _ := state.Find("web-a"); !r.Owned || r.Ours {
		t.Errorf("adopted as %+v", r)
	}
	if _, found := state.Find("web-old"); found {
		t.Error("an older equal one is left: the Deployment would prefer it")
	}
	if notes := getReplicaSet(t, c, "web-a").Annotations; notes[desiredKey] != "3" || notes[maxKey] != "4" {
		t.Errorf("annotations %v", notes)
	}
	must(t, Deployment{}.Adopt(t.Context(), c, target, seen))
}

// The cache still has the template of the canary; what is stored has moved on.
func TestAdoptLooksPastTheCache(t *testing.T) {
	cached := store(web("v2", holding), replicaSet("a", "v2", 1, 3, byRollout))
	live := store(web("v3", holding), replicaSet("a", "v2", 1, 3, byRollout))
	seen, _ := observe(t, cached).Find("web-a")
	wantConflict(t, Deployment{Live: live}.Adopt(t.Context(), cached, target, seen))
	must(t, Deployment{Live: cached}.Adopt(t.Context(), cached, target, seen))
}

func TestAdoptRefuses(t *testing.T) {
	unready := replicaSet("a", "v2", 1, 3, byRollout)
	unready.Status.AvailableReplicas = 2
	tests := map[string][]client.Object{
		"another template":      {replicaSet("a", "v1", 1, 3, byRollout)},
		"not all available":     {unready},
		"empty":                 {replicaSet("a", "v2", 1, 0, byRollout)},
		"gone":                  {},
		"somebody else's":       {replicaSet("a", "v2", 1, 3, metav1.OwnerReference{Kind: "X", Name: "x", UID: "x", Controller: &yes})},
		"an equal one has pods": {replicaSet("a", "v2", 1, 3, byRollout), replicaSet("b", "v2", 2, 1, byDeployment)},
	}
	for name, sets := range tests {
		t.Run(name, func(t *testing.T) {
			c := store(append(sets, web("v2", holding))...)
			before := observe(t, c).Revisions
			seen, _ := observe(t, c).Find("web-a")
			seen.Name = "web-a" // also the one that is gone
			wantConflict(t, Deployment{}.Adopt(t.Context(), c, target, seen))
			for i, r := range observe(t, c).Revisions {
				if r.ResourceVersion != before[i].ResourceVersion {
					t.Errorf("%s was written", r.Name)
				}
			}
		})
	}
}

// Whoever looked at the canary before its hand-over was called off cannot let the workload take it any more, and whoever
// calls it off learns of an adoption that came before.
func TestCallOff(t *testing.T) {
	fresh := func() client.Client {
		return store(web("v2", holding), replicaSet("s", "v1", 0, 3, byDeployment), replicaSet("a", "v2", 1, 3, byRollout))
	}
	c := fresh()
	seen, _ := observe(t, c).Find("web-a")
	must(t, Deployment{}.CallOff(t.Context(), c, target, seen, "7.5"))
	wantConflict(t, Deployment{}.Adopt(t.Context(), c, target, seen))
	wantConflict(t, Deployment{}.CallOff(t.Context(), c, target, seen, "7.6"))
	after, _ := observe(t, c).Find("web-a")
	if !after.Ours || after.CalledOff != "7.5" || after.Replicas != 3 {
		t.Errorf("called off as %+v", after)
	}
	// A later attempt of the same revision hands it over, and nothing of it is left for kubectl rollout undo to copy.
	must(t, Deployment{}.Adopt(t.Context(), c, target, after))
	if r, _ := observe(t, c).Find("web-a"); !r.Owned || r.CalledOff != "" {
		t.Errorf("adopted as %+v", r)
	}

	c = fresh()
	must(t, Deployment{}.Adopt(t.Context(), c, target, seen))
	wantConflict(t, Deployment{}.CallOff(t.Context(), c, target, seen, "7.5"))
	adopted, _ := observe(t, c).Find("web-a")
	wantConflict(t, Deployment{}.CallOff(t.Context(), c, target, adopted, "7.5"))
	wantConflict(t, Deployment{}.CallOff(t.Context(), c, target, workloads.Revision{Name: "web-a"}, "7.5"))
	if r, _ := observe(t, c).Find("web-a"); r.CalledOff != "" || r.ResourceVersion != adopted.ResourceVersion {
		t.Errorf("written is %+v", r)
	}
}

// What an earlier Rollout left is nothing to a new one.
func TestCalledOffIsForgottenByTheNextOwner(t *testing.T) {
	old := replicaSet("a", "v2", 1, 0, byDeployment)
	old.Annotations = map[string]string{"belay.dev/called-off": "7.5", "other": "stays"}
	c := store(web("v2", holding), replicaSet("s", "v1", 0, 3, byDeployment), old)
	must(t, Deployment{}.Canaries(t.Context(), c, target, observe(t, c).Candidate, 2))
	if notes := getReplicaSet(t, c, "web-a").Annotations; len(notes) != 1 || notes["other"] != "stays" {
		t.Errorf("taken over with %v", notes)
	}
}

func TestReturn(t *testing.T) {
	takenOver := replicaSet("a", "v2", 1, 0, byRollout)
	takenOver.Annotations = map[string]string{numberKey: "2", "belay.dev/called-off": "7.5"}
	c := store(web("v3", holding), takenOver, replicaSet("b", "v3", 2, 0, byRollout), replicaSet("c", "v4", 2, 1, byRollout))
	for _, name := range []string{"web-a", "web-b", "web-b"} {
		must(t, Deployment{}.Return(t.Context(), c, target, workloads.Revision{Name: name}))
	}
	wantConflict(t, Deployment{}.Return(t.Context(), c, target, workloads.Revision{Name: "web-c"}))
	state := observe(t, c)
	if r, _ := state.Find("web-a"); !r.Owned || r.CalledOff != "" {
		t.Errorf("not given back: %+v", r)
	}
	if _, found := state.Find("web-b"); found {
		t.Error("an empty one of our own making is left")
	}
}

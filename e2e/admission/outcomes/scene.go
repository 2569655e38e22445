package outcomes

import (
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/retry"
)

// A state is when a write of the matrix arrives.
type state string

const (
	atRest   state = "at rest"
	inFlight state = "in flight"
)

// The intents of an attempt under way.
const (
	hold  = "7.1/false"
	pin   = "7.1/pod-template-hash=abc12"
	split = "7.1/web/web-canary/5/100"
)

// scene is one governed object "web" in a namespace of its own, and the agent
// that keeps it as Git says.
type scene struct {
	t        *testing.T
	place    Place
	resource schema.GroupVersionResource
	// git is what the agent applies.
	git *unstructured.Unstructured
	// clientSide makes the agent apply as kubectl does without --server-side.
	clientSide bool
	// before and during are copies of the object as a client may have kept
	// them from before the attempt and from the middle of it.
	before, during *unstructured.Unstructured
}

// scene opens a namespace with these labels and nothing in it.
func (w World) scene(t *testing.T, manifest string, labels ...string) *scene {
	t.Helper()
	git := mustParse(t, manifest)
	return &scene{t: t, place: w(t, labels...), resource: ResourceOf(git), git: git}
}

// play brings the scene to the state: in flight the attempt is under way, at
// rest it was taken back as an abort and a revert in Git would.
func (s *scene) play(state state) {
	s.t.Helper()
	s.reapply()
	v1 := s.git
	switch s.resource {
	case deployments:
		s.must(s.intend(`{"metadata":{"labels":{"belay.dev/rollout":"web"}}}`))
		s.settle()
		s.before = s.get()
		s.git = v1.DeepCopy()
		setImage(s.git, "v2")
		s.reapply()
	default:
		s.before = s.get()
	}
	s.begin()
	s.during = s.get()
	if state == atRest {
		s.git = v1
		s.reapply()
		s.end()
	}
}

// begin writes the attempt's intent as the controller does.
func (s *scene) begin() {
	s.t.Helper()
	key, value := s.intent()
	s.must(s.intend(annotation(key, value)))
}

// end drops the intent, and nothing else, as the controller does.
func (s *scene) end() {
	s.t.Helper()
	key, _ := s.intent()
	s.must(s.intend(annotation(key, nil)))
}

func (s *scene) intent() (key, value string) {
	switch s.resource {
	case deployments:
		return "belay.dev/hold", hold
	case services:
		return "belay.dev/pin", pin
	default:
		return "belay.dev/split", split
	}
}

func annotation(key string, value any) string {
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// objects is the access of user to objects of the scene's kind.
func (s *scene) objects(user string) dynamic.ResourceInterface {
	return s.place.As(user).Resource(s.resource).Namespace(s.place.Namespace)
}

// intend is a write by the controller.
func (s *scene) intend(patch string) error {
	_, err := s.objects(ours).Patch(s.t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "belay"})
	return err
}

// patch is a write by a person.
func (s *scene) patch(kind types.PatchType, patch string) error {
	_, err := s.objects(person).Patch(s.t.Context(), "web", kind, []byte(patch), metav1.PatchOptions{FieldManager: "tool"})
	return err
}

// put replaces the object by a copy, as a client does that insists: with the
// resourceVersion of the moment.
func (s *scene) put(copied *unstructured.Unstructured) error {
	object := copied.DeepCopy()
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		object.SetResourceVersion(s.get().GetResourceVersion())
		_, err := s.objects(person).Update(s.t.Context(), object, metav1.UpdateOptions{FieldManager: "tool"})
		return err
	})
}

// apply is what the agent does all day; with dry it is how it looks for drift.
func (s *scene) apply(force, dry bool) (*unstructured.Unstructured, error) {
	options := metav1.ApplyOptions{FieldManager: agent, Force: force}
	if dry {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return s.objects(agent).Apply(s.t.Context(), "web", s.git, options)
}

func (s *scene) reapply() {
	s.t.Helper()
	if s.clientSide {
		s.must(s.applyClientSide())
		return
	}
	_, err := s.apply(false, false)
	s.must(err)
}

func (s *scene) get() *unstructured.Unstructured {
	s.t.Helper()
	object, err := s.objects(person).Get(s.t.Context(), "web", metav1.GetOptions{})
	s.must(err)
	return object
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// wants compares the stored form.
func (s *scene) wants(form string) {
	s.t.Helper()
	if got := formOf(s.get()); got != form {
		s.t.Errorf("the stored form is\n  %s\nnot\n  %s", got, form)
	}
}

// startsPodsOf tells the images of the ReplicaSets that the Deployment has,
// once its controller has seen the Deployment as it is now.
func (s *scene) startsPodsOf() string {
	s.t.Helper()
	s.settle()
	var images string
	list, err := s.place.As(person).Resource(replicaSets).Namespace(s.place.Namespace).List(s.t.Context(), metav1.ListOptions{})
	s.must(err)
	for i := range list.Items {
		if images != "" {
			images += " "
		}
		images += imageOf(&list.Items[i])
	}
	return images
}

// settle waits until the deployment controller has seen the Deployment as it is now.
func (s *scene) settle() {
	s.t.Helper()
	eventually(s.t, func() error {
		object := s.get()
		seen, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		if seen < object.GetGeneration() {
			return fmt.Errorf("the deployment controller has seen generation %d of %d", seen, object.GetGeneration())
		}
		return nil
	})
}

package outcomes

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const rolloutManifest = `
apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {kind: Deployment, name: web}
  services: [{name: web}]
  routes: [{kind: HTTPRoute, name: web}]
  strategy:
    canary:
      steps:
      - {weight: 50, bake: 1m}
      - {weight: 100, bake: 0s}
`

// The roles are the shipped ones: the built-in edit and admin, to which they
// are added; a reader, who may write annotations and nothing more; and one who
// may promote this one Rollout by name.
func verbs(t *testing.T, w World) {
	s := w.scene(t, rolloutManifest)
	s.reapply()
	s.bind("erin", "edit")
	s.bind("adam", "admin")
	s.grant("walt", []any{"get", "patch"}, nil)
	s.grant("pam", []any{"get", "patch", "promote"}, []any{"web"})
	s.grant("otto", []any{"get", "patch"}, nil)
	s.grant("otto-promotes-another", []any{"promote"}, []any{"another"})

	for _, row := range []struct {
		user, request string
		refused       string
	}{
		{"erin", "pause - t1", ""},
		{"erin", "resume - t2", ""},
		{"erin", "abort abc12 t3", ""},
		{"erin", "retry abc12 t4", ""},
		{"erin", "promote abc12 t5", `may not promote: that needs the verb "promote" on rollouts.belay.dev "web"`},
		{"erin", "promote-full abc12 t6", `may not promote-full: that needs the verb "promote"`},
		{"adam", "promote abc12 t7", ""},
		{"adam", "promote-full - t8", ""},
		{"adam", "abort - t9", ""},
		{"pam", "promote abc12 t10", ""},
		{"pam", "abort abc12 t11", `may not abort`},
		{"walt", "pause - t12", `may not pause`},
		{"walt", "resume - t13", `may not resume: that needs the verb "pause"`},
		{"walt", "retry - t14", `may not retry`},
		{"otto", "promote - t15", `may not promote`},
		{"adam", "approve abc12 t16", `must be "<verb> <revision> <token>"`},
		{"adam", "promote", `must be "<verb> <revision> <token>"`},
		{"adam", "promote abc12", `must be "<verb> <revision> <token>"`},
		{"adam", "promote ABC t17", `must be "<verb> <revision> <token>"`},
		{"adam", "promote abc12 t18 and more", `must be "<verb> <revision> <token>"`},
		{"adam", "", `must be "<verb> <revision> <token>"`},
		{"adam", strings.Repeat("promote ", 10000), `must be "<verb> <revision> <token>"`},
	} {
		t.Run(row.user+" "+row.request[:min(20, len(row.request))], func(t *testing.T) {
			before := s.get().GetAnnotations()
			err := s.request(row.user, row.request)
			after := s.get().GetAnnotations()
			switch {
			case row.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case row.refused == "" && (after["belay.dev/request"] != row.request || after["belay.dev/requested-by"] != row.user):
				t.Errorf("stored is %q by %q", after["belay.dev/request"], after["belay.dev/requested-by"])
			case row.refused != "" && (err == nil || !strings.Contains(err.Error(), row.refused)):
				t.Errorf("the answer is %v, not a refusal that says %q", err, row.refused)
			case row.refused != "" && after["belay.dev/request"] != before["belay.dev/request"]:
				t.Errorf("a refused request is stored: %q", after["belay.dev/request"])
			}
		})
	}
	t.Run("requested-by", func(t *testing.T) { requestedBy(t, s) })
	t.Run("on CREATE", func(t *testing.T) { requestOnCreate(t, s) })
	t.Run("bypass", func(t *testing.T) { bypass(t, s) })
}

// requestedBy: nobody can speak in another's name, and what is no new request needs no right.
func requestedBy(t *testing.T, s *scene) {
	wants := func(does, request, by string) {
		t.Helper()
		if got := s.get().GetAnnotations(); got["belay.dev/request"] != request || got["belay.dev/requested-by"] != by {
			t.Errorf("%s: stored is %q by %q", does, got["belay.dev/request"], got["belay.dev/requested-by"])
		}
	}
	s.must(s.request("adam", "promote abc12 u1"))
	s.must(s.request("walt", "promote abc12 u1"))
	wants("repeated by one without the right", "promote abc12 u1", "adam")
	s.must(s.merge("walt", annotation("belay.dev/requested-by", "walt")))
	wants("name forged", "promote abc12 u1", "adam")
	s.must(s.merge("walt", annotation("belay.dev/requested-by", nil)))
	wants("name removed", "promote abc12 u1", "adam")
	s.must(s.merge("adam", `{"metadata":{"annotations":{"belay.dev/request":"abort - u2","belay.dev/requested-by":"erin"}}}`))
	wants("made in another's name", "abort - u2", "adam")
	s.must(s.merge("walt", annotation("belay.dev/request", nil)))
	wants("taken back", "", "")
	s.must(s.merge("walt", annotation("belay.dev/requested-by", "adam")))
	wants("a name without a request", "", "")
}

func requestOnCreate(t *testing.T, s *scene) {
	object := mustParse(t, strings.Replace(rolloutManifest, "{name: web}", "{name: new, annotations: {belay.dev/request: promote - t1, belay.dev/requested-by: adam}}", 1))
	_, err := s.place.As("erin", "system:authenticated").Resource(rollouts).Namespace(s.place.Namespace).Create(t.Context(), object, metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("the answer is %v", err)
	}
	object.SetAnnotations(map[string]string{"belay.dev/request": "pause - t1", "belay.dev/requested-by": "adam"})
	stored, err := s.place.As("erin", "system:authenticated").Resource(rollouts).Namespace(s.place.Namespace).Create(t.Context(), object, metav1.CreateOptions{})
	s.must(err)
	if got := stored.GetAnnotations()["belay.dev/requested-by"]; got != "erin" {
		t.Errorf("requested by %q", got)
	}
}

// bypass: erin may edit Deployments, but only adam may let a change through unheld.
func bypass(t *testing.T, s *scene) {
	s.git, s.resource = mustParse(t, deploymentManifest("v1")), deployments
	s.reapply()
	const reason = `{"metadata":{"annotations":{"belay.dev/bypass":"outage 12"}}}`
	s.must(s.merge("erin", reason)) // not governed: anybody's annotation
	s.must(s.merge("erin", annotation("belay.dev/bypass", nil)))
	s.must(s.intend(label))
	if err := s.merge("erin", reason); err == nil || !strings.Contains(err.Error(), `user "erin" may not bypass: that needs the verb "bypass" on rollouts.belay.dev "web"`) {
		t.Errorf("the answer is %v", err)
	}
	drops := strings.Replace(reason, `{"metadata":{`, `{"metadata":{"labels":null,`, 1)
	if err := s.merge("erin", drops); err == nil {
		t.Error("dropping the label in the same write was a way around")
	}
	if err := s.statusAs("erin", reason); !apierrors.IsForbidden(err) {
		t.Errorf("by the status subresource the answer is %v", err)
	}
	s.wants("image v1; rollout web")
	s.must(s.merge("adam", reason))
	s.must(s.merge("erin", `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":1}}}}`))
	s.wants("image v1; rollout web; bypass outage 12; bypassed outage 12")
	s.must(s.merge("erin", annotation("belay.dev/bypass", nil))) // taking it away needs no right
}

func (s *scene) request(user, request string) error {
	return s.merge(user, annotation("belay.dev/request", request))
}

// merge is a merge patch by a user who has only the rights that were bound.
func (s *scene) merge(user, patch string) error {
	_, err := s.place.As(user, "system:authenticated").Resource(s.resource).Namespace(s.place.Namespace).
		Patch(s.t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

func (s *scene) statusAs(user, patch string) error {
	_, err := s.place.As(user, "system:authenticated").Resource(s.resource).Namespace(s.place.Namespace).
		Patch(s.t.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	return err
}

// bind gives a user a cluster role in the scene's namespace.
func (s *scene) bind(user, role string) {
	s.t.Helper()
	s.rbac("RoleBinding", user+"-"+role, map[string]any{
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}},
	})
}

// grant gives a user verbs on Rollouts, of these names or of all. What comes
// after a dash in the user's name only makes the role another one.
func (s *scene) grant(user string, verbs, names []any) {
	s.t.Helper()
	rule := map[string]any{"apiGroups": []any{"belay.dev"}, "resources": []any{"rollouts"}, "verbs": verbs}
	if names != nil {
		rule["resourceNames"] = names
	}
	s.rbac("Role", user, map[string]any{"rules": []any{rule}})
	subject, _, _ := strings.Cut(user, "-")
	s.rbac("RoleBinding", user, map[string]any{
		"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
		"subjects": []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": subject}},
	})
}

func (s *scene) rbac(kind, name string, content map[string]any) {
	s.t.Helper()
	object := &unstructured.Unstructured{Object: content}
	object.SetAPIVersion("rbac.authorization.k8s.io/v1")
	object.SetKind(kind)
	object.SetName(name)
	_, err := s.place.As(person).Resource(ResourceOf(object)).Namespace(s.place.Namespace).Create(s.t.Context(), object, metav1.CreateOptions{})
	s.must(err)
}

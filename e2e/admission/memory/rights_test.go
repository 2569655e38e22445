package memory

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/e2e/parts"
)

// rights are who may do what in the scene's namespace: what was bound there, of the shipped roles that join the built-in ones
// and of roles of the scene. They are asked by policies; the server in memory itself lets everybody write.
type rights struct {
	limited  map[string]bool // users who have only what was bound; all others may everything
	shipped  []rbacv1.ClusterRole
	roles    map[string][]rbacv1.PolicyRule
	bindings []rbacv1.RoleBinding
}

func newRights(t *testing.T) *rights {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "config/rbac/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no roles: %v", err)
	}
	r := &rights{limited: map[string]bool{}, roles: map[string][]rbacv1.PolicyRule{}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			var role rbacv1.ClusterRole
			if err := yaml.Unmarshal(document, &role); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if role.Kind == "ClusterRole" {
				r.shipped = append(r.shipped, role)
			}
		}
	}
	return r
}

func (r *rights) limit(user string) { r.limited[user] = true }

// add takes a Role or a RoleBinding.
func (r *rights) add(object *unstructured.Unstructured) error {
	if object.GetKind() == "Role" {
		var role rbacv1.Role
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role)
		r.roles[role.Name] = role.Rules
		return err
	}
	var binding rbacv1.RoleBinding
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &binding)
	r.bindings = append(r.bindings, binding)
	return err
}

// allow answers the policies.
func (r *rights) allow(asked authorizer.Attributes) bool {
	user := asked.GetUser().GetName()
	if !r.limited[user] {
		return true
	}
	for _, binding := range r.bindings {
		if asked.GetNamespace() != namespace || !slices.ContainsFunc(binding.Subjects, func(s rbacv1.Subject) bool { return s.Kind == "User" && s.Name == user }) {
			continue
		}
		if slices.ContainsFunc(r.of(binding.RoleRef), func(rule rbacv1.PolicyRule) bool { return permits(rule, asked) }) {
			return true
		}
	}
	return false
}

// of gives a role's rules. The built-in edit is part of the built-in admin.
func (r *rights) of(ref rbacv1.RoleRef) []rbacv1.PolicyRule {
	if ref.Kind == "Role" {
		return r.roles[ref.Name]
	}
	joins := map[string]bool{"rbac.authorization.k8s.io/aggregate-to-" + ref.Name: true}
	if ref.Name == "admin" {
		joins["rbac.authorization.k8s.io/aggregate-to-edit"] = true
	}
	var rules []rbacv1.PolicyRule
	for _, role := range r.shipped {
		for label := range maps.Keys(joins) {
			if role.Labels[label] == "true" {
				rules = append(rules, role.Rules...)
			}
		}
	}
	return rules
}

func permits(rule rbacv1.PolicyRule, asked authorizer.Attributes) bool {
	return slices.Contains(rule.Verbs, asked.GetVerb()) && slices.Contains(rule.APIGroups, asked.GetAPIGroup()) &&
		slices.Contains(rule.Resources, asked.GetResource()) && (len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, asked.GetName()))
}

package outcomes

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Rewritten is a label, and its value, of namespaces that have a webhook. It runs after the policies on CREATE and UPDATE of
// Deployments, Services and routes.
const Rewritten = "rewritten"

// Rewrite is the field that the webhook sets. It rewrites images, so an unchanged manifest looks changed to the policies.
// Services and routes only get a mark, so that policies are asked again there too.
func Rewrite(object *unstructured.Unstructured) (path []string, value any) {
	if object.GetKind() != "Deployment" {
		return []string{"metadata", "labels"}, map[string]any{"marked": "yes"}
	}
	copied := object.DeepCopy()
	setImage(copied, "mirror/"+strings.TrimPrefix(imageOf(object), "mirror/"))
	return []string{"spec", "template", "spec", "containers"}, containersOf(copied)
}

// applyEverySecond is the agent at work beside the webhook.
func (s *scene) applyEverySecond() error {
	for range 3 {
		if _, err := s.apply(false, false); err != nil {
			return err
		}
		if err := s.place.Pause(s.t.Context(), time.Second); err != nil {
			return err
		}
	}
	return nil
}

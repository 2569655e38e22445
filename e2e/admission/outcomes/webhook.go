package outcomes

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Rewritten is a label, and its value, of namespaces that have a webhook. It runs after the policies on CREATE and UPDATE of
// Deployments, Services and routes.
const Rewritten = "rewritten"

// Rewrite is the JSON patch that the webhook answers. It rewrites images, so an unchanged manifest looks changed to the
// policies. Services and routes only get a mark, so that policies are asked again there too.
func Rewrite(object *unstructured.Unstructured) string {
	if object.GetKind() != "Deployment" {
		return `[{"op":"add","path":"/metadata/labels","value":{"marked":"yes"}}]`
	}
	return fmt.Sprintf(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`,
		"mirror/"+strings.TrimPrefix(imageOf(object), "mirror/"))
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

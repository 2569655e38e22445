package admission

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// awaitPolicies returns when every policy has been seen at work. The API
// server loads policies once a second, and resources some time after them.
func (w world) awaitPolicies(ctx context.Context) error {
	const namespace = "probe"
	foreign, controller := w.as(person), w.as(ours)
	dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	create := func(manifest string, options metav1.CreateOptions) (string, error) {
		object, err := parse([]byte(manifest))
		if err != nil {
			return "", err
		}
		resource := resourceOf(object)
		if resource == namespaces {
			_, err = foreign.Resource(resource).Create(ctx, object, options)
			return "", err
		}
		stored, err := foreign.Resource(resource).Namespace(namespace).Create(ctx, object, options)
		if err != nil {
			return "", err
		}
		return formOf(stored), nil
	}
	annotate := func(object, annotation, value string) func() (string, error) {
		return func() (string, error) {
			resource := map[string]bool{"route": true}
			to := services
			if resource[object] {
				to = routes
			}
			patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, value)
			stored, err := controller.Resource(to).Namespace(namespace).
				Patch(ctx, object, types.MergePatchType, []byte(patch), metav1.PatchOptions{DryRun: dry.DryRun})
			if err != nil {
				return "", err
			}
			return formOf(stored), nil
		}
	}
	once := func(manifest string) func() (string, error) {
		done := false
		return func() (string, error) {
			if done {
				return "", nil
			}
			_, err := create(manifest, metav1.CreateOptions{})
			done = err == nil
			return "", err
		}
	}
	dryRun := func(manifest string) func() (string, error) {
		return func() (string, error) { return create(manifest, dry) }
	}
	for _, probe := range []struct {
		of   string
		act  func() (string, error)
		want string
	}{
		{"namespace", once("{apiVersion: v1, kind: Namespace, metadata: {name: probe}}"), ""},
		{"belay-hold", dryRun(named(deploymentManifest("v1"), "labels: {belay.dev/rollout: forged}")), "image v1"},
		{"belay-created-service", dryRun(named(serviceManifest, "annotations: {belay.dev/pin: 1.1/pod-template-hash=a}")), "app=web"},
		{"belay-created-route", dryRun(named(routeManifest, "annotations: {belay.dev/split: 1.1/web/web-canary/5/100}")), "web 90, other 10"},
		{"service", once("{apiVersion: v1, kind: Service, metadata: {name: service}, spec: {selector: {app: web}, ports: [{port: 80}]}}"), ""},
		{"route", once(strings.Replace(routeManifest, "name: web", "name: route", 1)), ""},
		{"belay-pin", annotate("service", "belay.dev/pin", "1.1/pod-template-hash=a"), "app=web, pod-template-hash=a; pin 1.1/pod-template-hash=a"},
		{"belay-split", annotate("route", "belay.dev/split", "1.1/web/web-canary/5/100"),
			"web 8550, web-canary 450, other 1000; split 1.1/web/web-canary/5/100"},
		{"attempt", once(attemptManifest("2.1/pod-template-hash=b", "2.1/web/web-canary/0/100")), ""},
		{"belay-pin-recreated", dryRun(serviceManifest), "app=web, pod-template-hash=b; pin 2.1/pod-template-hash=b"},
		{"belay-split-recreated", dryRun(routeManifest), "web 9000, web-canary 0, other 1000; split 2.1/web/web-canary/0/100"},
	} {
		if err := until(ctx, func() error {
			got, err := probe.act()
			if err != nil && (probe.want != "refused" || strings.Contains(err.Error(), "could not find")) {
				return fmt.Errorf("%s: %w", probe.of, err)
			}
			if err == nil && got != probe.want {
				return fmt.Errorf("%s: the form is %q, not %q", probe.of, got, probe.want)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// named adds a line of metadata to a manifest in flow style.
func named(manifest, line string) string {
	return strings.Replace(manifest, "metadata: {", "metadata: {"+line+", ", 1)
}

// attemptManifest is the ConfigMap of an attempt, which restores intents on CREATE.
func attemptManifest(pin, split string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: belay-web, labels: {belay.dev/attempt: "true"}}
data:
  pin: %q
  podLabels: "app=web,tier=front"
  split: %q
  routes: "elsewhere,web"
  template: "policies do not read this"
`, pin, split)
}

// set is a shorthand for the unstructured setters that return an error only
// when the path runs through something that is no map.
func set(object *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(object.Object, value, path...); err != nil {
		panic(err)
	}
}

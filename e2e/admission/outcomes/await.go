package outcomes

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// prober does in the namespace "probe" what shows that a policy is at work.
type prober struct {
	as func(user string, groups ...string) dynamic.Interface
}

type probe func(context.Context) (string, error)

var dryRun = []string{metav1.DryRunAll}

// creates is a foreign CREATE; its result is the form that would be stored.
func (p prober) creates(manifest string, dry []string) probe {
	return func(ctx context.Context) (string, error) {
		object, err := Parse([]byte(manifest))
		if err != nil {
			return "", err
		}
		to := p.as(person).Resource(ResourceOf(object))
		if object.GetKind() == "Namespace" {
			_, err = to.Create(ctx, object, metav1.CreateOptions{})
			return "", err
		}
		stored, err := to.Namespace("probe").Create(ctx, object, metav1.CreateOptions{DryRun: dry})
		if err != nil {
			return "", err
		}
		return formOf(stored), nil
	}
}

// intends is a write of the controller to the object "probe"; a refusal is a result too.
func (p prober) intends(resource schema.GroupVersionResource, key, value string, dry []string) probe {
	return func(ctx context.Context) (string, error) {
		stored, err := p.as(ours).Resource(resource).Namespace("probe").
			Patch(ctx, "probe", types.MergePatchType, []byte(annotation(key, value)), metav1.PatchOptions{DryRun: dry})
		if err != nil && strings.Contains(err.Error(), "denied request") {
			return "refused", nil
		}
		if err != nil {
			return "", err
		}
		return formOf(stored), nil
	}
}

// Await returns when policies of every file have been seen at work. The API server loads policies once a second, and
// resources some time after them.
func Await(ctx context.Context, as func(user string, groups ...string) dynamic.Interface) error {
	p := prober{as}
	service := strings.Replace(serviceManifest, "metadata: {name: web}", "metadata: {name: probe}", 1)
	route := strings.Replace(routeManifest, "metadata: {name: web}", "metadata: {name: probe}", 1)
	for _, probe := range []struct {
		of   string
		act  probe
		want string
	}{
		{"a namespace", p.creates("{apiVersion: v1, kind: Namespace, metadata: {name: probe}}", nil), ""},
		{"belay-hold", p.creates(named(deploymentManifest("v1"), "labels: {belay.dev/rollout: forged}"), dryRun), "image v1"},
		{"belay-created-service", p.creates(named(serviceManifest, "annotations: {belay.dev/pin: 1.1/pod-template-hash=a}"), dryRun), "app=web"},
		{"belay-created-route", p.creates(named(routeManifest, "annotations: {belay.dev/split: 1.1/web/web-canary/5/100}"), dryRun), whole},
		{"a Service", p.creates(service, nil), "app=web"},
		{"a route", p.creates(route, nil), whole},
		{"belay-pin", p.intends(services, "belay.dev/pin", "1.1/pod-template-hash=a", nil), "app=web, pod-template-hash=a; pin 1.1/pod-template-hash=a"},
		{"belay-split", p.intends(routes, "belay.dev/split", at5, dryRun), divided5},
		{"belay-fence", p.intends(services, "belay.dev/pin", "1.0/pod-template-hash=a", dryRun), "refused"},
		{"an attempt", p.creates(attemptManifest("2.1/pod-template-hash=b", "2.1/web/web-canary/0/100"), nil), ""},
		{"belay-pin-recreated", p.creates(serviceManifest, dryRun), "app=web, pod-template-hash=b; pin 2.1/pod-template-hash=b"},
		{"belay-requested-by", p.requests, person},
		{"belay-split-recreated", p.creates(routeManifest, dryRun), "web 9000, web-canary 0, other 1000; split 2.1/web/web-canary/0/100"},
	} {
		if err := until(ctx, func() error {
			got, err := probe.act(ctx)
			if err == nil && got != probe.want {
				err = fmt.Errorf("the form is %q, not %q", got, probe.want)
			}
			return err
		}); err != nil {
			return fmt.Errorf("%s: %w", probe.of, err)
		}
	}
	return nil
}

// requests is the creation of a Rollout with a request, in another's name; its result is the name beside it.
func (p prober) requests(ctx context.Context) (string, error) {
	object, err := Parse([]byte(named(rolloutManifest, "annotations: {belay.dev/requested-by: x, belay.dev/request: pause - t}")))
	if err != nil {
		return "", err
	}
	stored, err := p.as(person).Resource(rollouts).Namespace("probe").Create(ctx, object, metav1.CreateOptions{DryRun: dryRun})
	if err != nil {
		return "", err
	}
	return stored.GetAnnotations()["belay.dev/requested-by"], nil
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

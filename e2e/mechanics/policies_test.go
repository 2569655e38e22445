package mechanics

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	probeNamespace = "probe"

	forgedManifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: forged, labels: {belay.dev/rollout: forged}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:v1"}]}
`
	attemptManifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: belay-again, labels: {belay.dev/attempt: "true"}}
data: {pin: 1.5/pod-template-hash=a, podLabels: app=web, split: 1.5/web/web-canary/0/100, routes: again}
`
)

// awaitPolicies returns when every policy that the tests rely on has been seen at work: the API server loads policies and
// their resources some time after they are stored.
func (w *world) awaitPolicies(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: probeNamespace}}
	if err := w.person.Create(ctx, namespace); err != nil {
		return err
	}
	for _, manifest := range []string{serviceManifest, routeManifest, attemptManifest} {
		if err := until(ctx, func() error { return w.create(ctx, manifest) }); err != nil {
			return err
		}
	}
	again := func(manifest string) string { return strings.Replace(manifest, "{name: web}", "{name: again}", 1) }
	for _, probe := range []func() error{
		func() error { return w.created(ctx, forgedManifest, "belay.dev/rollout", false) },
		func() error { return w.created(ctx, again(serviceManifest), "pod-template-hash", true) },
		func() error { return w.created(ctx, again(routeManifest), "web-canary", true) },
		func() error {
			return w.written(ctx, serviceManifest, "belay.dev/pin", "1.5/pod-template-hash=a", "pod-template-hash:a")
		},
		func() error {
			return w.written(ctx, routeManifest, "belay.dev/split", "1.5/web/web-canary/5/100", "name:web-canary")
		},
		func() error { return w.fenced(ctx) },
	} {
		if err := until(ctx, probe); err != nil {
			return err
		}
	}
	return w.person.Delete(ctx, namespace)
}

func (w *world) create(ctx context.Context, manifest string) error {
	object, err := probeObject(manifest)
	if err != nil {
		return err
	}
	return w.person.Create(ctx, object)
}

func probeObject(manifest string) (*unstructured.Unstructured, error) {
	object, err := parse(manifest)
	object.SetNamespace(probeNamespace)
	return object, err
}

// created says whether what a person creates has the text, or has not.
func (w *world) created(ctx context.Context, manifest, text string, has bool) error {
	object, err := probeObject(manifest)
	if err != nil {
		return err
	}
	if err := w.person.Create(ctx, object, client.DryRunAll); err != nil {
		return err
	}
	object.SetManagedFields(nil)
	if strings.Contains(fmt.Sprint(object.Object), text) != has {
		return fmt.Errorf("%s is created as %v", object.GetKind(), object.Object)
	}
	return nil
}

// written says whether an intent has the effect.
func (w *world) written(ctx context.Context, manifest, annotation, intent, effect string) error {
	object, err := w.annotate(ctx, manifest, annotation, intent)
	if err == nil && !strings.Contains(fmt.Sprint(object.Object["spec"]), effect) {
		err = fmt.Errorf("%s is written as %v", object.GetKind(), object.Object["spec"])
	}
	return err
}

// fenced says whether an older plan is refused.
func (w *world) fenced(ctx context.Context) error {
	_, err := w.annotate(ctx, serviceManifest, "belay.dev/pin", "1.4/pod-template-hash=a", client.DryRunAll)
	if err == nil {
		return errors.New("an older plan is not refused")
	}
	return nil
}

func (w *world) annotate(ctx context.Context, manifest, annotation, value string, options ...client.PatchOption) (*unstructured.Unstructured, error) {
	object, err := probeObject(manifest)
	if err != nil {
		return nil, err
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, value)
	return object, w.ours.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)), options...)
}

package agent

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// target is the cluster that the agent writes to.
type target struct {
	client         dynamic.Interface
	mapper         *restmapper.DeferredDiscoveryRESTMapper
	namespace      string
	force          bool
	sourceRevision bool
}

func newTarget(o Options) (*target, error) {
	client, err := dynamic.NewForConfig(o.Config)
	if err != nil {
		return nil, err
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(o.Config)
	if err != nil {
		return nil, err
	}
	return &target{
		client:         client,
		mapper:         restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds)),
		namespace:      o.Namespace,
		force:          o.Force,
		sourceRevision: o.SourceRevision,
	}, nil
}

// apply applies every document, also when one of them fails.
func (t *target) apply(ctx context.Context, s *source) error {
	failures := []error{s.broken}
	for _, d := range s.documents {
		if _, err := t.applyOne(ctx, t.prepare(d.object, s.revision), false); err != nil {
			failures = append(failures, fmt.Errorf("%s: %s: %w", d.file, name(d.object), err))
		}
	}
	return errors.Join(failures...)
}

// prepare is the object as it is sent; what was read from Git stays as it is.
func (t *target) prepare(object *unstructured.Unstructured, revision string) *unstructured.Unstructured {
	object = object.DeepCopy()
	if t.sourceRevision && object.GetKind() == "Deployment" {
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[v1alpha1.AnnotationSourceRevision] = revision
		object.SetAnnotations(annotations)
	}
	return object
}

func (t *target) applyOne(ctx context.Context, object *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	resource, err := t.resource(object)
	if err != nil {
		return nil, err
	}
	options := metav1.ApplyOptions{FieldManager: FieldManager, Force: t.force}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return resource.Apply(ctx, object.GetName(), object, options)
}

// resource finds where an object of this kind lives and gives it the default namespace. A kind that is not known is looked
// up again every time: its definition may come with the same commit.
func (t *target) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := t.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		t.mapper.Reset()
		mapping, err = t.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return t.client.Resource(mapping.Resource), nil
	}
	if object.GetNamespace() == "" {
		object.SetNamespace(t.namespace)
	}
	return t.client.Resource(mapping.Resource).Namespace(object.GetNamespace()), nil
}

func (t *target) diff(ctx context.Context, s *source) ([]string, error) {
	var lines []string
	for _, d := range s.documents {
		changes, err := t.diffOne(ctx, t.prepare(d.object, s.revision))
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", d.file, name(d.object), err)
		}
		lines = append(lines, changes...)
	}
	return lines, s.broken
}

// diffOne begins again when somebody wrote in between: two versions would be compared that have nothing to do with Git.
func (t *target) diffOne(ctx context.Context, object *unstructured.Unstructured) ([]string, error) {
	resource, err := t.resource(object)
	if err != nil {
		return nil, err
	}
	for {
		live, err := resource.Get(ctx, object.GetName(), metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return []string{name(object) + " is not there"}, nil
		}
		if err != nil {
			return nil, err
		}
		applied, err := t.applyOne(ctx, object, true)
		if err != nil {
			return nil, err
		}
		after, err := resource.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		if after.GetResourceVersion() != live.GetResourceVersion() {
			continue
		}
		var lines []string
		for _, change := range compare(comparable(live), comparable(applied)) {
			lines = append(lines, name(object)+" "+change)
		}
		return lines, nil
	}
}

// comparable is an object without what a dry run changes in any case and what Git does not say.
func comparable(object *unstructured.Unstructured) map[string]any {
	object = object.DeepCopy()
	object.SetManagedFields(nil)
	object.SetResourceVersion("")
	unstructured.RemoveNestedField(object.Object, "status")
	return object.Object
}

func name(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetKind() + " " + object.GetName()
	}
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

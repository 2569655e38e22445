package server

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/applyconfigurations"
)

// builtin is the form of a kind with a Go type.
type builtin struct {
	scheme  *runtime.Scheme
	gvk     schema.GroupVersionKind
	example runtime.Object
	builtinRules
}

// builtinRules are what a built-in kind adds to its type. Each may be nil.
type builtinRules struct {
	// defaults fills in what was not said.
	defaults func(runtime.Object)
	// created sets what no client may when an object is created.
	created func(content)
	// counts says that a change is another generation. Nil: the kind has no generations.
	counts func(next, old content) bool
	// fixed is what a write to the status leaves alone, besides the spec.
	fixed func(next, old content)
	// check finds what is wrong; old is nil when the object is created.
	check func(next, old runtime.Object) field.ErrorList
}

func (b *builtin) read(sent content, strict bool) (content, error) {
	object, err := b.scheme.New(b.gvk)
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(sent, object, strict); err != nil {
		return nil, b.unreadable(sent, err)
	}
	if b.defaults != nil {
		b.defaults(object)
	}
	known, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	known["apiVersion"], known["kind"] = b.gvk.GroupVersion().String(), b.gvk.Kind
	if metadata(known) == nil {
		known["metadata"] = content{}
	}
	return known, nil
}

// unreadable says what does not fit the type, in the words of the decoder of JSON.
func (b *builtin) unreadable(sent content, err error) error {
	if runtime.IsStrictDecodingError(err) {
		return &unreadable{gvk: b.gvk, why: err, raw: err}
	}
	why := err
	raw, jsonErr := json.Marshal(sent)
	object, newErr := b.scheme.New(b.gvk)
	if jsonErr == nil && newErr == nil {
		if decodeErr := utiljson.Unmarshal(raw, object); decodeErr != nil {
			why = decodeErr
		}
	}
	return &unreadable{gvk: b.gvk, why: why, raw: err}
}

func (b *builtin) create(object content) {
	if b.counts != nil {
		metadata(object)["generation"] = int64(1)
	}
	if b.created != nil {
		b.created(object)
	}
}

func (b *builtin) update(next, old content, subresource string) {
	if subresource == statusSubresource {
		keep(next, old, "spec")
		if b.fixed != nil {
			b.fixed(next, old)
		}
		return
	}
	keep(next, old, "status")
	if b.counts != nil && b.counts(next, old) {
		metadata(next)["generation"] = number(metadata(old), "generation") + 1
	}
}

func (b *builtin) validate(next, old content, subresource string) field.ErrorList {
	if b.check == nil || subresource == statusSubresource {
		return nil
	}
	if old != nil && equalButMetadata(next, old) {
		return nil
	}
	object, err := b.typed(next)
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	if old == nil {
		return b.check(object, nil)
	}
	before, err := b.typed(old)
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	return b.check(object, before)
}

func (b *builtin) typed(c content) (runtime.Object, error) {
	object, err := b.scheme.New(b.gvk)
	if err != nil {
		return nil, err
	}
	return object, runtime.DefaultUnstructuredConverter.FromUnstructured(c, object)
}

func (b *builtin) patchable() any { return b.example }

// builtinKinds are the kinds of Kubernetes that the product and its neighbours use.
func builtinKinds(scheme *runtime.Scheme) ([]*kind, error) {
	var kinds []*kind
	types := applyconfigurations.NewTypeConverter(scheme)
	for _, k := range []struct {
		kind
		resets []string // by a write to the status, besides the spec
		builtinRules
	}{
		{kind{gvk: gvkOf("apps", "v1", "Deployment"), hasStatus: true}, []string{"metadata.labels"}, builtinRules{defaults: defaultDeployment, created: emptyStatus, counts: deploymentCounts, fixed: fixedLabels, check: checkDeployment}},
		{kind{gvk: gvkOf("apps", "v1", "ReplicaSet"), hasStatus: true}, nil, builtinRules{defaults: defaultReplicaSet, created: emptyReplicas, counts: specCounts, check: checkReplicaSet}},
		{kind{gvk: gvkOf("", "v1", "Pod"), hasStatus: true, graceful: true}, []string{"metadata.deletionTimestamp", "metadata.ownerReferences"}, builtinRules{defaults: defaultPod, created: pendingPod, counts: specCounts, fixed: fixedOwners, check: checkPod}},
		{kind{gvk: gvkOf("", "v1", "Service"), hasStatus: true, names: validation.NameIsDNSLabel, allocate: allocateAddress}, nil, builtinRules{defaults: defaultService, created: noLoadBalancer, check: checkService}},
		{kind{gvk: gvkOf("discovery.k8s.io", "v1", "EndpointSlice")}, nil, builtinRules{defaults: defaultEndpointSlice, counts: endpointsCount, check: checkEndpointSlice}},
		{kind{gvk: gvkOf("", "v1", "ConfigMap")}, nil, builtinRules{check: checkConfigMap}},
		{kind{gvk: gvkOf("", "v1", "Secret")}, nil, builtinRules{defaults: defaultSecret}},
		{kind{gvk: gvkOf("", "v1", "Event"), names: anyName}, nil, builtinRules{}},
		{kind{gvk: gvkOf("", "v1", "Namespace"), hasStatus: true, names: validation.ValidateNamespaceName}, nil, builtinRules{defaults: defaultNamespace, created: activeNamespace}},
	} {
		example, err := scheme.New(k.gvk)
		if err != nil {
			return nil, fmt.Errorf("the scheme must know the built-in kinds (k8s.io/client-go/kubernetes/scheme has them): %w", err)
		}
		made := k.kind
		made.resource = gvrOf(k.gvk.Group, k.gvk.Version, plural(k.gvk.Kind))
		made.namespaced = k.gvk.Kind != "Namespace"
		made.unconditional = true
		made.form = &builtin{scheme: scheme, gvk: k.gvk, example: example, builtinRules: k.builtinRules}
		resets := map[string][]string{"": nil}
		if made.hasStatus {
			resets = map[string][]string{"": {"status"}, statusSubresource: append([]string{"spec"}, k.resets...)}
		}
		if made.zero, err = runtime.DefaultUnstructuredConverter.ToUnstructured(example); err != nil {
			return nil, err
		}
		if err := made.own(types, resets); err != nil {
			return nil, err
		}
		kinds = append(kinds, &made)
	}
	return kinds, nil
}

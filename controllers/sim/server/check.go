package server

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What the server refuses of built-in kinds: not all that kube-apiserver does, but what the product or its users get wrong.

func checkDeployment(next, old runtime.Object) field.ErrorList {
	spec := &next.(*appsv1.Deployment).Spec
	var before *metav1.LabelSelector
	if old != nil {
		before = old.(*appsv1.Deployment).Spec.Selector
	}
	errs := checkTemplate(spec.Selector, before, &spec.Template, "deployment")
	at := field.NewPath("spec")
	if spec.Replicas != nil {
		errs = append(errs, apivalidation.ValidateNonnegativeField(int64(*spec.Replicas), at.Child("replicas"))...)
	}
	errs = append(errs, apivalidation.ValidateNonnegativeField(int64(spec.MinReadySeconds), at.Child("minReadySeconds"))...)
	if deadline := spec.ProgressDeadlineSeconds; deadline != nil && *deadline <= spec.MinReadySeconds {
		errs = append(errs, field.Invalid(at.Child("progressDeadlineSeconds"), *deadline, "must be greater than minReadySeconds"))
	}
	return errs
}

func checkReplicaSet(next, old runtime.Object) field.ErrorList {
	spec := &next.(*appsv1.ReplicaSet).Spec
	var before *metav1.LabelSelector
	if old != nil {
		before = old.(*appsv1.ReplicaSet).Spec.Selector
	}
	errs := checkTemplate(spec.Selector, before, &spec.Template, "deployment")
	if spec.Replicas != nil {
		errs = append(errs, apivalidation.ValidateNonnegativeField(int64(*spec.Replicas), field.NewPath("spec", "replicas"))...)
	}
	return errs
}

// checkTemplate holds a template against the selector of whoever makes pods of it.
func checkTemplate(selector, before *metav1.LabelSelector, template *corev1.PodTemplateSpec, whose string) field.ErrorList {
	at := field.NewPath("spec")
	var errs field.ErrorList
	switch {
	case selector == nil:
		errs = append(errs, field.Required(at.Child("selector"), ""))
	case len(selector.MatchLabels)+len(selector.MatchExpressions) == 0:
		errs = append(errs, field.Invalid(at.Child("selector"), selector, "empty selector is invalid for "+whose))
	}
	matching, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return append(errs, field.Invalid(at.Child("selector"), selector, "invalid label selector"))
	}
	if selector == nil || !matching.Empty() {
		if !matching.Matches(labels.Set(template.Labels)) {
			errs = append(errs, field.Invalid(at.Child("template", "metadata", "labels"), template.Labels, "`selector` does not match template `labels`"))
		}
	}
	if before != nil && !equality.Semantic.DeepEqual(before, selector) {
		errs = append(errs, field.Invalid(at.Child("selector"), selector, apivalidation.FieldImmutableErrorMsg))
	}
	errs = append(errs, checkContainers(template.Spec.Containers, at.Child("template", "spec", "containers"))...)
	if policy := template.Spec.RestartPolicy; policy != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(at.Child("template", "spec", "restartPolicy"), policy, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	return errs
}

func checkContainers(containers []corev1.Container, at *field.Path) field.ErrorList {
	if len(containers) == 0 {
		return field.ErrorList{field.Required(at, "")}
	}
	var errs field.ErrorList
	names := map[string]bool{}
	for i := range containers {
		c, at := &containers[i], at.Index(i)
		switch {
		case c.Name == "":
			errs = append(errs, field.Required(at.Child("name"), ""))
		case names[c.Name]:
			errs = append(errs, field.Duplicate(at.Child("name"), c.Name))
		}
		names[c.Name] = true
		if c.Image == "" {
			errs = append(errs, field.Required(at.Child("image"), ""))
		}
	}
	return errs
}

// checkPod: of a pod that is there, images may change and little else.
func checkPod(next, old runtime.Object) field.ErrorList {
	pod := next.(*corev1.Pod)
	errs := checkContainers(pod.Spec.Containers, field.NewPath("spec", "containers"))
	if old == nil {
		return errs
	}
	was, is := old.(*corev1.Pod).Spec.DeepCopy(), pod.Spec.DeepCopy()
	is.ActiveDeadlineSeconds, is.Tolerations = was.ActiveDeadlineSeconds, was.Tolerations
	for i := range is.Containers {
		if i < len(was.Containers) {
			is.Containers[i].Image = was.Containers[i].Image
		}
	}
	if !equality.Semantic.DeepEqual(is, was) {
		errs = append(errs, field.Forbidden(field.NewPath("spec"), "pod updates may not change fields other than `spec.containers[*].image`"))
	}
	return errs
}

func checkService(next, old runtime.Object) field.ErrorList {
	spec := &next.(*corev1.Service).Spec
	at := field.NewPath("spec")
	var errs field.ErrorList
	if len(spec.Ports) == 0 && spec.ClusterIP != corev1.ClusterIPNone && spec.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(at.Child("ports"), ""))
	}
	errs = append(errs, checkPorts(spec.Ports, at.Child("ports"))...)
	if old == nil {
		return errs
	}
	before := &old.(*corev1.Service).Spec
	if before.Type != corev1.ServiceTypeExternalName && spec.Type != corev1.ServiceTypeExternalName && before.ClusterIP != "" && spec.ClusterIP != before.ClusterIP {
		errs = append(errs, field.Invalid(at.Child("clusterIPs").Index(0), []string{spec.ClusterIP}, "may not change once set"))
	}
	return errs
}

// samePort is how the real server tells of a port that is there twice.
type samePort struct {
	Name        string
	Protocol    corev1.Protocol
	AppProtocol *string
	Port        int32
	TargetPort  int32
	NodePort    int32
}

func checkPorts(ports []corev1.ServicePort, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	names, numbers := map[string]bool{}, map[string]bool{}
	for i, p := range ports {
		at := at.Index(i)
		switch {
		case p.Name == "" && len(ports) > 1:
			errs = append(errs, field.Required(at.Child("name"), ""))
		case p.Name != "" && names[p.Name]:
			errs = append(errs, field.Duplicate(at.Child("name"), p.Name))
		}
		names[p.Name] = true
		for _, why := range validation.IsValidPortNum(int(p.Port)) {
			errs = append(errs, field.Invalid(at.Child("port"), p.Port, why))
		}
		if p.TargetPort.Type == intstr.Int {
			for _, why := range validation.IsValidPortNum(p.TargetPort.IntValue()) {
				errs = append(errs, field.Invalid(at.Child("targetPort"), p.TargetPort, why))
			}
		}
		number := fmt.Sprint(p.Protocol, p.Port)
		if numbers[number] {
			errs = append(errs, field.Duplicate(at, samePort{Protocol: p.Protocol, Port: p.Port}))
		}
		numbers[number] = true
	}
	return errs
}

func checkEndpointSlice(next, old runtime.Object) field.ErrorList {
	if old == nil {
		return nil
	}
	return apivalidation.ValidateImmutableField(next.(*discoveryv1.EndpointSlice).AddressType, old.(*discoveryv1.EndpointSlice).AddressType, field.NewPath("addressType"))
}

func checkConfigMap(next, old runtime.Object) field.ErrorList {
	m := next.(*corev1.ConfigMap)
	var errs field.ErrorList
	for key := range m.Data {
		for _, why := range validation.IsConfigMapKey(key) {
			errs = append(errs, field.Invalid(field.NewPath("data").Key(key), key, why))
		}
	}
	if old == nil {
		return errs
	}
	before := old.(*corev1.ConfigMap)
	if before.Immutable == nil || !*before.Immutable {
		return errs
	}
	if m.Immutable == nil || !*m.Immutable {
		errs = append(errs, field.Forbidden(field.NewPath("immutable"), "field is immutable when `immutable` is set"))
	}
	if !equality.Semantic.DeepEqual(m.Data, before.Data) {
		errs = append(errs, field.Forbidden(field.NewPath("data"), "field is immutable when `immutable` is set"))
	}
	return errs
}

package delivery

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Declare puts the application's files into a commit. They say what people write: defaults are the server's.
func (a Application) Declare(files Files) {
	files[a.Folder()+"/deployment.yaml"] = Manifest(a.deployment())
	services := []*unstructured.Unstructured{a.service(a.Name)}
	for _, name := range a.BesideNames() {
		services = append(services, a.service(name))
	}
	if a.Other > 0 {
		services = append(services, a.other())
	}
	files[a.Folder()+"/service.yaml"] = Manifest(services...)
	var routes []*unstructured.Unstructured
	for _, name := range a.RouteNames() {
		routes = append(routes, a.route(name))
	}
	files[a.Folder()+"/route.yaml"] = Manifest(routes...)
	if !a.Unguarded {
		files[a.Folder()+"/rollout.yaml"] = Manifest(a.rollout())
	}
}

func (a Application) labels() map[string]string { return map[string]string{"app": a.Name} }

func (a Application) deployment() *unstructured.Unstructured {
	replicas := a.Replicas
	if replicas == 0 {
		replicas = 3
	}
	var env []corev1.EnvVar
	for _, pair := range a.Env {
		name, value, _ := strings.Cut(pair, "=")
		env = append(env, corev1.EnvVar{Name: name, Value: value})
	}
	return declared(appsv1.SchemeGroupVersion.WithKind("Deployment"), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: a.Name, Labels: a.labels()},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(int32(replicas)), MinReadySeconds: int32(a.MinReady),
			Selector: &metav1.LabelSelector{MatchLabels: a.labels()},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: a.labels()},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "web", Image: a.Image(a.Version), Env: env,
					Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
					ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}}},
				}}},
			},
		},
	})
}

func (a Application) service(name string) *unstructured.Unstructured {
	return a.serviceOf(name, a.labels())
}

// other is somebody else's Service: none of its pods are simulated.
func (a Application) other() *unstructured.Unstructured {
	return a.serviceOf(a.OtherName(), map[string]string{"app": a.OtherName()})
}

func (a Application) serviceOf(name string, selector map[string]string) *unstructured.Unstructured {
	return declared(corev1.SchemeGroupVersion.WithKind("Service"), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Selector: selector,
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}},
		},
	})
}

func (a Application) route(name string) *unstructured.Unstructured {
	rules := make([]gatewayv1.HTTPRouteRule, max(a.Rules, 1))
	for i := range rules {
		rules[i] = a.rule(i)
	}
	return declared(schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: "HTTPRoute"}, &gatewayv1.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: name},
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: "public", Namespace: ptr.To(gatewayv1.Namespace("gateways"))}}},
			Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(name + ".example.com")},
			Rules:           rules,
		},
	})
}

func (a Application) rule(i int) gatewayv1.HTTPRouteRule {
	prefix := "/"
	if i > 0 {
		prefix = fmt.Sprintf("/%d", i)
	}
	rule := gatewayv1.HTTPRouteRule{
		Matches:     []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: ptr.To(gatewayv1.PathMatchPathPrefix), Value: &prefix}}},
		BackendRefs: []gatewayv1.HTTPBackendRef{backend(a.Name, a.Weight)},
	}
	if a.Filter {
		rule.BackendRefs[0].Filters = []gatewayv1.HTTPRouteFilter{{
			Type:                  gatewayv1.HTTPRouteFilterRequestHeaderModifier,
			RequestHeaderModifier: &gatewayv1.HTTPHeaderFilter{Set: []gatewayv1.HTTPHeader{{Name: "x-shop", Value: a.Name}}},
		}}
	}
	if a.Other > 0 {
		rule.BackendRefs = append(rule.BackendRefs, backend(a.OtherName(), a.Other))
	}
	if a.Timeout > 0 {
		rule.Timeouts = &gatewayv1.HTTPRouteTimeouts{Request: ptr.To(gatewayv1.Duration(timeout(a.Timeout)))}
	}
	return rule
}

func backend(name string, weight int) gatewayv1.HTTPBackendRef {
	var ref gatewayv1.HTTPBackendRef
	ref.Name = gatewayv1.ObjectName(name)
	ref.Port = ptr.To(gatewayv1.PortNumber(80))
	if weight > 0 {
		ref.Weight = ptr.To(int32(weight))
	}
	return ref
}

func (a Application) rollout() *unstructured.Unstructured {
	spec := v1alpha1.RolloutSpec{
		WorkloadRef:      v1alpha1.WorkloadReference{Kind: "Deployment", Name: a.Name},
		Services:         []v1alpha1.ServiceReference{{Name: a.Name}},
		Strategy:         v1alpha1.Strategy{Canary: &v1alpha1.Canary{Steps: a.Ladder, Settle: orElse(a.Settle, time.Second)}},
		ProgressDeadline: orElse(a.Deadline, 2*time.Minute),
		Analysis:         a.Analysis,
	}
	for _, name := range a.RouteNames() {
		spec.Routes = append(spec.Routes, v1alpha1.RouteReference{Kind: "HTTPRoute", Name: name})
	}
	if len(a.Ladder) == 0 {
		spec.Strategy.Canary.Steps = []v1alpha1.Step{Step(10, 10*time.Second), Step(50, 10*time.Second), Step(100, 10*time.Second)}
	}
	if spec.Analysis == nil && !a.Unmeasured {
		spec.Analysis = Measured(2 * time.Second)
	}
	if a.Repository != "" {
		branch := a.Branch
		if branch == "" {
			branch = "main"
		}
		spec.Git = &v1alpha1.Git{Repository: a.Repository, Branch: branch, Path: a.Folder()}
		if a.MaxAge > 0 {
			spec.Git.MaxAge = duration(a.MaxAge)
		}
	}
	return declared(v1alpha1.GroupVersion.WithKind("Rollout"), &v1alpha1.Rollout{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.Namespace, Name: a.Name}, Spec: spec,
	})
}

// declared is an object as a manifest says it.
func declared(kind schema.GroupVersionKind, o client.Object) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		panic(err) // a type of ours
	}
	delete(content, "status")
	u := &unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(kind)
	for _, path := range [][]string{{"metadata", "creationTimestamp"}, {"spec", "template", "metadata", "creationTimestamp"}} {
		unstructured.RemoveNestedField(content, path...)
	}
	prune(content)
	return u
}

// prune removes what is empty: Go writes it, people do not.
func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			prune(item)
			if m, is := item.(map[string]any); item == nil || is && len(m) == 0 {
				delete(v, key)
			}
		}
	case []any:
		for _, item := range v {
			prune(item)
		}
	}
}

// timeout as the Gateway API writes it: without fractions.
func timeout(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }

func duration(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

func orElse(d, otherwise time.Duration) *metav1.Duration {
	if d == 0 {
		d = otherwise
	}
	return duration(d)
}

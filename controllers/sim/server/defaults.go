package server

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// fallback sets a field that nobody set.
func fallback[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func fallbackTo[T any](field **T, value T) {
	if *field == nil {
		*field = ptr.To(value)
	}
}

func defaultDeployment(o runtime.Object) {
	spec := &o.(*appsv1.Deployment).Spec
	fallbackTo(&spec.Replicas, 1)
	fallbackTo(&spec.RevisionHistoryLimit, 10)
	fallbackTo(&spec.ProgressDeadlineSeconds, 600)
	fallback(&spec.Strategy.Type, appsv1.RollingUpdateDeploymentStrategyType)
	if spec.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType {
		fallbackTo(&spec.Strategy.RollingUpdate, appsv1.RollingUpdateDeployment{})
		fallbackTo(&spec.Strategy.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
		fallbackTo(&spec.Strategy.RollingUpdate.MaxSurge, intstr.FromString("25%"))
	}
	defaultPodSpec(&spec.Template.Spec)
}

func defaultReplicaSet(o runtime.Object) {
	spec := &o.(*appsv1.ReplicaSet).Spec
	fallbackTo(&spec.Replicas, 1)
	defaultPodSpec(&spec.Template.Spec)
}

// defaultPod gives a pod more than its template says.
func defaultPod(o runtime.Object) {
	spec := &o.(*corev1.Pod).Spec
	fallbackTo(&spec.EnableServiceLinks, true)
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			requestLimits(&containers[i].Resources)
		}
	}
	defaultPodSpec(spec)
}

// requestLimits: what is limited and not requested is requested to its limit.
func requestLimits(r *corev1.ResourceRequirements) {
	for name, limit := range r.Limits {
		if _, is := r.Requests[name]; is {
			continue
		}
		if r.Requests == nil {
			r.Requests = corev1.ResourceList{}
		}
		r.Requests[name] = limit.DeepCopy()
	}
}

func defaultPodSpec(spec *corev1.PodSpec) {
	fallback(&spec.DNSPolicy, corev1.DNSClusterFirst)
	fallback(&spec.RestartPolicy, corev1.RestartPolicyAlways)
	fallback(&spec.SchedulerName, corev1.DefaultSchedulerName)
	fallbackTo(&spec.SecurityContext, corev1.PodSecurityContext{})
	fallbackTo(&spec.TerminationGracePeriodSeconds, int64(corev1.DefaultTerminationGracePeriodSeconds))
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			defaultContainer(&containers[i])
		}
	}
	for i := range spec.Volumes {
		defaultVolume(&spec.Volumes[i])
	}
}

func defaultContainer(c *corev1.Container) {
	fallback(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	fallback(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	fallback(&c.ImagePullPolicy, pullPolicy(c.Image))
	for i := range c.Ports {
		fallback(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for i := range c.Env {
		if from := c.Env[i].ValueFrom; from != nil && from.FieldRef != nil {
			fallback(&from.FieldRef.APIVersion, "v1")
		}
	}
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		defaultProbe(probe)
	}
	if c.Lifecycle == nil {
		return
	}
	for _, handler := range []*corev1.LifecycleHandler{c.Lifecycle.PostStart, c.Lifecycle.PreStop} {
		if handler != nil {
			defaultGet(handler.HTTPGet)
		}
	}
}

// pullPolicy: an image that moves is looked for every time.
func pullPolicy(image string) corev1.PullPolicy {
	name := image[strings.LastIndex(image, "/")+1:]
	if strings.HasSuffix(name, ":latest") || !strings.ContainsAny(name, ":@") {
		return corev1.PullAlways
	}
	return corev1.PullIfNotPresent
}

func defaultProbe(p *corev1.Probe) {
	if p == nil {
		return
	}
	fallback(&p.TimeoutSeconds, 1)
	fallback(&p.PeriodSeconds, 10)
	fallback(&p.SuccessThreshold, 1)
	fallback(&p.FailureThreshold, 3)
	defaultGet(p.HTTPGet)
	if p.GRPC != nil {
		fallbackTo(&p.GRPC.Service, "")
	}
}

func defaultGet(g *corev1.HTTPGetAction) {
	if g == nil {
		return
	}
	fallback(&g.Path, "/")
	fallback(&g.Scheme, corev1.URISchemeHTTP)
}

func defaultVolume(v *corev1.Volume) {
	const mode = int32(0o644)
	switch {
	case v.ConfigMap != nil:
		fallbackTo(&v.ConfigMap.DefaultMode, mode)
	case v.Secret != nil:
		fallbackTo(&v.Secret.DefaultMode, mode)
	case v.DownwardAPI != nil:
		fallbackTo(&v.DownwardAPI.DefaultMode, mode)
	case v.Projected != nil:
		fallbackTo(&v.Projected.DefaultMode, mode)
	case v.VolumeSource == corev1.VolumeSource{}:
		v.EmptyDir = &corev1.EmptyDirVolumeSource{}
	}
}

func defaultService(o runtime.Object) {
	spec := &o.(*corev1.Service).Spec
	fallback(&spec.Type, corev1.ServiceTypeClusterIP)
	fallback(&spec.SessionAffinity, corev1.ServiceAffinityNone)
	if spec.Type != corev1.ServiceTypeExternalName {
		fallbackTo(&spec.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster)
	}
	for i := range spec.Ports {
		port := &spec.Ports[i]
		fallback(&port.Protocol, corev1.ProtocolTCP)
		if port.TargetPort == intstr.FromInt32(0) || port.TargetPort == intstr.FromString("") {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
	}
}

func defaultEndpointSlice(o runtime.Object) {
	ports := o.(*discoveryv1.EndpointSlice).Ports
	for i := range ports {
		fallbackTo(&ports[i].Name, "")
		fallbackTo(&ports[i].Protocol, corev1.ProtocolTCP)
	}
}

// defaultSecret takes text for what it is.
func defaultSecret(o runtime.Object) {
	s := o.(*corev1.Secret)
	fallback(&s.Type, corev1.SecretTypeOpaque)
	if len(s.StringData) > 0 && s.Data == nil {
		s.Data = map[string][]byte{}
	}
	for key, value := range s.StringData {
		s.Data[key] = []byte(value)
	}
	s.StringData = nil
}

// defaultNamespace labels a namespace with its name.
func defaultNamespace(o runtime.Object) {
	n := o.(*corev1.Namespace)
	if n.Name == "" {
		return
	}
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	n.Labels[corev1.LabelMetadataName] = n.Name
}

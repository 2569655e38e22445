package pods

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/belay-dev/belay/e2e/parts/node/images"
)

// environment is the whole environment of a container as NAME=value, the last one of a name winning: what a container
// always has, the image's, the pod template's, and POD_IP.
func environment(pod *corev1.Pod, podIP, nodeIP string, image images.Image, c corev1.Container) ([]string, error) {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOSTNAME=" + pod.Name,
	}
	for _, name := range slices.Sorted(maps.Keys(image.Env)) {
		env = append(env, name+"="+image.Env[name])
	}
	for _, v := range c.Env {
		value := expand(v.Value, env)
		if v.ValueFrom != nil {
			var err error
			if value, err = fieldValue(pod, podIP, nodeIP, v.ValueFrom.FieldRef.FieldPath); err != nil {
				return nil, fmt.Errorf("container %q: env %q: %w", c.Name, v.Name, err)
			}
		}
		env = append(env, v.Name+"="+value)
	}
	return append(env, "POD_IP="+podIP), nil
}

func fieldValue(pod *corev1.Pod, podIP, nodeIP, path string) (string, error) {
	if key, ok := subscript(path, "metadata.labels"); ok {
		return pod.Labels[key], nil
	}
	if key, ok := subscript(path, "metadata.annotations"); ok {
		return pod.Annotations[key], nil
	}
	known := map[string]string{
		"metadata.name":           pod.Name,
		"metadata.namespace":      pod.Namespace,
		"metadata.uid":            string(pod.UID),
		"spec.nodeName":           pod.Spec.NodeName,
		"spec.serviceAccountName": pod.Spec.ServiceAccountName,
		"status.podIP":            podIP,
		"status.podIPs":           podIP,
		"status.hostIP":           nodeIP,
		"status.hostIPs":          nodeIP,
	}
	value, ok := known[path]
	if !ok {
		return "", fmt.Errorf("fieldPath %q is not one of %s, metadata.labels['key'], metadata.annotations['key']",
			path, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return value, nil
}

// subscript reads key out of prefix['key'].
func subscript(path, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, prefix+"['")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "']")
}

// expand replaces $(NAME) by the variable's value. An unknown name stays as it is and $$ is one dollar, as in Kubernetes.
func expand(s string, env []string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		s = after
		if rest, ok := strings.CutPrefix(s, "$"); ok {
			out.WriteByte('$')
			s = rest
			continue
		}
		if name, rest, ok := strings.Cut(s, ")"); ok && strings.HasPrefix(name, "(") {
			if value, known := lookup(env, name[1:]); known {
				out.WriteString(value)
				s = rest
				continue
			}
		}
		out.WriteByte('$')
	}
}

func expandAll(args, env []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = expand(arg, env)
	}
	return out
}

func lookup(env []string, name string) (string, bool) {
	for _, pair := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// unsupported names the first thing that a process on this node cannot do.
func unsupported(pod *corev1.Pod) error {
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil {
			return fmt.Errorf("init container %q has a restartPolicy: this node runs no sidecars, make it a container", c.Name)
		}
	}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if len(c.EnvFrom) > 0 {
			return fmt.Errorf("container %q has envFrom: this node knows no ConfigMaps and Secrets, use plain values", c.Name)
		}
		for _, v := range c.Env {
			if v.ValueFrom != nil && v.ValueFrom.FieldRef == nil {
				return fmt.Errorf("container %q: env %q: only value and valueFrom.fieldRef work on this node", c.Name, v.Name)
			}
		}
		if c.Lifecycle != nil && c.Lifecycle.PostStart != nil {
			return fmt.Errorf("container %q has a postStart hook: this node runs only preStop", c.Name)
		}
		for _, p := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
			if p != nil && p.GRPC != nil {
				return fmt.Errorf("container %q has a gRPC probe: use httpGet, tcpSocket or exec on this node", c.Name)
			}
		}
	}
	return nil
}

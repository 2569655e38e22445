package world

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/gitserver"
)

// Ship commits a new image, and other files with it, as a developer does.
func (s *Shop) Ship(ctx context.Context, imageName string, others map[string]string) (string, error) {
	changed := map[string]string{Path + "/deployment.yaml": WithImage(s.Files[Path+"/deployment.yaml"], imageName)}
	maps.Copy(changed, others)
	return s.Commit(ctx, "ship "+imageName, changed)
}

// Commit commits files.
func (s *Shop) Commit(ctx context.Context, message string, changed map[string]string) (string, error) {
	maps.Copy(s.Files, changed)
	sha, err := s.Repo.Commit(ctx, "main", gitserver.Change{Message: message, Files: changed})
	if err != nil {
		return "", fmt.Errorf("committing %q: %w", message, err)
	}
	return sha, nil
}

// Promoted waits until an image is stable and everything is at rest.
func (s *Shop) Promoted(ctx context.Context, within time.Duration, imageName string) error {
	return s.Until(ctx, within, imageName+" is promoted", func(r *v1alpha1.Rollout) bool {
		return r.Status.Phase == v1alpha1.PhaseHealthy && r.Status.Stable != nil && r.Status.Stable.Image == imageName && r.Status.Canary == nil
	})
}

// Pod is what a story compares before and after.
type Pod struct {
	UID, Revision, Image string
	Restarts             int32
}

// Pods of the shop that are not going away, by name.
func (s *Shop) Pods(ctx context.Context) (map[string]Pod, error) {
	var list corev1.PodList
	if err := s.World.Client.List(ctx, &list, client.InNamespace(s.Name)); err != nil {
		return nil, err
	}
	out := map[string]Pod{}
	for _, p := range list.Items {
		if p.DeletionTimestamp != nil {
			continue
		}
		out[p.Name] = PodOf(&p)
	}
	return out, nil
}

// PodOf is what a story compares of a pod.
func PodOf(p *corev1.Pod) Pod {
	pod := Pod{UID: string(p.UID), Revision: p.Labels["pod-template-hash"], Image: p.Spec.Containers[0].Image}
	for _, c := range p.Status.ContainerStatuses {
		pod.Restarts += c.RestartCount
	}
	return pod
}

// PodsOf an image.
func PodsOf(pods map[string]Pod, imageName string) map[string]Pod {
	out := map[string]Pod{}
	for name, p := range pods {
		if p.Image == imageName {
			out[name] = p
		}
	}
	return out
}

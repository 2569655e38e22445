package tell

import (
	"context"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/e2e/world"
)

// Watch follows the shop's objects of a kind until the test ends.
func (s *Story) Watch(list client.ObjectList, look func(client.Object)) {
	s.T.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.T.Context()))
	ended, err := s.Shop.Watch(ctx, list, look)
	if err != nil {
		cancel()
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			s.T.Error(err)
		}
	})
}

// EveryPod collects all pods of an image that there ever are.
func (s *Story) EveryPod(image string) func() map[string]world.Pod {
	s.T.Helper()
	var mu sync.Mutex
	ever := map[string]world.Pod{}
	s.Watch(&corev1.PodList{}, func(o client.Object) {
		pod := world.PodOf(o.(*corev1.Pod))
		if pod.Image != image {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ever[o.GetName()] = pod
	})
	return func() map[string]world.Pod {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(ever)
	}
}

package memory

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/controllers/sim/server"
	"github.com/belay-dev/belay/e2e/admission/outcomes"
)

func TestOutcomes(t *testing.T) {
	// The server in memory serves no older versions.
	outcomes.Test(t, open, "SplitThroughTheOlderVersion")
}

// world is a server with its neighbours. It is for one scene, so that scenes can run beside one another.
type world struct {
	api      *server.Server
	schedule *schedule.Schedule
	cluster  *cluster.Cluster
	rights   *rights
}

const namespace = "scene"

func open(t *testing.T, labels ...string) outcomes.Place {
	t.Helper()
	parts, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	// The real server evaluates policies in no fixed order. Here each scene has its own, always the same.
	order := fnv.New64()
	order.Write([]byte(t.Name()))
	policies := parts.policies.Shuffled(rand.New(rand.NewPCG(order.Sum64(), 0)))
	created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{}}}
	for _, label := range labels {
		created.Labels[label] = outcomes.Rewritten
		policies = policies.WithWebhook(rewrite)
	}
	w := &world{schedule: schedule.New(1, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), nil), rights: newRights(t)}
	uids := 0
	w.api = server.New(server.Options{
		Schemas: parts.schemas, Now: w.schedule.Now, ShowManagedFields: true,
		UID: func() types.UID { uids++; return types.UID(fmt.Sprintf("uid-%d", uids)) },
		Admit: func(ctx context.Context, r server.Request, objects *server.Objects) (*unstructured.Unstructured, error) {
			return policies.Admit(ctx, admission.Request(r), objects.ConfigMaps, w.rights.allow)
		},
	})
	w.cluster = cluster.New(w.schedule, w.api)
	w.cluster.SetGateway(cluster.Stuck) // there is none on the real side either
	if err := w.api.Client("admin").Create(t.Context(), created); err != nil {
		t.Fatalf("no namespace: %v", err)
	}
	return outcomes.Place{Namespace: namespace, As: w.as, Pause: w.pause}
}

func (w *world) as(user string, groups ...string) dynamic.Interface {
	if len(groups) > 0 {
		w.rights.limit(user)
	}
	return access{world: w, client: w.api.Client(user)}
}

// settle lets the neighbours do what they have to do. It is called after every write, so what a test reads is at rest.
func (w *world) settle() {
	for end := w.schedule.Now().Add(time.Hour); !w.cluster.Quiet(); {
		if _, more := w.schedule.Step(end); !more {
			return
		}
	}
}

func (w *world) pause(_ context.Context, while time.Duration) error {
	w.schedule.Run(w.schedule.Now().Add(while))
	return nil
}

// rewrite is the webhook of a labelled namespace.
func rewrite(request admission.Request, object *unstructured.Unstructured) *unstructured.Unstructured {
	kinds := []string{"Deployment", "Service", "HTTPRoute"}
	if request.Subresource != "" || !slices.Contains(kinds, request.Kind.Kind) {
		return object
	}
	path, value := outcomes.Rewrite(object)
	object = object.DeepCopy()
	if err := unstructured.SetNestedField(object.Object, value, path...); err != nil {
		panic(err)
	}
	return object
}

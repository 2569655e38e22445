package deployment

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/workloads"
)

var (
	target = workloads.Target{Namespace: "shop", Name: "web", Rollout: "web", RolloutUID: "rollout-uid"}
	epoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	yes    = true

	byDeployment = metav1.OwnerReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "web-uid", Controller: &yes}
	byRollout    = metav1.OwnerReference{APIVersion: "belay.dev/v1alpha1", Kind: "Rollout", Name: "web", UID: "rollout-uid", Controller: &yes}
)

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web", "tier": "front"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}},
	}
}

// web is a settled Deployment of three pods.
func web(image string, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	three := int32(3)
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web", UID: "web-uid", Generation: 4,
			Labels: map[string]string{"belay.dev/rollout": "web"}, Annotations: map[string]string{},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: &three, Template: template(image), MinReadySeconds: 2,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 4, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3},
	}
	for _, do := range change {
		do(d)
	}
	return d
}

func holding(d *appsv1.Deployment) {
	d.Spec.Paused = true
	d.Annotations["belay.dev/hold"] = "7.3/false"
}

// replicaSet is one with all its pods available; age is how many minutes after the others it was made.
func replicaSet(name, image string, age int, replicas int32, controller metav1.OwnerReference) *appsv1.ReplicaSet {
	labels := map[string]string{"app": "web", "tier": "front", hashKey: name}
	made := template(image)
	made.Labels = labels
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-" + name, UID: types.UID(name), Labels: labels,
			CreationTimestamp: metav1.NewTime(epoch.Add(time.Duration(age) * time.Minute)),
			OwnerReferences:   []metav1.OwnerReference{controller},
		},
		Spec:   appsv1.ReplicaSetSpec{Replicas: &replicas, Template: made, Selector: &metav1.LabelSelector{MatchLabels: labels}},
		Status: appsv1.ReplicaSetStatus{Replicas: replicas, ReadyReplicas: replicas, AvailableReplicas: replicas},
	}
}

func store(objects ...client.Object) client.Client {
	return fake.NewClientBuilder().WithScheme(clientgo.Scheme).WithObjects(objects...).Build()
}

func observe(t *testing.T, c client.Client) workloads.State {
	t.Helper()
	state, err := Deployment{}.Observe(t.Context(), c, target)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func getDeployment(t *testing.T, c client.Client) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "web"}, d); err != nil {
		t.Fatal(err)
	}
	return d
}

func getReplicaSet(t *testing.T, c client.Client, name string) *appsv1.ReplicaSet {
	t.Helper()
	rs := &appsv1.ReplicaSet{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: name}, rs); err != nil {
		t.Fatal(err)
	}
	return rs
}

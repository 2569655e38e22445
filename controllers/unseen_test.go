package controllers

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
)

// A leader whose cache stood still does not unpin Services beside a canary that it does not know of.
func TestUnseenCanary(t *testing.T) {
	set := func(owner types.UID, replicas int32) client.Object {
		yes := true
		return &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-v2", OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "x/v1", Kind: "X", Name: "x", UID: owner, Controller: &yes},
			}},
			Spec: appsv1.ReplicaSetSpec{Replicas: &replicas},
		}
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-v2-a", Labels: map[string]string{"pod-template-hash": "v2"}}}
	leaving := pod.DeepCopy()
	leaving.DeletionTimestamp, leaving.Finalizers = &metav1.Time{Time: time.Unix(1, 0)}, []string{"x"}
	const retiring, unpinning = v1alpha1.StageRetiring, v1alpha1.StageUnpinning
	unpin := []plan.Effect{plan.Unpin{Service: "web"}}
	for name, tc := range map[string]struct {
		objects []client.Object
		stage   v1alpha1.Stage
		effects []plan.Effect
		text    string
	}{
		"nothing is left":               {nil, retiring, unpin, ""},
		"a ReplicaSet that wants pods":  {[]client.Object{set("of-rollout", 2)}, retiring, unpin, "ReplicaSet web-v2 wants 2 pods"},
		"one without pods":              {[]client.Object{set("of-rollout", 0)}, retiring, unpin, ""},
		"pods that run":                 {[]client.Object{set("of-rollout", 0), pod}, retiring, unpin, "pod web-v2-a of the canary runs"},
		"pods that nobody owns":         {[]client.Object{pod}, retiring, unpin, "pod web-v2-a of the canary runs"},
		"pods that end":                 {[]client.Object{leaving}, retiring, unpin, ""},
		"pods that the workload has":    {[]client.Object{set("of-deployment", 2), pod}, retiring, unpin, ""},
		"the hand-over unpins for them": {[]client.Object{set("of-rollout", 2), pod}, unpinning, unpin, ""},
		"nothing is unpinned":           {[]client.Object{set("of-rollout", 2), pod}, retiring, []plan.Effect{plan.DeleteAttempt{}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Reconciler{Live: fake.NewClientBuilder().WithScheme(clientgo.Scheme).WithObjects(tc.objects...).Build()}
			s := &observe.Scene{Rollout: &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "of-rollout"}}}
			s.Namespace, s.Name = "shop", "web"
			s.Progress.Canary, s.Progress.Stage = &v1alpha1.RevisionRecord{Revision: "v2", ReplicaSet: "web-v2"}, tc.stage
			err := r.unseen(t.Context(), s, tc.effects)
			if tc.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("%v, want a conflict that says %q", err, tc.text)
			}
		})
	}
}

package deployment

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/workloads"
)

// What a plan was made from does not stand there any more: nothing is written, and the next round looks again.
func TestNothingIsWrittenFromAnOldState(t *testing.T) {
	d := Deployment{}
	of := func(name string) workloads.Revision { return workloads.Revision{Name: name, Exists: true} }
	stranger := metav1.OwnerReference{APIVersion: "x/v1", Kind: "X", Name: "x", UID: "x", Controller: &yes}
	leaving := func(rs *appsv1.ReplicaSet) *appsv1.ReplicaSet {
		rs.DeletionTimestamp, rs.Finalizers = &metav1.Time{Time: epoch}, []string{"orphan"}
		return rs
	}
	canaries := func(size int32, r workloads.Revision) func(*testing.T, client.Client) error {
		return func(t *testing.T, c client.Client) error { return d.Canaries(t.Context(), c, target, r, size) }
	}
	resize := func(r workloads.Revision) func(*testing.T, client.Client) error {
		return func(t *testing.T, c client.Client) error { return d.Resize(t.Context(), c, target, r, 2) }
	}
	for name, tc := range map[string]struct {
		objects []client.Object
		does    func(*testing.T, client.Client) error
		text    string
	}{
		"canaries of one that is gone":      {[]client.Object{web("v2", holding)}, canaries(1, of("web-a")), "it is gone"},
		"canaries of one that is leaving":   {[]client.Object{web("v2", holding), leaving(replicaSet("a", "v2", 0, 1, byRollout))}, canaries(2, of("web-a")), "it is gone"},
		"canaries of another version":       {[]client.Object{web("v2", holding), replicaSet("a", "v2", 0, 1, byRollout)}, canaries(2, workloads.Revision{Name: "web-a", Exists: true, ResourceVersion: "1"}), "it changed since it was looked at"},
		"one that runs is not taken over":   {[]client.Object{web("v1", holding), replicaSet("a", "v1", 0, 3, byDeployment)}, canaries(1, of("web-a")), "Deployment web runs its pods itself"},
		"an old template is not taken over": {[]client.Object{web("v2", holding), replicaSet("a", "v1", 0, 0, byDeployment)}, canaries(1, of("web-a")), "its template is not that of Deployment web any more"},
		"a stranger's is left alone":        {[]client.Object{web("v2", holding), replicaSet("a", "v2", 0, 1, stranger)}, canaries(2, of("web-a")), "left alone: ReplicaSet web-a is controlled neither by Deployment web nor by Rollout web"},
		"an orphan that is a stranger's":    {[]client.Object{replicaSet("a", "v2", 0, 1, stranger)}, canaries(0, of("web-a")), "it is not Rollout web's any more"},
		"another size of one that is gone":  {[]client.Object{web("v2", holding)}, resize(of("web-a")), "it is not Deployment web's any more"},
		"another size of the canary":        {[]client.Object{web("v2", holding), replicaSet("a", "v2", 0, 1, byRollout)}, resize(of("web-a")), "it is not Deployment web's any more"},
		"another size of another version":   {[]client.Object{web("v2", holding), replicaSet("a", "v1", 0, 3, byDeployment)}, resize(workloads.Revision{Name: "web-a", ResourceVersion: "1"}), "it changed since it was looked at"},
		"another size when nothing is held": {[]client.Object{web("v1"), replicaSet("a", "v1", 0, 3, byDeployment)}, resize(workloads.Revision{Name: "web-a", ResourceVersion: "999"}), "it is not held any more and moves its pods itself"},
		"adopted by one that is leaving": {[]client.Object{web("v2", holding, func(d *appsv1.Deployment) {
			d.DeletionTimestamp, d.Finalizers = &metav1.Time{Time: epoch}, []string{"x"}
		}), replicaSet("a", "v2", 0, 3, byRollout)}, func(t *testing.T, c client.Client) error { return d.Adopt(t.Context(), c, target, of("web-a")) }, "it is being deleted"},
		"adopted although it is gone":        {[]client.Object{web("v2", holding)}, func(t *testing.T, c client.Client) error { return d.Adopt(t.Context(), c, target, of("web-a")) }, "it is gone"},
		"adopted with another template":      {[]client.Object{web("v3", holding), replicaSet("a", "v2", 0, 3, byRollout)}, func(t *testing.T, c client.Client) error { return d.Adopt(t.Context(), c, target, of("web-a")) }, "its template is not that of Deployment web any more"},
		"returned although it still has any": {[]client.Object{web("v2", holding), replicaSet("a", "v2", 0, 1, byRollout)}, func(t *testing.T, c client.Client) error { return d.Return(t.Context(), c, target, of("web-a")) }, "it still has pods"},
	} {
		t.Run(name, func(t *testing.T) {
			c := fake.NewClientBuilder().WithScheme(clientgo.Scheme).WithObjects(tc.objects...).WithInterceptorFuncs(interceptor.Funcs{
				Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
					t.Error("something is written")
					return nil
				},
				Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
					t.Error("something is made")
					return nil
				},
				Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error {
					t.Error("something is deleted")
					return nil
				},
			}).Build()
			err := tc.does(t, c)
			if err == nil || !strings.Contains(err.Error(), tc.text) {
				t.Fatalf("the error is %v, want %q", err, tc.text)
			}
			if left := strings.HasPrefix(err.Error(), "left alone"); apierrors.IsConflict(err) == left {
				t.Errorf("%v: a conflict is %t", err, !left)
			}
		})
	}
}

package main

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"

	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/load"
)

// TestNoRequestIsLostThroughTheGateway is the ground that "no request lost" stands on in the stories: with nothing but a
// rolling update and deletions, the gateway, the node and the shop lose none.
func TestNoRequestIsLostThroughTheGateway(t *testing.T) {
	ctx := t.Context()
	c := cluster.ForTest(t, cluster.Options{Gateway: true, Node: &cluster.NodeOptions{Images: imagesFile(t, "v1", "v2")}})
	w := &world{Interface: kubernetes.NewForConfigOrDie(c.Config())}
	w.create(t)
	createRoute(t, gatewayclient.NewForConfigOrDie(c.Config()))
	eventually(t, func() error { return w.complete(ctx, "app:v1") })
	address := c.Gateway()
	eventually(t, func() error {
		_, err := askURL(ctx, "http://"+address+"/")
		return err
	})

	client := load.Start(ctx, load.Options{URL: "http://" + address + "/", RatePerSecond: 100})
	w.setImage(t, "app:v2")
	eventually(t, func() error { return w.complete(ctx, "app:v2") })
	w.deleteOne(t)
	w.patch(t, `{"spec":{"replicas":1}}`)
	w.patch(t, `{"spec":{"replicas":3}}`)
	eventually(t, func() error { return w.complete(ctx, "app:v2") })
	mark := client.Mark()
	eventually(t, func() error {
		if n := client.Since(mark).Answered; n < 200 {
			return fmt.Errorf("%d answers", n)
		}
		return nil
	})
	client.Stop()

	got := client.Snapshot()
	_, skipped := client.Sent()
	t.Logf("%d answers: %v, slowest %s", got.Answered, got.By, got.Slowest)
	if got.Failed > 0 || skipped > 0 {
		t.Errorf("%d requests failed, %d were not sent: %v %v", got.Failed, skipped, got.By, got.Errors)
	}
	if got.Of("v1") == 0 || got.Of("v2") == 0 {
		t.Errorf("answers: %v, want some of both revisions", got.By)
	}
}

func (w *world) patch(t *testing.T, patch string) {
	t.Helper()
	_, err := w.AppsV1().Deployments("default").Patch(t.Context(), "shop", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) deleteOne(t *testing.T) {
	t.Helper()
	pods, err := w.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=shop"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CoreV1().Pods("default").Delete(t.Context(), pods.Items[0].Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func createRoute(t *testing.T, client gatewayclient.Interface) {
	t.Helper()
	namespace, port := gatewayv1.Namespace(cluster.GatewayNamespace), gatewayv1.PortNumber(80)
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Namespace: &namespace, Name: cluster.GatewayName}}},
		Rules: []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
			BackendObjectReference: gatewayv1.BackendObjectReference{Name: "shop", Port: &port}}}}}},
	}}
	if _, err := client.GatewayV1().HTTPRoutes("default").Create(t.Context(), route, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

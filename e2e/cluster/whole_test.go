package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"

	"github.com/belay-dev/belay/e2e/cluster"
)

const serveArgument = "__serve"

// TestMain plays the program in the pods' containers too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveArgument {
		serve()
		return
	}
	os.Exit(m.Run())
}

// serve answers with the pod's name, and has one metric.
func serve() {
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "some_up 1") })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("VERSION")) })
	panic(http.ListenAndServe(net.JoinHostPort(os.Getenv("POD_IP"), "8080"), nil))
}

// TestWholeCluster follows one request from the gateway to a pod, and one sample
// from the gateway and one from the pod to Prometheus.
func TestWholeCluster(t *testing.T) {
	ctx := t.Context()
	start := time.Now()
	c := cluster.ForTest(t, cluster.Options{
		Gateway: true, Prometheus: true, Node: &cluster.NodeOptions{Images: writeImages(t)},
	})
	t.Logf("the cluster was ready after %s", time.Since(start).Round(10*time.Millisecond))
	client := kubernetes.NewForConfigOrDie(c.Config())

	deployment := someDeployment()
	deployment.Spec.Template.Annotations = map[string]string{
		"prometheus.io/scrape": "true", "prometheus.io/port": "8080",
	}
	if _, err := client.AppsV1().Deployments("default").Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "some"},
		Spec: corev1.ServiceSpec{
			Selector: deployment.Spec.Selector.MatchLabels,
			Ports:    []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	if _, err := client.CoreV1().Services("default").Create(ctx, service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	createRoute(t, gatewayclient.NewForConfigOrDie(c.Config()))

	eventually(t, func() bool {
		body, err := get(ctx, "http://"+c.Gateway()+"/")
		return err == nil && body == "one"
	})
	for name, query := range map[string]string{
		"the pod's metric":       `some_up{namespace="default",pod=~"some-.+",app="some",pod_template_hash!=""}`,
		"the gateway's counters": `traefik_service_requests_total{service="default-some-http-80@kubernetesgateway",code="200"}`,
	} {
		t.Run(name, func(t *testing.T) {
			eventually(t, func() bool {
				body, err := get(ctx, c.Prometheus()+"/api/v1/query?query="+url.QueryEscape(query))
				if err != nil {
					return false
				}
				var answer struct{ Data struct{ Result []any } }
				return json.Unmarshal([]byte(body), &answer) == nil && len(answer.Data.Result) == 1
			})
		})
	}
}

func writeImages(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"some:1": map[string]any{"command": []string{self, serveArgument}, "env": map[string]string{"VERSION": "one"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "images.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func createRoute(t *testing.T, client gatewayclient.Interface) {
	t.Helper()
	namespace, port := gatewayv1.Namespace(cluster.GatewayNamespace), gatewayv1.PortNumber(80)
	route := &gatewayv1.HTTPRoute{
		ObjectMeta: metav1.ObjectMeta{Name: "some"},
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{
				ParentRefs: []gatewayv1.ParentReference{{Namespace: &namespace, Name: cluster.GatewayName}},
			},
			Rules: []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{
				BackendRef: gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{Name: "some", Port: &port}},
			}}}},
		},
	}
	if _, err := client.GatewayV1().HTTPRoutes("default").Create(t.Context(), route, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// get returns the body of an answer with status 200.
func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

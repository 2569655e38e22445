package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayclient "sigs.k8s.io/gateway-api/pkg/client/clientset/versioned"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/e2e/parts"
)

const (
	// GatewayNamespace and GatewayName name the Gateway that routes attach to;
	// GatewayClass is its class.
	GatewayNamespace = "gateway"
	GatewayName      = "belay"
	GatewayClass     = "traefik"
)

// Gateway is where the gateway listens for HTTP, as host:port.
func (c *Cluster) Gateway() string { return c.gateway }

// GatewayMetrics is where Traefik serves its metrics, as host:port.
func (c *Cluster) GatewayMetrics() string { return c.metrics }

func (c *Cluster) startGateway(ctx context.Context) error {
	if err := c.installGatewayAPI(ctx); err != nil {
		return fmt.Errorf("install the Gateway API: %w", err)
	}
	webPort, web, err := c.address()
	if err != nil {
		return err
	}
	_, metrics, err := c.address()
	if err != nil {
		return err
	}
	// Upstream's chart gives it rights piece by piece; it is not under test.
	kubeconfig, err := c.identity("traefik", "traefik", "system:masters")
	if err != nil {
		return err
	}
	client, err := gatewayclient.NewForConfig(c.config)
	if err != nil {
		return err
	}
	if err := c.createGateway(ctx, client, webPort); err != nil {
		return err
	}
	c.gateway, c.metrics = web, metrics
	return c.launch(ctx, spec{
		part: "traefik",
		env:  []string{"KUBECONFIG=" + kubeconfig},
		args: []string{
			"--global.checknewversion=false", "--global.sendanonymoususage=false",
			// A listener of a Gateway is served by the entry point with its port.
			"--entrypoints.http.address=:" + strconv.Itoa(webPort),
			"--entrypoints.metrics.address=" + metrics,
			"--providers.kubernetesgateway",
			"--providers.kubernetesgateway.statusaddress.ip=127.0.0.1",
			// By default changes are collected for two seconds.
			"--providers.providersthrottleduration=100ms",
			"--metrics.prometheus", "--metrics.prometheus.entrypoint=metrics",
			"--metrics.prometheus.addserviceslabels",
			"--metrics.prometheus.buckets=0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5",
			"--ping", "--ping.entrypoint=metrics",
			"--log.level=INFO",
		},
		ready: func(ctx context.Context) error {
			gateway, err := client.GatewayV1().Gateways(GatewayNamespace).Get(ctx, GatewayName, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if !meta.IsStatusConditionTrue(gateway.Status.Conditions, string(gatewayv1.GatewayConditionProgrammed)) {
				return fmt.Errorf("the Gateway %s/%s is not Programmed: %v", GatewayNamespace, GatewayName, gateway.Status.Conditions)
			}
			return nil
		},
		grace: 3 * time.Second,
	})
}

// installGatewayAPI creates the standard channel's resources and waits until
// the API server serves them.
func (c *Cluster) installGatewayAPI(ctx context.Context) error {
	folder, err := parts.Path("gateway-api")
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	client, err := apiextensions.NewForConfig(c.config)
	if err != nil {
		return err
	}
	crds := client.ApiextensionsV1().CustomResourceDefinitions()
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		// The folder also holds a policy that guards upgrades of the API.
		if crd.Kind != "CustomResourceDefinition" {
			continue
		}
		if _, err := crds.Create(ctx, &crd, metav1.CreateOptions{}); err != nil {
			return err
		}
		names = append(names, crd.Name)
	}
	return poll(ctx, nil, func(ctx context.Context) error {
		for _, name := range names {
			crd, err := crds.Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if !established(crd) {
				return fmt.Errorf("%s is not established", name)
			}
		}
		return nil
	})
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	for _, condition := range crd.Status.Conditions {
		if condition.Type == apiextensionsv1.Established {
			return condition.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

// createGateway creates the class and the Gateway, open to routes from every namespace.
func (c *Cluster) createGateway(ctx context.Context, client gatewayclient.Interface, port int) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: GatewayNamespace}}
	if _, err := c.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	class := &gatewayv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: GatewayClass},
		Spec:       gatewayv1.GatewayClassSpec{ControllerName: "traefik.io/gateway-controller"},
	}
	if _, err := client.GatewayV1().GatewayClasses().Create(ctx, class, metav1.CreateOptions{}); err != nil {
		return err
	}
	everywhere := gatewayv1.NamespacesFromAll
	gateway := &gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: GatewayNamespace, Name: GatewayName},
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: GatewayClass,
			Listeners: []gatewayv1.Listener{{
				Name: "http", Port: gatewayv1.PortNumber(port), Protocol: gatewayv1.HTTPProtocolType,
				AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &everywhere}},
			}},
		},
	}
	_, err := client.GatewayV1().Gateways(GatewayNamespace).Create(ctx, gateway, metav1.CreateOptions{})
	return err
}

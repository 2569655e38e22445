package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// Advertised is the address at which pods reach the API server.
	Advertised = "10.244.0.1"
	// serviceRange holds the virtual addresses of Services. Nothing listens on
	// them: there is no kube-proxy, and the gateway talks to pods.
	serviceRange = "10.96.0.0/16"
	serviceFirst = "10.96.0.1"
)

func (c *Cluster) startControlPlane(ctx context.Context, options Options) error {
	var err error
	if c.authority, err = newAuthority(filepath.Join(c.dir, "pki"), now()); err != nil {
		return err
	}
	etcd, err := c.startEtcd(ctx)
	if err != nil {
		return err
	}
	if err := c.startAPIServer(ctx, etcd, options); err != nil {
		return err
	}
	return c.startControllerManager(ctx, options)
}

// startEtcd returns the URL for clients.
func (c *Cluster) startEtcd(ctx context.Context) (string, error) {
	_, client, err := c.address()
	if err != nil {
		return "", err
	}
	_, peer, err := c.address()
	if err != nil {
		return "", err
	}
	url, peerURL := "http://"+client, "http://"+peer
	return url, c.launch(ctx, spec{
		part: "etcd",
		args: []string{
			"--name=local", "--data-dir=" + filepath.Join(c.dir, "etcd"),
			"--listen-client-urls=" + url, "--advertise-client-urls=" + url,
			"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL,
			"--initial-cluster=local=" + peerURL,
			// There is one member: it need not wait for anyone before it elects itself.
			"--heartbeat-interval=10", "--election-timeout=100",
			// The data dies with the cluster, so it need not survive a power cut.
			"--unsafe-no-fsync", "--log-level=warn",
		},
		ready: answers(url+"/readyz", http.DefaultClient),
		grace: 3 * time.Second,
	})
}

func (c *Cluster) startAPIServer(ctx context.Context, etcd string, options Options) error {
	port, address, err := c.address()
	if err != nil {
		return err
	}
	c.server = "https://" + address
	hosts := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	addresses := []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP(Advertised), net.ParseIP(serviceFirst)}
	if err := c.authority.serving("apiserver", hosts, addresses); err != nil {
		return err
	}
	if err := c.authority.signingKey(); err != nil {
		return err
	}
	if c.admin, err = c.identity("admin", "admin", "system:masters"); err != nil {
		return err
	}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.admin); err != nil {
		return err
	}
	c.config.QPS = -1
	if c.client, err = kubernetes.NewForConfig(c.config); err != nil {
		return err
	}
	pki := func(name string) string { return filepath.Join(c.authority.dir, name) }
	args := []string{
		"--etcd-servers=" + etcd,
		"--bind-address=0.0.0.0", "--secure-port=" + strconv.Itoa(port), "--advertise-address=" + Advertised,
		"--service-cluster-ip-range=" + serviceRange,
		"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
		"--client-ca-file=" + pki("ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + pki("service-account.key"),
		"--service-account-key-file=" + pki("service-account.key"),
		"--allow-privileged", "--profiling=false",
	}
	if options.Audit {
		policy, err := c.auditPolicy()
		if err != nil {
			return err
		}
		args = append(args, "--audit-policy-file="+policy, "--audit-log-path="+c.AuditLog(), "--audit-log-mode=blocking")
	}
	return c.launch(ctx, spec{
		part: "kube-apiserver", args: append(args, options.APIServerArgs...),
		ready: func(ctx context.Context) error {
			_, err := c.client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
			return err
		},
		grace: 5 * time.Second,
	})
}

func (c *Cluster) auditPolicy() (string, error) {
	path := filepath.Join(c.dir, "audit-policy.yaml")
	text := "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func (c *Cluster) startControllerManager(ctx context.Context, options Options) error {
	port, address, err := c.address()
	if err != nil {
		return err
	}
	kubeconfig, err := c.identity("controller-manager", "system:kube-controller-manager")
	if err != nil {
		return err
	}
	pki := func(name string) string { return filepath.Join(c.authority.dir, name) }
	args := []string{
		"--kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port),
		"--service-account-private-key-file=" + pki("service-account.key"),
		"--root-ca-file=" + pki("ca.crt"),
		// Each controller acts under its own name, as in any real cluster.
		"--use-service-account-credentials",
		"--leader-elect=false", "--profiling=false",
		"--kube-api-qps=500", "--kube-api-burst=1000",
	}
	return c.launch(ctx, spec{
		part: "kube-controller-manager", args: append(args, options.ControllerManagerArgs...),
		ready: func(ctx context.Context) error {
			if err := answers("https://"+address+"/healthz", insecure())(ctx); err != nil {
				return err
			}
			// The first thing that a new cluster needs from it.
			_, err := c.client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
			return err
		},
		grace: 3 * time.Second,
	})
}

func (c *Cluster) startScheduler(ctx context.Context) error {
	port, address, err := c.address()
	if err != nil {
		return err
	}
	kubeconfig, err := c.identity("scheduler", "system:kube-scheduler")
	if err != nil {
		return err
	}
	config := filepath.Join(c.dir, "scheduler.yaml")
	text := fmt.Sprintf(`apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: %q, qps: 500, burst: 1000}
leaderElection: {leaderElect: false}
podMaxBackoffSeconds: 2
`, kubeconfig)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	return c.launch(ctx, spec{
		part: "kube-scheduler",
		args: []string{"--config=" + config, "--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port)},
		// Ready means that its caches are filled.
		ready: answers("https://"+address+"/readyz", insecure()),
		grace: 3 * time.Second,
	})
}

// answers reports whether url answers 200.
func answers(url string, client *http.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return errors.Join(fmt.Errorf("%s answers %s", url, response.Status), response.Body.Close())
		}
		return response.Body.Close()
	}
}

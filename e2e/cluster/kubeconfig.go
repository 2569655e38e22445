package cluster

import (
	"context"
	"fmt"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfig describes how one identity reaches the API server.
func (c *Cluster) kubeconfig(server string, who *api.AuthInfo) *api.Config {
	config := api.NewConfig()
	config.Clusters["local"] = &api.Cluster{Server: server, CertificateAuthorityData: c.authority.pem}
	config.AuthInfos["local"] = who
	config.Contexts["local"] = &api.Context{Cluster: "local", AuthInfo: "local"}
	config.CurrentContext = "local"
	return config
}

// identity writes <dir>/<name>.kubeconfig for a user with a client certificate.
func (c *Cluster) identity(name, user string, groups ...string) (string, error) {
	p, err := c.authority.issue(user, groups, nil, nil)
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.dir, name+".kubeconfig")
	who := &api.AuthInfo{ClientCertificateData: p.cert, ClientKeyData: p.key}
	return path, clientcmd.WriteToFile(*c.kubeconfig(c.server, who), path)
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.admin }

// Config is the administrator's client configuration, without a limit on the
// client's rate. Each call returns a copy.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// ServiceAccountKubeconfig writes a kubeconfig that acts as the service account
// namespace/name, which must exist, and returns its path. Its token is good for
// a day.
func (c *Cluster) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	day := int64(24 * 60 * 60)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day}}
	answer, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("a token for the service account %s/%s: %w", namespace, name, err)
	}
	path := filepath.Join(c.dir, namespace+"-"+name+".kubeconfig")
	return path, clientcmd.WriteToFile(*c.kubeconfig(c.server, &api.AuthInfo{Token: answer.Status.Token}), path)
}

// OutsideKubeconfig writes an administrator's kubeconfig whose server is at
// address (host:port), where a forwarder reaches the API server, and returns
// its path.
func (c *Cluster) OutsideKubeconfig(address string) (string, error) {
	config, err := clientcmd.LoadFromFile(c.admin)
	if err != nil {
		return "", err
	}
	config.Clusters["local"].Server = "https://" + address
	path := filepath.Join(c.dir, "kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}

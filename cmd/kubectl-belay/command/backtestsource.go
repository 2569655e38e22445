package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/analysis/prometheus"
	"github.com/belay-dev/belay/cmd/kubectl-belay/backtest"
)

const (
	// providersName is the ConfigMap of the chart that holds the controller's sources.
	providersName = "belay-providers"
	providersFile = "providers.yaml"
)

const sayAddress = "which Prometheus? Say --prometheus URL, as it is reached from here; for one in the cluster forward a port first, as in " +
	"`kubectl -n monitoring port-forward svc/prometheus 9090`, and say --prometheus http://localhost:9090"

// source is the one that was named, or the one that the controller asks, if it can be reached from here.
func (f backtestFlags) source(ctx context.Context, s *session, plan *backtest.Plan) (backtest.Source, error) {
	if f.address != "" {
		return backtest.Prometheus(f.address, f.tokenFile)
	}
	address := f.configured(ctx, s, plan)
	if address == "" {
		return nil, errors.New(sayAddress)
	}
	if err := reachable(ctx, address); err != nil {
		return nil, fmt.Errorf("the controller asks %s, which cannot be reached from here: %s--prometheus http://localhost:9090", address, forward(address))
	}
	return backtest.Prometheus(address, f.tokenFile)
}

// configured is the address in the controller's configuration; empty where that cannot be read or has no such source.
func (f backtestFlags) configured(ctx context.Context, s *session, plan *backtest.Plan) string {
	c, _, err := s.connect()
	if err != nil {
		return ""
	}
	var config corev1.ConfigMap
	if err := c.Get(ctx, client.ObjectKey{Namespace: f.controller, Name: providersName}, &config); err != nil {
		return ""
	}
	file, err := prometheus.Parse([]byte(config.Data[providersFile]))
	if err != nil {
		return ""
	}
	name := plan.Provider
	if name == "" {
		name = file.Default
	}
	for _, p := range file.Providers {
		if p.Name == name {
			return p.Address
		}
	}
	return ""
}

// reachable tries to connect, no more.
func reachable(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	const patience = 3 * time.Second
	connection, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return connection.Close()
}

// forward is what to run first, if the address is that of a Service.
func forward(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	service, namespace, found := strings.Cut(u.Hostname(), ".")
	if !found {
		return "forward a port to it, and say "
	}
	namespace, _, _ = strings.Cut(namespace, ".")
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return fmt.Sprintf("run `kubectl -n %s port-forward svc/%s 9090:%s`, and say ", namespace, service, port)
}

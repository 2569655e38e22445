package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/forward"
	"github.com/belay-dev/belay/e2e/namespace"
)

// insideUp is the first argument with which `up` starts itself again inside
// the namespace.
const insideUp = "__up"

// The ports outside that are tried first, so that what a person has typed or
// bookmarked stays good.
const (
	apiServerPort  = 16443
	gatewayPort    = 18080
	prometheusPort = 19090
)

func up(args []string) int {
	flags := flag.NewFlagSet("local up", flag.ContinueOnError)
	images := flags.String("images", "", "`file` that maps image names to programs of this machine, for pods")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	if err := serveUntilDone(ctx, *images); err != nil {
		fmt.Fprintln(os.Stderr, "local up:", err)
		return 1
	}
	return 0
}

func serveUntilDone(ctx context.Context, images string) error {
	if images != "" {
		path, err := filepath.Abs(images)
		if err != nil {
			return err
		}
		images = path
	}
	start := time.Now()
	fmt.Println("starting the local cluster")
	c, err := cluster.Start(ctx, cluster.Options{
		Gateway: true, Prometheus: true, Node: &cluster.NodeOptions{Images: images},
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it was up, as asked
		}
		return err
	}
	defer c.Stop()
	text, err := describe(ctx, c)
	if err != nil {
		return err
	}
	fmt.Printf("ready after %.0f s\n\n%s", time.Since(start).Seconds(), text)
	select {
	case <-ctx.Done():
		fmt.Println("stopping the local cluster")
		return nil
	case <-c.Done():
		return c.Err()
	}
}

// describe makes the cluster reachable from the outside and says how.
func describe(ctx context.Context, c *cluster.Cluster) (string, error) {
	var addresses []string
	for _, e := range []struct {
		name, target string
		port         int
	}{
		{"apiserver", c.APIServer(), apiServerPort},
		{"gateway", c.Gateway(), gatewayPort},
		{"prometheus", strings.TrimPrefix(c.Prometheus(), "http://"), prometheusPort},
	} {
		exposure, err := forward.Expose(ctx, e.name, e.target, e.port)
		if err != nil {
			return "", err
		}
		addresses = append(addresses, exposure.Address)
	}
	kubeconfig, err := c.OutsideKubeconfig(addresses[0])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`  kubectl       export KUBECONFIG=%s
  gateway       http://%s   (Gateway %s/%s, class %s)
  Prometheus    http://%s
  logs          %s

Ctrl-C stops it, or: kill %s
`, kubeconfig, addresses[1], cluster.GatewayNamespace, cluster.GatewayName, cluster.GatewayClass,
		addresses[2], filepath.Join(c.Dir(), "logs"), namespace.Launcher()), nil
}

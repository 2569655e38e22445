package fidelity

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/belay-dev/belay/e2e/cluster"
)

var update = flag.Bool("update", false, "record what kube-apiserver answers")

// shared is kube-apiserver without policies.
var shared *kube

// options leave out what the server in memory has not: controllers, and admission of pods.
func options() cluster.Options {
	return cluster.Options{
		APIServerArgs:         []string{"--disable-admission-plugins=ServiceAccount,DefaultTolerationSeconds,Priority"},
		ControllerManagerArgs: []string{"--controllers=serviceaccount-controller"},
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(cluster.Main(m, options(), func(c *cluster.Cluster) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var err error
		if shared, err = newKube(ctx, c.Config()); err != nil {
			fmt.Fprintln(os.Stderr, "kube-apiserver could not be made ready:", err)
			os.Exit(1)
		}
	}))
}

package cluster

import (
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	for name, test := range map[string]struct {
		given Options
		want  Options
	}{
		"nothing":           {Options{}, Options{}},
		"a node needs more": {Options{Node: &NodeOptions{}}, Options{Scheduler: true, Node: &NodeOptions{Name: "local", CIDR: "10.244.0.0/16"}}},
		"what is said stays": {
			Options{Node: &NodeOptions{Name: "other", CIDR: "10.244.128.0/17"}},
			Options{Scheduler: true, Node: &NodeOptions{Name: "other", CIDR: "10.244.128.0/17"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.given.Dir = t.TempDir()
			got, err := test.given.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			if got.Scheduler != test.want.Scheduler || (got.Node == nil) != (test.want.Node == nil) {
				t.Errorf("got %+v", got)
			}
			if got.Node != nil && (got.Node.Name != test.want.Node.Name || got.Node.CIDR != test.want.Node.CIDR) {
				t.Errorf("the node is %+v", *got.Node)
			}
		})
	}
}

func TestMissingImagesAreNamedBeforeAnythingStarts(t *testing.T) {
	err := Options{Node: &NodeOptions{Images: "no-such-file.json"}}.check()
	if err == nil || !strings.Contains(err.Error(), "no-such-file.json") {
		t.Errorf("got %v", err)
	}
}

func TestScrapeConfig(t *testing.T) {
	for name, test := range map[string]struct {
		gateway string
		traefik bool
	}{"with a gateway": {"127.0.0.1:1234", true}, "without": {"", false}} {
		t.Run(name, func(t *testing.T) {
			text, err := scrapeConfig("/some where/prometheus.kubeconfig", test.gateway)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text, `kubeconfig_file: "/some where/prometheus.kubeconfig"`) {
				t.Error("the kubeconfig is missing")
			}
			if got := strings.Contains(text, `targets: ["127.0.0.1:1234"]`); got != test.traefik {
				t.Errorf("traefik is scraped: %t", got)
			}
		})
	}
}

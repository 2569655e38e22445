package cluster

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// scrapes says what Prometheus reads: itself is left out, since nobody asks.
// Labels of a pod become labels of its series (pod-template-hash becomes
// pod_template_hash), so that a query can tell one revision from another.
const scrapes = `global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
  scrape_native_histograms: true
  always_scrape_classic_histograms: true
scrape_configs:
- job_name: pods
  kubernetes_sd_configs:
  - role: pod
    kubeconfig_file: {{ printf "%q" .Kubeconfig }}
  relabel_configs:
  - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape]
    regex: "true"
    action: keep
  # A pod without an address, or one that has ended, has nothing to read.
  - source_labels: [__meta_kubernetes_pod_phase, __meta_kubernetes_pod_ip]
    regex: (Pending|Running);.+
    action: keep
  # A pod is found once per port that it declares; the annotation names the one.
  - source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_annotation_prometheus_io_port]
    separator: ":"
    regex: (.+:[0-9]+)
    target_label: __address__
  - source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path]
    regex: (.+)
    target_label: __metrics_path__
  - regex: __meta_kubernetes_pod_label_(.+)
    action: labelmap
  - source_labels: [__meta_kubernetes_namespace]
    target_label: namespace
  - source_labels: [__meta_kubernetes_pod_name]
    target_label: pod
  - source_labels: [__meta_kubernetes_pod_container_name]
    target_label: container
{{- if .Gateway }}
- job_name: traefik
  static_configs:
  - targets: [{{ printf "%q" .Gateway }}]
{{- end }}
`

// Prometheus is its base URL.
func (c *Cluster) Prometheus() string { return c.prometheus }

func (c *Cluster) startPrometheus(ctx context.Context) error {
	_, address, err := c.address()
	if err != nil {
		return err
	}
	kubeconfig, err := c.identity("prometheus", "prometheus", "system:masters")
	if err != nil {
		return err
	}
	config := filepath.Join(c.dir, "prometheus.yaml")
	text, err := scrapeConfig(kubeconfig, c.metrics)
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	c.prometheus = "http://" + address
	return c.launch(ctx, spec{
		part: "prometheus",
		args: []string{
			"--config.file=" + config,
			"--storage.tsdb.path=" + filepath.Join(c.dir, "prometheus"),
			"--storage.tsdb.retention.time=1d",
			"--web.listen-address=" + address,
			"--log.level=warn",
		},
		ready: answers(c.prometheus+"/-/ready", http.DefaultClient),
		grace: 3 * time.Second,
	})
}

func scrapeConfig(kubeconfig, gateway string) (string, error) {
	parsed, err := template.New("scrapes").Parse(scrapes)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = parsed.Execute(&text, struct{ Kubeconfig, Gateway string }{kubeconfig, gateway})
	return text.String(), err
}

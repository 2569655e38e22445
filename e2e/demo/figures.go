package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/belay-dev/belay/e2e/forward"
	"github.com/belay-dev/belay/e2e/namespace"
)

// figures prints what was measured.
func (d *Demo) figures(ctx context.Context) error {
	d.title("What was measured")
	t := d.shop.Users.Snapshot()
	d.print("  requests sent %d, failed %d, failed because of v3 %d", t.Answered, t.Failed, t.FailedOf("v3"))
	if span, ok := t.Bad["v3"]; ok {
		d.print("  from the first bad answer to the last %.1f s", span.Length().Seconds())
	}
	d.print("  slowest answer %s", t.Slowest.Round(time.Millisecond))
	families, err := scrape(ctx, d.world.Belay.Metrics())
	if err != nil {
		return err
	}
	traffic := mean(families["belay_breach_to_traffic_seconds"])
	commit := mean(families["belay_breach_to_commit_seconds"])
	d.print("  verdict Fail → split cleared in the API %.0f ms", 1000*traffic)
	d.print("  verdict Fail → revert commit on the Git server %.1f s", commit)
	d.print("  whole demo %.0f s", time.Since(d.start).Seconds())
	for kind, n := range t.By {
		if kind.Status >= 400 && kind.Revision != "v3" {
			d.print("  not by v3: %d answers with status %d, revision %q", n, kind.Status, kind.Revision)
		}
	}
	if violations := total(families["belay_invariant_violations_total"]); violations > 0 {
		d.expect(false, "the controller refused %.0f plans that would have broken a law", violations)
	}
	return nil
}

func scrape(ctx context.Context, address string) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reading the controller's metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(resp.Body)
}

// mean of a histogram; 0 when it has no observations.
func mean(f *dto.MetricFamily) float64 {
	if f == nil || len(f.Metric) == 0 || f.Metric[0].GetHistogram().GetSampleCount() == 0 {
		return 0
	}
	h := f.Metric[0].GetHistogram()
	return h.GetSampleSum() / float64(h.GetSampleCount())
}

func total(f *dto.MetricFamily) float64 {
	sum := 0.0
	for _, m := range f.GetMetric() {
		sum += m.GetCounter().GetValue()
	}
	return sum
}

// keep makes everything reachable from the outside, says how, and waits until it is told to stop.
func (d *Demo) keep(ctx context.Context) error {
	var where [4]string
	for i, e := range []struct {
		name, target string
		port         int
	}{
		{"api", d.world.Cluster.APIServer(), 16443},
		{"gateway", d.world.Cluster.Gateway(), 18080},
		{"prometheus", d.world.PrometheusAddress(), 19090},
		{"git", d.world.GitAddress(), 18081},
	} {
		exposure, err := forward.Expose(ctx, e.name, e.target, e.port)
		if err != nil {
			return err
		}
		defer func() { _ = exposure.Close() }()
		where[i] = exposure.Address
	}
	kubeconfig, err := d.world.Cluster.OutsideKubeconfig(where[0])
	if err != nil {
		return err
	}
	d.title("The cluster stays up")
	d.print("  export KUBECONFIG=%s", kubeconfig)
	d.print("  export PATH=$PWD/bin:$PATH && kubectl-belay get shop -n shop --watch")
	d.print("  gateway     curl -X POST -H 'Host: %s' http://%s/", d.shop.Host(), where[1])
	d.print("  Prometheus  http://%s", where[2])
	d.print("  ship        change the image in apps/shop/deployment.yaml to shop:v5 (good) or shop:v3 (bad), commit and push; the agent applies it")
	d.print("  Git         git clone %s", d.world.OutsideGit(where[3], d.shop.Name))
	d.print("  stop it     kill %s", namespace.Launcher())
	<-ctx.Done()
	return nil
}

package prometheus

import (
	"fmt"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/belay-dev/belay/analysis"
)

// result turns an answer into numbers.
func (p *Provider) result(value model.Value) (analysis.Result, error) {
	switch v := value.(type) {
	case *model.Scalar:
		return analysis.Result{Scalar: true, Series: []analysis.Series{{Value: float64(v.Value)}}}, nil
	case model.Vector:
		return p.vector(v)
	case model.Matrix:
		return analysis.Result{}, refused("the query returns ranges of samples and not numbers: apply a function to the range, as in rate(x[1m])")
	}
	// The library has no decoder for other types, and leaves the value empty where there is no data.
	return analysis.Result{}, p.classify(&promv1.Error{Type: promv1.ErrBadResponse})
}

func (p *Provider) vector(v model.Vector) (analysis.Result, error) {
	if len(v) > p.config.MaxSamples {
		return analysis.Result{}, refused(fmt.Sprintf("the query returns more than %d series: aggregate it, as in sum(...)", p.config.MaxSamples))
	}
	out := analysis.Result{Series: make([]analysis.Series, 0, len(v))}
	for _, sample := range v {
		if sample.Histogram != nil {
			return analysis.Result{}, refused("the query returns a native histogram and not a number: apply a function, as in histogram_quantile(0.99, ...)")
		}
		labels := make(map[string]string, len(sample.Metric))
		for name, value := range sample.Metric {
			labels[string(name)] = string(value)
		}
		out.Series = append(out.Series, analysis.Series{Labels: labels, Value: float64(sample.Value)})
	}
	return out, nil
}

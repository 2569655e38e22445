package prometheus

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/belay-dev/belay/analysis"
)

// Provider answers queries from one source.
type Provider struct {
	config Config
	api    promv1.API
	http   *http.Client
	slots  chan struct{} // one per query under way
}

var _ analysis.Provider = (*Provider)(nil)

// New makes a provider. It does not connect: a source that is down is an error of its queries.
func New(config Config) (*Provider, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("metric source %q: %w", config.Name, err)
	}
	config = config.withDefaults()
	client, err := commoncfg.NewClientFromConfig(config.transport(), "belay", commoncfg.WithUserAgent("belay"))
	if err != nil {
		return nil, fmt.Errorf("metric source %q: %w", config.Name, err)
	}
	client.Transport = &bounded{next: client.Transport, limit: config.MaxBytes}
	source, err := api.NewClient(api.Config{Address: config.Address, Client: client})
	if err != nil {
		return nil, fmt.Errorf("metric source %q: %w", config.Name, err)
	}
	return &Provider{
		config: config,
		api:    promv1.NewAPI(source),
		http:   client,
		slots:  make(chan struct{}, config.Concurrency),
	}, nil
}

// Query implements analysis.Provider with an instant query.
func (p *Provider) Query(ctx context.Context, query string, at time.Time) (analysis.Result, error) {
	value, err := p.ask(ctx, query, at)
	if err != nil {
		return analysis.Result{}, p.classify(err)
	}
	return p.result(value)
}

// ask sends an instant query when a slot is free.
func (p *Provider) ask(ctx context.Context, query string, at time.Time) (model.Value, error) {
	// The wait for a slot is part of the time: a caller bounds both at once.
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout.Duration)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	value, _, _, err := p.api.Query(ctx, query, at, promv1.WithTimeout(p.config.Timeout.Duration))
	return value, err
}

// Close ends idle connections.
func (p *Provider) Close() { p.http.CloseIdleConnections() }

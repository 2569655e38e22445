package backtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/analysis"
	"github.com/belay-dev/belay/analysis/prometheus"
)

// Source is where history comes from.
type Source interface {
	analysis.Reader
	// Range evaluates a query again and again.
	Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (model.Matrix, error)
}

const (
	askTimeout = 2 * time.Minute
	askBytes   = 256 << 20
)

// Prometheus reads from a server. The token file may be empty.
func Prometheus(address, tokenFile string) (Source, error) {
	provider, err := prometheus.New(prometheus.Config{
		Name: "--prometheus", Address: address, BearerTokenFile: tokenFile,
		Timeout: metav1.Duration{Duration: askTimeout}, MaxBytes: askBytes,
	})
	if err != nil {
		return nil, err
	}
	transport := api.DefaultRoundTripper
	if tokenFile != "" {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, fmt.Errorf("--bearer-token-file: %w", err)
		}
		transport = bearer{next: transport, token: strings.TrimSpace(string(token))}
	}
	client, err := api.NewClient(api.Config{Address: address, RoundTripper: transport})
	if err != nil {
		return nil, fmt.Errorf("--prometheus: %w", err)
	}
	return server{Provider: provider, api: promv1.NewAPI(client)}, nil
}

type server struct {
	*prometheus.Provider
	api promv1.API
}

func (s server) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (model.Matrix, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	value, _, _, err := s.api.QueryRange(ctx, query, promv1.Range{Start: from, End: to, Step: step})
	if err != nil {
		return nil, err
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("the answer is a %s and no matrix", value.Type())
	}
	return matrix, nil
}

// bearer adds a token to requests to the one address that the client knows.
type bearer struct {
	next  http.RoundTripper
	token string
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Write is a request that may change what is stored.
type Write struct {
	// Number counts the client's writes, from 1.
	Number int
	// Method, and the path without what comes before the resource: "rollouts/shop/status".
	Method, Object string
	// Body as it came, in whatever form the client speaks.
	Body []byte

	proxy  *Proxy
	url    url.URL
	header http.Header
}

// Answer of the API server.
type Answer struct {
	Status int
	Body   []byte
	header http.Header
}

// counts says that a request is a write.
func counts(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return false
	}
	if r.URL.Query().Get("dryRun") != "" {
		return false
	}
	kind, _, _ := strings.Cut(object(r.URL.Path), "/")
	return kind != "events" && kind != "leases" && !strings.HasSuffix(kind, "reviews")
}

// object is what comes after group, version and namespace in a path of the API.
func object(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	return strings.Join(parts, "/")
}

func (p *Proxy) read(r *http.Request) (*Write, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	return &Write{
		Number: p.writes, Method: r.Method, Object: object(r.URL.Path), Body: body,
		proxy: p, url: *r.URL, header: r.Header.Clone(),
	}, nil
}

// Pass gives the write to the API server and returns its answer. It may be called again: then the write arrives twice.
func (w *Write) Pass(ctx context.Context) (*Answer, error) { return w.PassWith(ctx, w.Body) }

// PassWith passes the write on with another body.
func (w *Write) PassWith(ctx context.Context, body []byte) (*Answer, error) {
	to := w.url
	to.Scheme, to.Host = w.proxy.to.Scheme, w.proxy.to.Host
	r, err := http.NewRequestWithContext(ctx, w.Method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = w.header.Clone()
	// The transport packs and unpacks by itself; an answer that is packed is of no use to a test.
	r.Header.Del("Accept-Encoding")
	resp, err := w.proxy.direct.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("passing on %s %s: %w", w.Method, w.Object, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer to %s %s: %w", w.Method, w.Object, err)
	}
	return &Answer{Status: resp.StatusCode, Body: text, header: resp.Header}, nil
}

func (a *Answer) give(to http.ResponseWriter) {
	for _, key := range slices.Sorted(maps.Keys(a.header)) {
		if key != "Content-Length" && key != "Transfer-Encoding" {
			to.Header()[key] = a.header[key]
		}
	}
	to.WriteHeader(a.Status)
	_, _ = to.Write(a.Body) // a client that is gone does not want it
}

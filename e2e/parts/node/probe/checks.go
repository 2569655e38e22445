package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// HTTP asks for url and is content with any status from 200 to 399. Every answer comes over a connection of its own, so
// that a container that stopped listening is noticed.
func HTTP(url string, header http.Header) Check {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		// A kubelet does not verify certificates of pods either: they are about the pod's callers.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		req.Header = header.Clone()
		if req.Header == nil {
			req.Header = http.Header{}
		}
		if req.Header.Get("User-Agent") == "" {
			req.Header.Set("User-Agent", "kube-probe/1.36")
		}
		if host := req.Header.Get("Host"); host != "" {
			req.Host = host
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 10<<10))
		if resp.StatusCode < 200 || resp.StatusCode >= 400 {
			return fmt.Errorf("HTTP probe failed with statuscode: %d", resp.StatusCode)
		}
		return nil
	}
}

// TCP is content when a connection to address opens.
func TCP(address string) Check {
	return func(ctx context.Context) error {
		dialer := net.Dialer{KeepAlive: -1 * time.Second}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

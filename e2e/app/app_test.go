package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestShareIsExactAndEven(t *testing.T) {
	cases := map[string]struct {
		percent float64
		want    string // of twenty requests, x is picked
	}{
		"none":         {0, "...................."},
		"every fifth":  {20, "....x....x....x....x"},
		"three of ten": {30, "...x..x..x...x..x..x"},
		"all":          {100, "xxxxxxxxxxxxxxxxxxxx"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := share{percent: tc.percent}
			var got strings.Builder
			for range 20 {
				if s.next() {
					got.WriteByte('x')
				} else {
					got.WriteByte('.')
				}
			}
			if got.String() != tc.want {
				t.Errorf("picked %s, want %s", got.String(), tc.want)
			}
		})
	}
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestAnswersAndMetrics(t *testing.T) {
	s := newShop("v3", "web-1", 20, time.Millisecond)
	server := httptest.NewServer(s.handler())
	defer server.Close()
	codes := map[int]int{}
	for range 10 {
		resp, body := get(t, server.URL+"/cart")
		codes[resp.StatusCode]++
		if got := resp.Header.Get("X-Revision"); got != "v3" {
			t.Errorf("X-Revision = %q on status %d", got, resp.StatusCode)
		}
		var a answer
		if err := json.Unmarshal([]byte(body), &a); err != nil || a.Revision != "v3" || a.Pod != "web-1" {
			t.Errorf("answer = %q", body)
		}
	}
	if codes[200] != 8 || codes[500] != 2 {
		t.Errorf("codes = %v, want 8 and 2", codes)
	}
	_, metrics := get(t, server.URL+"/metrics")
	for _, want := range []string{`http_requests_total{code="200"} 8`, `http_requests_total{code="500"} 2`, `http_request_duration_seconds_bucket{le="0.1"} 10`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s:\n%s", want, metrics)
		}
	}
}

func TestReadiness(t *testing.T) {
	s := newShop("v1", "web-1", 0, 0)
	server := httptest.NewServer(s.handler())
	defer server.Close()
	want := func(state string, code int) {
		t.Helper()
		if resp, _ := get(t, server.URL+"/healthz"); resp.StatusCode != code {
			t.Errorf("%s: %d, want %d", state, resp.StatusCode, code)
		}
	}
	want("at the start", 503)
	s.ready.Store(true)
	want("ready", 200)
	s.draining.Store(true)
	want("draining", 503)
}

// Callers keep their connections, as a gateway does, and stop when they see that the pod is not ready: none of their
// requests may fail, nor may one that is under way when the server is told to end.
func TestNoRequestIsLostAtTheEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	s := newShop("v1", "web-1", 0, 5*time.Millisecond)
	s.ready.Store(true)
	ctx, end := context.WithCancel(context.Background())
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, s, time.Second) }()

	var callers sync.WaitGroup
	failures := make(chan error, 100)
	for range 8 {
		callers.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for !s.draining.Load() {
				if err := call(client, url); err != nil {
					failures <- err
				}
			}
			if err := call(client, url); err != nil { // late, as a gateway that has not heard yet
				failures <- fmt.Errorf("while draining: %w", err)
			}
		})
	}
	time.AfterFunc(200*time.Millisecond, end)
	callers.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the server still listens")
	}
}

// call uses a method that net/http does not send twice behind the caller's back.
func call(client *http.Client, url string) error {
	resp, err := client.Post(url, "text/plain", strings.NewReader("x"))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

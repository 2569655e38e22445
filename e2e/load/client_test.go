package load

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// until waits for a state of the client; it fails the test after a deadline.
func until(t *testing.T, what string, reached func() bool) {
	t.Helper()
	deadline, tick := time.Now().Add(20*time.Second), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatalf("never reached: %s", what)
		}
		<-tick.C
	}
}

func TestCountsByRevisionAndStatus(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.example" || r.Method != http.MethodPost {
			t.Errorf("host = %q, method = %s", r.Host, r.Method)
		}
		switch n.Add(1) % 4 {
		case 0:
			w.Header().Set("X-Revision", "v3")
			w.WriteHeader(http.StatusInternalServerError)
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.Header().Set("X-Revision", "v2")
		}
	}))
	defer server.Close()
	c := Start(t.Context(), Options{URL: server.URL, Host: "shop.example", RatePerSecond: 500, Workers: 1000})
	until(t, "40 answers", func() bool { return c.Snapshot().Answered >= 40 })
	c.Stop()

	got := c.Snapshot()
	sent, skipped := c.Sent()
	if sent != got.Answered || sent != int(n.Load()) || skipped != 0 {
		t.Errorf("sent %d, skipped %d, answered %d, served %d", sent, skipped, got.Answered, n.Load())
	}
	v2, v3, gateway := got.By[Kind{"v2", 200}], got.By[Kind{"v3", 500}], got.By[Kind{"", 502}]
	if v2+v3+gateway != got.Answered || v3 < 9 || gateway < 9 || got.Failed != v3+gateway {
		t.Errorf("totals = %+v", got)
	}
	if got.Of("v2") != v2 || got.FailedOf("v2") != 0 || got.FailedOf("v3") != v3 || got.FailedOf("") != gateway {
		t.Errorf("by revision: %+v", got)
	}
	if span := got.Bad["v3"]; span.First.IsZero() || span.Length() <= 0 {
		t.Errorf("bad answers of v3 = %+v", span)
	}
	if _, bad := got.Bad["v2"]; bad {
		t.Error("v2 has bad answers")
	}
}

func TestRateIsKeptWhateverTheAnswers(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	c := Start(t.Context(), Options{URL: server.URL, RatePerSecond: 200, Workers: 10})
	until(t, "ten requests under way and more skipped", func() bool {
		sent, skipped := c.Sent()
		return sent == 10 && skipped >= 10
	})
	if got := c.Snapshot().Answered; got != 0 {
		t.Errorf("%d answers from a server that gives none", got)
	}
	close(release)
	until(t, "answers", func() bool { return c.Snapshot().Answered > 10 })
	c.Stop()
	if got := c.Snapshot(); got.Failed != 0 {
		t.Errorf("failed = %d: %v", got.Failed, got.Errors)
	}
}

func TestSinceAndLast(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	c := Start(t.Context(), Options{URL: server.URL, RatePerSecond: 300})
	until(t, "a bad answer", func() bool { return c.Snapshot().Failed > 0 })
	broken.Store(false)
	until(t, "a good answer", func() bool { return c.Snapshot().By[Kind{"", 200}] > 0 })
	until(t, "only good answers of late", func() bool { return c.Last(20*time.Millisecond).Failed == 0 })
	mark := c.Mark()
	until(t, "answers after the mark", func() bool { return c.Since(mark).Answered >= 5 })
	c.Stop()
	if got := c.Since(mark); got.Failed != 0 {
		t.Errorf("after the mark: %+v", got)
	}
	if c.Snapshot().Failed == 0 {
		t.Error("the snapshot forgot what came before the mark")
	}
}

// A server that closes a kept connection without an answer is what a pod does that does not drain. net/http would send
// a GET again; here it has to be counted, once per request.
func TestBrokenConnectionsAreCountedNotRetried(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		t.Run(method, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var read atomic.Int64
			var serving sync.WaitGroup
			serving.Go(func() { answerFirstOnly(listener, &read) })
			c := Start(t.Context(), Options{URL: "http://" + listener.Addr().String(), Method: method, RatePerSecond: 100, Workers: 1})
			until(t, "connection errors", func() bool { return c.Snapshot().FailedOf("") >= 3 })
			c.Stop()
			_ = listener.Close()
			serving.Wait()
			got := c.Snapshot()
			if got.By[Kind{"", 0}] != got.Failed || len(got.Errors) == 0 {
				t.Errorf("totals = %+v, want only connection errors to fail", got)
			}
			if read.Load() != int64(got.Answered) {
				t.Errorf("the server read %d requests for %d answers: some were sent twice", read.Load(), got.Answered)
			}
		})
	}
}

// answerFirstOnly answers the first request of each connection and closes it on the second, after reading it.
func answerFirstOnly(listener net.Listener, read *atomic.Int64) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		in := bufio.NewReader(conn)
		for first := true; ; first = false {
			req, err := http.ReadRequest(in)
			if err != nil {
				break
			}
			_, _ = in.Discard(int(req.ContentLength))
			read.Add(1)
			if !first {
				break
			}
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nX-Revision: v1\r\nContent-Length: 0\r\n\r\n"))
		}
		_ = conn.Close()
	}
}

func TestNobodyListens(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := Start(ctx, Options{URL: "http://127.0.0.1:1/", RatePerSecond: 100})
	until(t, "a connection error", func() bool { return c.Snapshot().FailedOf("") > 0 })
	cancel()
	<-c.Done()
}

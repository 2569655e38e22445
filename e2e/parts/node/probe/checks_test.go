package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/bad":
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/host" && r.Host != "shop.example":
			w.WriteHeader(http.StatusMisdirectedRequest)
		case !strings.HasPrefix(r.UserAgent(), "kube-probe/"):
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	cases := map[string]struct {
		path   string
		header http.Header
		want   string
	}{
		"good":        {path: "/"},
		"bad":         {path: "/bad", want: "HTTP probe failed with statuscode: 503"},
		"host header": {path: "/host", header: http.Header{"Host": {"shop.example"}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := HTTP(server.URL+tc.path, tc.header)(context.Background())
			if got := text(err); got != tc.want {
				t.Errorf("error = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := TCP(address)(context.Background()); err != nil {
		t.Errorf("open port: %v", err)
	}
	_ = listener.Close()
	if err := TCP(address)(context.Background()); err == nil {
		t.Error("closed port: no error")
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package forward

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func serve(t *testing.T) *Outside {
	t.Helper()
	outside, err := Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := outside.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(outside.Dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", outside.Dir, err)
		}
	})
	return outside
}

func TestExposedServerAnswers(t *testing.T) {
	outside := serve(t)
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.URL.Path, len(body))
	}))
	defer inside.Close()
	exposure, err := exposeIn(t.Context(), outside.Dir, "web", inside.Listener.Addr().String(), 0)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post("http://"+exposure.Address+"/some", "", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "/some 1048576" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestHalfClosedConnectionStillAnswers(t *testing.T) {
	outside := serve(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		all, _ := io.ReadAll(conn) // returns only when the client has said all
		fmt.Fprintf(conn, "%d bytes", len(all))
	}()
	exposure, err := exposeIn(t.Context(), outside.Dir, "half", listener.Addr().String(), 0)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", exposure.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "5 bytes" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPortTakenMeansAnother(t *testing.T) {
	outside := serve(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	exposure, err := exposeIn(t.Context(), outside.Dir, "web", "127.0.0.1:1", taken.Addr().(*net.TCPAddr).Port)
	if err != nil {
		t.Fatal(err)
	}
	if exposure.Address == taken.Addr().String() || !strings.HasPrefix(exposure.Address, "127.0.0.1:") {
		t.Errorf("got %s", exposure.Address)
	}
}

func TestClosedExposureIsGone(t *testing.T) {
	outside := serve(t)
	exposure, err := exposeIn(t.Context(), outside.Dir, "web", "127.0.0.1:1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := exposure.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(10 * time.Second)
	for {
		conn, err := net.Dial("tcp", exposure.Address)
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-deadline:
			t.Fatalf("%s still listens", exposure.Address)
		default:
		}
	}
}

func TestBadNames(t *testing.T) {
	for name, bad := range map[string]string{"a path": "a/b", "upwards": "..", "the control socket": "control", "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			listener, err := listen(request{Name: bad})
			if err == nil {
				listener.Close()
				t.Error("no error")
			}
		})
	}
}

func TestExposeOutsideTheNamespaceSaysSo(t *testing.T) {
	t.Setenv(Variable, "")
	if _, err := Expose(t.Context(), "web", "127.0.0.1:1", 0); err == nil || !strings.Contains(err.Error(), "bin/local run") {
		t.Errorf("got %v", err)
	}
}

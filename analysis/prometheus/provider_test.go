package prometheus

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis"
)

var moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ask queries a source that gives a recorded answer.
func ask(t *testing.T, config Config, file string, code int) (analysis.Result, error) {
	t.Helper()
	config.Name, config.Address = "main", serve(t, answer(t, file, code))
	return source(t, config).Query(t.Context(), "up", moment)
}

func TestScalar(t *testing.T) {
	got, err := ask(t, Config{}, "scalar.json", http.StatusOK)
	if err != nil || !got.Scalar || len(got.Series) != 1 || got.Series[0].Value != 0.25 {
		t.Errorf("%+v, %v; want the scalar 0.25", got, err)
	}
}

func TestErrors(t *testing.T) {
	const transient, configuration = analysis.Transient, analysis.Configuration
	tests := map[string]struct {
		config Config
		file   string
		code   int
		kind   analysis.ErrorKind
		text   string
	}{
		"parse error":        {file: "error-parse.json", code: 400, kind: configuration, text: `metrics source "main" refuses the query: invalid parameter "query": 1:16: parse error: unclosed left parenthesis`},
		"many to many":       {file: "error-execution.json", code: 422, kind: transient, text: `cannot evaluate the query: found duplicate series for the match group`},
		"time-out":           {file: "error-timeout.json", code: 503, kind: transient, text: `metrics source "main" answers with an error: server error: 503`},
		"unauthorized":       {file: "not-prometheus.html", code: 401, kind: transient, text: `refuses the controller's credentials`},
		"forbidden":          {file: "not-prometheus.html", code: 403, kind: transient, text: `refuses the controller's credentials`},
		"not found":          {file: "not-prometheus.html", code: 404, kind: transient, text: `does not have the Prometheus API at its address`},
		"too many requests":  {file: "not-prometheus.html", code: 429, kind: transient, text: `asks for fewer queries`},
		"internal error":     {file: "not-prometheus.html", code: 500, kind: transient, text: `server error: 500`},
		"redirect":           {file: "not-prometheus.html", code: 302, kind: transient, text: `not the Prometheus API`},
		"another page":       {file: "not-prometheus.html", code: 200, kind: transient, text: `not the Prometheus API: is its address right?`},
		"range of samples":   {file: "matrix.json", code: 200, kind: configuration, text: `returns ranges of samples and not numbers: apply a function to the range, as in rate(x[1m])`},
		"string":             {file: "string.json", code: 200, kind: transient, text: `not the Prometheus API`},
		"native histogram":   {file: "histogram.json", code: 200, kind: configuration, text: `histogram_quantile`},
		"too many series":    {config: Config{MaxSamples: 1}, file: "vector-two.json", code: 200, kind: configuration, text: `more than 1 series: aggregate it, as in sum(...)`},
		"too many bytes":     {config: Config{MaxBytes: 64}, file: "vector-two.json", code: 200, kind: configuration, text: `answers with more than 64 bytes: aggregate the query`},
		"missing token file": {config: Config{BearerTokenFile: "testdata/no-such-token"}, file: "vector.json", code: 200, kind: transient, text: `a file of its credentials cannot be read`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t, tc.config, tc.file, tc.code)
			var typed *analysis.Error
			if !errors.As(err, &typed) {
				t.Fatalf("error %v is a %T", err, err)
			}
			if typed.Kind != tc.kind || !strings.Contains(typed.Text, tc.text) {
				t.Errorf("%s: %s\nwant %s: %s", typed.Kind, typed.Text, tc.kind, tc.text)
			}
		})
	}
}

func TestAnAnswerAsLargeAsAllowedIsRead(t *testing.T) {
	info, err := os.Stat("testdata/vector.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, Config{MaxBytes: info.Size()}, "vector.json", http.StatusOK); err != nil {
		t.Errorf("an answer of exactly maxBytes: %v", err)
	}
	if _, err := ask(t, Config{MaxBytes: info.Size() - 1}, "vector.json", http.StatusOK); !analysis.IsConfiguration(err) {
		t.Errorf("an answer of maxBytes + 1: %v, want a Configuration error", err)
	}
}

func TestUnreachable(t *testing.T) {
	tests := map[string]struct{ address, text string }{
		"unknown host": {"http://prometheus.invalid:9090", "cannot be reached"},
		"not TLS":      {strings.Replace(serve(t, silent), "http://", "https://", 1), "cannot be reached: it does not speak TLS"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := source(t, Config{Name: "main", Address: tc.address}).Query(t.Context(), "up", moment)
			if err == nil || analysis.IsConfiguration(err) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %v, want a Transient one with %q", err, tc.text)
			}
		})
	}
}

// What is sent is as much part of the contract as what comes back.
func TestRequest(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var seen *http.Request
	var form url.Values
	reply := answer(t, "vector.json", http.StatusOK)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		seen, form = r, r.Form
		reply(w, r)
	})
	p := source(t, Config{
		Name: "main", Address: address + "/prefix/", BearerTokenFile: token,
		Headers: map[string]string{"X-Scope-OrgID": "payments"},
	})
	if _, err := p.Query(t.Context(), `up{a="b"}`, moment); err != nil {
		t.Fatal(err)
	}
	got := []string{
		seen.URL.Path, seen.Header.Get("Authorization"), seen.Header.Get("X-Scope-OrgID"),
		form.Get("query"), form.Get("time"), form.Get("timeout"),
	}
	want := []string{"/prefix/api/v1/query", "Bearer secret-token", "payments", `up{a="b"}`, "1772366400", "10s"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestBasicAuth(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	reply := answer(t, "vector.json", http.StatusOK)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, pass, _ := r.BasicAuth(); user != "belay" || pass != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		reply(w, r)
	})
	p := source(t, Config{Name: "main", Address: address, BasicAuth: &BasicAuth{Username: "belay", PasswordFile: password}})
	if _, err := p.Query(t.Context(), "up", moment); err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(answer(t, "vector.json", http.StatusOK))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that has to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	trusting := source(t, Config{Name: "main", Address: server.URL, TLS: TLS{CAFile: ca}})
	if _, err := trusting.Query(t.Context(), "up", moment); err != nil {
		t.Errorf("with its CA: %v", err)
	}
	strict := source(t, Config{Name: "main", Address: server.URL})
	_, err := strict.Query(t.Context(), "up", moment)
	if err == nil || !strings.Contains(err.Error(), "its certificate is not trusted") {
		t.Errorf("without its CA: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Bool
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	_, err := source(t, Config{Name: "main", Address: address}).Query(t.Context(), "up", moment)
	if err == nil || reached.Load() {
		t.Errorf("error %v, redirected: %v; want an error and no request elsewhere", err, reached.Load())
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	const bound, asked = 2, 6
	arrived, release := make(chan struct{}, asked), make(chan struct{})
	var running, most atomic.Int32
	reply := answer(t, "vector.json", http.StatusOK)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), running.Add(1)))
		arrived <- struct{}{}
		<-release
		running.Add(-1)
		reply(w, r)
	})
	p := source(t, Config{Name: "main", Address: address, Concurrency: bound})
	done := make(chan error, asked)
	for range asked {
		go func() {
			_, err := p.Query(t.Context(), "up", moment)
			done <- err
		}()
	}
	for range bound {
		<-arrived
	}
	close(release)
	for range asked {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() != bound {
		t.Errorf("%d queries at once, want %d", most.Load(), bound)
	}
}

func TestWaitingForASlotEndsWithTheContext(t *testing.T) {
	started := make(chan struct{})
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { close(started); silent(w, r) })
	p := source(t, Config{Name: "main", Address: address, Concurrency: 1})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := p.Query(ctx, "up", moment)
		first <- err
	}()
	<-started
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := p.Query(ended, "up", moment); err == nil {
		t.Error("no error although the only slot is taken and the context has ended")
	}
	cancel()
	if err := <-first; err == nil || !strings.Contains(err.Error(), "was not waited for") {
		t.Errorf("cancelled query: %v", err)
	}
}

func TestTextsAreStable(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"url":            {`Post "http://10.0.0.1:9090/api/v1/query": EOF`, `Post "…": EOF`},
		"address":        {`dial tcp 10.0.0.1:9090: i/o timeout`, `dial tcp …: i/o timeout`},
		"host and port":  {`store-0.thanos.svc:10901 is down`, `… is down`},
		"IPv6":           {`dial tcp [::1]:9090: refused`, `dial tcp …: refused`},
		"identity":       {`trace 4bf92f3577b34da6a3ce929d0e0e4736 failed`, `trace … failed`},
		"position stays": {`1:16: parse error: unexpected "}"`, `1:16: parse error: unexpected "}"`},
		"lines":          {"a\n  b", "a b"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := stable(tc.in); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	if got := []rune(stable(strings.Repeat("ä", 1000))); len(got) != maxText+1 {
		t.Errorf("%d characters, want %d and an ellipsis", len(got), maxText)
	}
}

// FuzzAnswer sends arbitrary bodies: whatever a source answers, the result is numbers or a typed
// error.
func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no recorded answers: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":null,"value":[0,"1"]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":null}}`))
	f.Add([]byte(`{"status":"success"}`))
	f.Add([]byte(`null`))
	var body atomic.Pointer[[]byte]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*body.Load()) }))
	f.Cleanup(server.Close)
	p, err := New(Config{Name: "main", Address: server.URL, MaxSamples: 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.Close)
	f.Fuzz(func(t *testing.T, raw []byte) {
		body.Store(&raw)
		result, err := p.Query(t.Context(), "up", moment)
		var typed *analysis.Error
		if err != nil && (!errors.As(err, &typed) || len(result.Series) > 0) {
			t.Fatalf("%v with %v", err, result)
		}
		if len(result.Series) > 10 {
			t.Fatalf("%d series", len(result.Series))
		}
	})
}

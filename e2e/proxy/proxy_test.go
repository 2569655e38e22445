package proxy

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// scene is a proxy between a client and a server that notes what reaches it.
type scene struct {
	t       *testing.T
	client  *http.Client
	address string

	mu      sync.Mutex
	arrived []string
}

func newScene(t *testing.T, window string, write func(*Write) *Answer) *scene {
	t.Helper()
	s := &scene{t: t}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	direct, through := filepath.Join(dir, "direct"), filepath.Join(dir, "through")
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: server.URL, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})}
	config.AuthInfos["u"] = &api.AuthInfo{Token: "the client's own"}
	config.Contexts["x"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	s.must(clientcmd.WriteToFile(*config, direct))
	p, err := Start(Options{Kubeconfig: direct, Through: through, Window: window, Write: write})
	s.must(err)
	t.Cleanup(p.Close)
	how, err := clientcmd.BuildConfigFromFlags("", through)
	s.must(err)
	s.address = how.Host
	s.client, err = rest.HTTPClientFor(how)
	s.must(err)
	return s
}

// ServeHTTP is the server: it notes the request, and answers with its own words.
func (s *scene) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.arrived = append(s.arrived, fmt.Sprintf("%s %s %s as %s", r.Method, r.URL, body, r.Header.Get("Authorization")))
	s.mu.Unlock()
	to.Header().Set("X-Server", "real")
	to.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintf(to, "answer to %s", r.URL.Path)
	if r.URL.Query().Get("watch") != "" {
		to.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// ask sends a request and gives the answer's text, or "no answer".
func (s *scene) ask(ctx context.Context, method, path, body string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, s.address+path, bytes.NewBufferString(body))
	s.must(err)
	resp, err := s.client.Do(r)
	if err != nil {
		return "no answer"
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	s.must(err)
	if resp.StatusCode != http.StatusAccepted || resp.Header.Get("X-Server") != "real" {
		s.t.Errorf("status %d, header %v", resp.StatusCode, resp.Header)
	}
	return string(text)
}

func (s *scene) reached(want ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(s.arrived) != fmt.Sprint(want) {
		s.t.Errorf("the server got %q, want %q", s.arrived, want)
	}
}

const shopRoute = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop"

func TestWhatCounts(t *testing.T) {
	for name, row := range map[string]struct {
		method, path, object string
	}{
		"a patch":                     {"PATCH", shopRoute, "httproutes/shop"},
		"a status":                    {"PUT", "/apis/belay.dev/v1alpha1/namespaces/shop/rollouts/shop/status", "rollouts/shop/status"},
		"a creation":                  {"POST", "/api/v1/namespaces/shop/services", "services"},
		"a deletion":                  {"DELETE", "/api/v1/namespaces/shop/configmaps/belay-shop", "configmaps/belay-shop"},
		"without a namespace":         {"PATCH", "/api/v1/nodes/local", "nodes/local"},
		"a namespace itself":          {"DELETE", "/api/v1/namespaces/shop", "namespaces/shop"},
		"a read":                      {"GET", shopRoute, ""},
		"a dry run":                   {"PATCH", shopRoute + "?dryRun=All", ""},
		"an Event":                    {"POST", "/apis/events.k8s.io/v1/namespaces/shop/events", ""},
		"an Event of the first kind":  {"PATCH", "/api/v1/namespaces/shop/events/shop.1", ""},
		"a lease":                     {"PUT", "/apis/coordination.k8s.io/v1/namespaces/belay-system/leases/belay", ""},
		"a question by POST":          {"POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", ""},
		"a question about a right":    {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ""},
		"something else with reviews": {"POST", "/apis/shop.example.com/v1/namespaces/shop/previews-of/x", "previews-of/x"},
	} {
		t.Run(name, func(t *testing.T) {
			object := ""
			s := newScene(t, "", func(w *Write) *Answer {
				object = w.Object
				if w.Method != row.method || w.Number != 1 {
					t.Errorf("it is %s, number %d", w.Method, w.Number)
				}
				answer, err := w.Pass(context.Background())
				if err != nil {
					t.Error(err)
				}
				return answer
			})
			if got := s.ask(t.Context(), row.method, row.path, ""); got != "answer to "+bare(row.path) {
				t.Errorf("the answer is %q", got)
			}
			if object != row.object {
				t.Errorf("the write is of %q, want %q", object, row.object)
			}
			s.reached(row.method + " " + row.path + "  as Bearer the client's own")
		})
	}
}

func bare(path string) string {
	for i, c := range path {
		if c == '?' {
			return path[:i]
		}
	}
	return path
}

func TestRequestIsLost(t *testing.T) {
	s := newScene(t, "", func(*Write) *Answer { return nil })
	if got := s.ask(t.Context(), "PATCH", shopRoute, "x"); got != "no answer" {
		t.Errorf("the client hears %q", got)
	}
	s.reached()
}

func TestAnswerIsLost(t *testing.T) {
	s := newScene(t, "", func(w *Write) *Answer {
		if _, err := w.Pass(context.Background()); err != nil {
			t.Error(err)
		}
		return nil
	})
	if got := s.ask(t.Context(), "PATCH", shopRoute, "x"); got != "no answer" {
		t.Errorf("the client hears %q", got)
	}
	s.reached("PATCH " + shopRoute + " x as Bearer the client's own")
}

// A write is delivered long after its client is gone, and then once more with other words.
func TestDeliveredLate(t *testing.T) {
	held := make(chan *Write, 1)
	over := make(chan struct{})
	s := newScene(t, "", func(w *Write) *Answer {
		held <- w
		<-over
		return nil
	})
	ctx, gone := context.WithCancel(t.Context())
	asked := make(chan string)
	go func() { asked <- s.ask(ctx, "PATCH", shopRoute, "x") }()
	w := <-held
	gone()
	if got := <-asked; got != "no answer" {
		t.Errorf("the client hears %q", got)
	}
	s.reached()
	answer, err := w.Pass(t.Context())
	s.must(err)
	if answer.Status != http.StatusAccepted || string(answer.Body) != "answer to "+shopRoute {
		t.Errorf("the answer is %d %s", answer.Status, answer.Body)
	}
	_, err = w.PassWith(t.Context(), []byte("y"))
	s.must(err)
	close(over)
	s.reached("PATCH "+shopRoute+" x as Bearer the client's own", "PATCH "+shopRoute+" y as Bearer the client's own")
}

func TestWindow(t *testing.T) {
	const narrowed = "fieldSelector=metadata.namespace%3Dshop"
	for name, row := range map[string]struct{ path, reached string }{
		"a list everywhere":         {"/apis/apps/v1/deployments", "/apis/apps/v1/deployments?" + narrowed},
		"of the first group":        {"/api/v1/pods?limit=5", "/api/v1/pods?" + narrowed + "&limit=5"},
		"with a selector already":   {"/api/v1/pods?fieldSelector=spec.nodeName%3Dlocal", "/api/v1/pods?fieldSelector=spec.nodeName%3Dlocal%2Cmetadata.namespace%3Dshop"},
		"in a namespace":            {"/api/v1/namespaces/belay-system/secrets", "/api/v1/namespaces/belay-system/secrets"},
		"one object":                {shopRoute, shopRoute},
		"what has no namespace":     {"/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies", "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"},
		"templates of the cluster":  {"/apis/belay.dev/v1alpha1/clusteranalysistemplates", "/apis/belay.dev/v1alpha1/clusteranalysistemplates"},
		"what the server offers":    {"/apis/belay.dev/v1alpha1", "/apis/belay.dev/v1alpha1"},
		"nodes and namespaces stay": {"/api/v1/nodes", "/api/v1/nodes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "shop", nil)
			s.ask(t.Context(), "GET", row.path, "")
			s.reached("GET " + row.reached + "  as Bearer the client's own")
		})
	}
}

// What a watch brings is passed on as it comes, not when there is much of it.
func TestWatchFlows(t *testing.T) {
	s := newScene(t, "", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+"/api/v1/pods?watch=true", nil)
	s.must(err)
	resp, err := s.client.Do(r)
	s.must(err)
	defer func() { _ = resp.Body.Close() }()
	text := make([]byte, len("answer to /api/v1/pods"))
	if _, err := io.ReadFull(resp.Body, text); err != nil || string(text) != "answer to /api/v1/pods" {
		t.Errorf("read %q, %v", text, err)
	}
}

package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiversion "k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// served is a kubeconfig for a server that tells its version and the groups of its API.
func served(t *testing.T, groups ...metav1.APIGroup) string {
	t.Helper()
	answers := map[string]any{
		"/version": apiversion.Info{GitVersion: "v1.36.1"}, "/apis": metav1.APIGroupList{Groups: groups}, "/api": metav1.APIVersions{Versions: []string{"v1"}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	text, err := os.ReadFile(kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "served")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "http://127.0.0.1:1", server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// plain runs a command line as it is, with the kubeconfig in the environment.
func plain(t *testing.T, c *cluster, config string, args ...string) ran {
	t.Helper()
	t.Setenv("KUBECONFIG", config)
	var out, errOut bytes.Buffer
	code := Run(t.Context(), args, c.environment(t, &out, &errOut))
	return ran{code: code, out: out.String(), err: errOut.String()}
}

func TestVersion(t *testing.T) {
	v1alpha1 := metav1.GroupVersionForDiscovery{GroupVersion: "belay.dev/v1alpha1", Version: "v1alpha1"}
	belay := metav1.APIGroup{Name: "belay.dev", Versions: []metav1.GroupVersionForDiscovery{v1alpha1}, PreferredVersion: v1alpha1}
	for name, c := range map[string]struct {
		config   string
		args     []string
		code     int
		out, err string
	}{
		"all three":     {served(t, belay), nil, 0, "Kubernetes:    v1.36.1\nBelay's API:   belay.dev/v1alpha1\n", ""},
		"without Belay": {served(t), nil, 0, "Belay's API:   not installed", ""},
		"only its own":  {kubeconfig(t), []string{"--client"}, 0, "kubectl-belay: ", ""},
		"no server":     {kubeconfig(t), nil, 2, "kubectl-belay: ", "(--client asks only for this plugin's version)"},
	} {
		t.Run(name, func(t *testing.T) {
			plain(t, &cluster{}, c.config, append([]string{"version"}, c.args...)...).check(t, c.code, c.out, c.err)
		})
	}
}

// Without a name the names that there are are told, and the shell offers them.
func TestNames(t *testing.T) {
	cl := &cluster{objects: []client.Object{rollout("checkout"), rollout("cart")}}
	config := kubeconfig(t)
	for name, c := range map[string]struct {
		cluster  *cluster
		args     []string
		code     int
		out, err string
	}{
		"none given":          {cl, []string{"abort"}, 2, "", "which Rollout? Say `kubectl belay abort NAME`. There are: cart, checkout."},
		"two given":           {cl, []string{"abort", "a", "b"}, 2, "", "one Rollout at a time, got 2 names"},
		"of another kind":     {cl, []string{"abort", "deployment/a"}, 2, "", `"deployment/a" is not a Rollout`},
		"there is none":       {&cluster{}, []string{"abort"}, 2, "", "There is none in namespace shop"},
		"offered":             {cl, []string{"__complete", "abort", ""}, 0, "cart\ncheckout\n:4", ""},
		"one is enough":       {cl, []string{"__complete", "abort", "cart", ""}, 0, ":4", ""},
		"nobody can be asked": {&cluster{funcs: failing(errBroken)}, []string{"__complete", "abort", ""}, 0, ":1", ""},
	} {
		t.Run(name, func(t *testing.T) { plain(t, c.cluster, config, c.args...).check(t, c.code, c.out, c.err) })
	}
}

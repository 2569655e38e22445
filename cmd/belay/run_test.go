package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/testr"
	"github.com/spf13/pflag"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// apiServer answers the two questions that are asked before anything is started: what it offers, and who asks.
func apiServer(t *testing.T, offers []string, user string) *rest.Config {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/apis/admissionregistration.k8s.io/v1", func(w http.ResponseWriter, r *http.Request) {
		if offers == nil {
			http.NotFound(w, r)
			return
		}
		var pairs []string
		for _, name := range offers {
			pairs = append(pairs, name, "Policy")
		}
		answer(t, w, resources("admissionregistration.k8s.io/v1", pairs...))
	})
	// The manager looks up where the kinds of its cache live.
	mux.HandleFunc("/api", func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, metav1.APIVersions{Versions: []string{"v1"}})
	})
	mux.HandleFunc("/api/v1", func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, resources("v1", "configmaps", "ConfigMap", "pods", "Pod"))
	})
	version := metav1.GroupVersionForDiscovery{GroupVersion: v1alpha1.GroupVersion.String(), Version: v1alpha1.GroupVersion.Version}
	mux.HandleFunc("/apis", func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, metav1.APIGroupList{Groups: []metav1.APIGroup{{Name: v1alpha1.GroupVersion.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version}}})
	})
	mux.HandleFunc("/apis/"+version.GroupVersion, func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, resources(version.GroupVersion, "repositories", "Repository", "rollouts", "Rollout"))
	})
	mux.HandleFunc("/apis/authentication.k8s.io/v1/selfsubjectreviews", func(w http.ResponseWriter, r *http.Request) {
		if user == "" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		answer(t, w, authenticationv1.SelfSubjectReview{
			TypeMeta: metav1.TypeMeta{APIVersion: "authentication.k8s.io/v1", Kind: "SelfSubjectReview"},
			Status:   authenticationv1.SelfSubjectReviewStatus{UserInfo: authenticationv1.UserInfo{Username: user}},
		})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
}

// resources are pairs of a plural name and a kind.
func resources(version string, pairs ...string) metav1.APIResourceList {
	list := metav1.APIResourceList{GroupVersion: version}
	for i := 0; i < len(pairs); i += 2 {
		list.APIResources = append(list.APIResources, metav1.APIResource{Name: pairs[i], Kind: pairs[i+1], Namespaced: true})
	}
	return list
}

func answer(t *testing.T, w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(object); err != nil {
		t.Error(err)
	}
}

func TestPreflight(t *testing.T) {
	const belay = "system:serviceaccount:belay-system:belay"
	both := []string{"validatingadmissionpolicies", "mutatingadmissionpolicies"}
	for name, tc := range map[string]struct {
		offers   []string
		me, user string
		policies bool
		err      string
	}{
		"as it should be":            {both, belay, belay, true, ""},
		"nobody asks who we are":     {both, "", "", true, ""},
		"an older server":            {both[:1], belay, belay, false, ""},
		"a server without the group": {nil, belay, belay, false, ""},
		"somebody else": {both, "kubernetes-admin", belay, true,
			"--controller-user is " + belay + ", but the API server knows this process as kubernetes-admin"},
		"not told who we are": {both, "", belay, true, "asking the API server who we are"},
	} {
		t.Run(name, func(t *testing.T) {
			policies, err := preflight(t.Context(), apiServer(t, tc.offers, tc.me), tc.user, testr.New(t))
			if policies != tc.policies || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("policies %t, %v; want %t, %q", policies, err, tc.policies, tc.err)
			}
		})
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if _, err := preflight(t.Context(), &rest.Config{Host: gone.URL}, "", testr.New(t)); err == nil || !strings.Contains(err.Error(), "what it offers") {
		t.Errorf("without a server: %v", err)
	}
}

// What keeps the controller from starting names the way out.
func TestRunDoesNotStart(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "config")
	t.Setenv("KUBECONFIG", kubeconfig)
	if err := os.WriteFile(kubeconfig, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), defaults(), testr.New(t)); err == nil || !strings.Contains(err.Error(), "set KUBECONFIG, or run inside a cluster") {
		t.Errorf("with a broken configuration: %v", err)
	}
	config := apiServer(t, []string{"mutatingadmissionpolicies"}, "somebody")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a}}]\nclusters: [{name: a, cluster: {server: \"" + config.Host + "\"}}]\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := defaults()
	o.user = "belay"
	if err := run(t.Context(), o, testr.New(t)); err == nil || !strings.Contains(err.Error(), "knows this process as somebody") {
		t.Errorf("as somebody else: %v", err)
	}
	o.user, o.metrics, o.health, o.gitCache, o.providers = "", "0", "0", t.TempDir(), filepath.Join(t.TempDir(), "none.yaml")
	if err := run(t.Context(), o, testr.New(t)); err == nil || !strings.Contains(err.Error(), "metric sources") {
		t.Errorf("without the file of sources: %v", err)
	}
	o.providers = ""
	t.Setenv("PATH", t.TempDir())
	if err := run(t.Context(), o, testr.New(t)); err == nil || !strings.Contains(err.Error(), "git is not installed") {
		t.Errorf("without git: %v", err)
	}
}

func TestFlags(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	o := defaults()
	if o.namespace != "belay-system" || o.workers != 8 || o.cluster != "default" {
		t.Errorf("by default %+v", o)
	}
	t.Setenv("POD_NAMESPACE", "belay")
	o = defaults()
	err := o.flags().Parse([]string{"--leader-elect", "--cluster-name=eu", "--workers=2", "--providers=p.yaml", "--git-allow-http", "-v", "--controller-user=me"})
	if err != nil || o.namespace != "belay" || !o.leaderElect || o.cluster != "eu" || o.workers != 2 || o.providers != "p.yaml" || !o.gitAllowHTTP || !o.verbose || o.user != "me" {
		t.Errorf("read %+v, %v", o, err)
	}
	o.flags().VisitAll(func(f *pflag.Flag) {
		if f.Usage == "" {
			t.Errorf("--%s has no explanation", f.Name)
		}
	})
	if got := protocols(o.gitAllowHTTP); !slices.Equal(got, []string{"http"}) || protocols(false) != nil {
		t.Errorf("protocols %v", got)
	}
}

// The cache holds what is looked at and no more: pods without what they run, ConfigMaps of attempts, Repositories of the
// controller's namespace.
func TestCache(t *testing.T) {
	o := defaults()
	o.namespace = "belay"
	opts := managerOptions(o, testr.New(t))
	for object, by := range opts.Cache.ByObject {
		switch object.(type) {
		case *corev1.ConfigMap:
			if by.Label.String() != v1alpha1.LabelAttempt+"=true" {
				t.Errorf("ConfigMaps by %s", by.Label)
			}
		case *v1alpha1.Repository:
			if _, ok := by.Namespaces["belay"]; !ok || len(by.Namespaces) != 1 {
				t.Errorf("Repositories of %v", by.Namespaces)
			}
		case *corev1.Pod:
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"app": "a"}, Annotations: map[string]string{"x": "y"}}, Spec: corev1.PodSpec{NodeName: "n"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
			kept, err := by.Transform(pod)
			got := kept.(*corev1.Pod)
			if err != nil || got.Name != "a" || got.Labels["app"] != "a" || got.Status.Phase != corev1.PodRunning || got.Annotations != nil || got.Spec.NodeName != "" {
				t.Errorf("of a pod is kept %+v, %v", got, err)
			}
			if other, err := by.Transform("no pod"); other != "no pod" || err != nil {
				t.Errorf("of something else %v, %v", other, err)
			}
		default:
			t.Errorf("%T is kept in a way that no test knows", object)
		}
	}
	if !opts.LeaderElectionReleaseOnCancel || opts.LeaderElectionNamespace != "belay" {
		t.Errorf("the lease is %+v", opts)
	}
	if !opts.Scheme.Recognizes(v1alpha1.GroupVersion.WithKind("Rollout")) {
		t.Error("the manager does not know Rollouts")
	}
}

func TestProviders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sources.yaml")
	if err := os.WriteFile(file, []byte("providers: [{name: main, address: \"http://prometheus:9090\"}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	sources, err := providers(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sources.Close)
	if _, err := sources.Get("", "shop"); err != nil {
		t.Errorf("the only source: %v", err)
	}
	none, err := providers("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Get("main", "shop"); err == nil {
		t.Error("a source that nobody configured")
	}
}

package agent

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/gitserver"
)

// config is set before the tests run and only read by them.
var config *rest.Config

func TestMain(m *testing.M) {
	os.Exit(cluster.Main(m, cluster.Options{}, func(c *cluster.Cluster) { config = c.Config() }))
}

// scene is a namespace, a repository and an agent between them.
type scene struct {
	*Agent
	t         *testing.T
	client    kubernetes.Interface
	server    *gitserver.Server
	repo      *gitserver.Repository
	namespace string
}

func newScene(t *testing.T, change func(*Options)) *scene {
	t.Helper()
	ctx := t.Context()
	s := &scene{t: t, client: kubernetes.NewForConfigOrDie(config)}
	namespace, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "agent-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.namespace = namespace.Name
	if s.server, err = gitserver.Start(ctx, gitserver.Options{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.server.Close)
	if s.repo, err = s.server.Create(ctx, "shop", "bot", "secret"); err != nil {
		t.Fatal(err)
	}
	s.commit("app:v1", nil)
	options := Options{
		Config: config, Repository: s.repo.URL(), Path: "app", Namespace: s.namespace,
		Interval: 100 * time.Millisecond, Pushed: s.repo.Pushed(), Force: true,
	}
	if change != nil {
		change(&options)
	}
	ctx, stop := context.WithCancel(ctx)
	if s.Agent, err = Start(ctx, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		<-s.Done()
	})
	return s
}

// commit ships an image, with more files if there are any.
func (s *scene) commit(image string, more map[string]string) string {
	s.t.Helper()
	files := map[string]string{
		"app/web.yaml": fmt.Sprintf(`# the shop
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: %q}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`, image),
		"app/notes.txt":   "not: a manifest",
		"other/else.yaml": "kind: Nonsense\n",
	}
	for path, content := range more {
		files[path] = content
	}
	sha, err := s.repo.Commit(s.t.Context(), "main", gitserver.Change{Message: "Ship " + image, Files: files})
	if err != nil {
		s.t.Fatal(err)
	}
	return sha
}

func (s *scene) waitApplied(sha string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.WaitApplied(ctx, sha); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) deployment() *appsv1.Deployment {
	s.t.Helper()
	d, err := s.client.AppsV1().Deployments(s.namespace).Get(s.t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

// update changes the Deployment as a person does.
func (s *scene) update(change func(*appsv1.Deployment)) {
	s.t.Helper()
	for {
		d := s.deployment()
		change(d)
		_, err := s.client.AppsV1().Deployments(s.namespace).Update(s.t.Context(), d, metav1.UpdateOptions{FieldManager: "person"})
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "the object has been modified") {
			s.t.Fatal(err)
		}
	}
}

func (s *scene) until(what string, reached func() bool) {
	s.t.Helper()
	deadline, tick := time.Now().Add(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !reached() {
		if time.Now().After(deadline) {
			s.t.Fatalf("never reached: %s; the agent says: %v", what, s.Err())
		}
		<-tick.C
	}
}

// generations is how a diff shows that an apply would change the spec.
func generations(live int64) string { return fmt.Sprintf("%d -> %d", live, live+1) }

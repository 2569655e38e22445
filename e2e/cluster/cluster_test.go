package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/belay-dev/belay/e2e/cluster"
)

func TestControlPlane(t *testing.T) {
	ctx := t.Context()
	start := time.Now()
	c := cluster.ForTest(t, cluster.Options{Audit: true})
	t.Logf("the control plane was ready after %s", time.Since(start).Round(10*time.Millisecond))
	client := kubernetes.NewForConfigOrDie(c.Config())

	t.Run("discovery tells the true version", func(t *testing.T) {
		version, err := client.Discovery().ServerVersion()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(version.GitVersion, "v1.36.") || version.Minor != "36" {
			t.Errorf("the server says that it is %s, minor %q", version.GitVersion, version.Minor)
		}
	})
	t.Run("discovery lists mutating admission policies", func(t *testing.T) {
		list, err := client.Discovery().ServerResourcesForGroupVersion("admissionregistration.k8s.io/v1")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range list.APIResources {
			names = append(names, r.Name)
		}
		if all := strings.Join(names, " "); !strings.Contains(all, "mutatingadmissionpolicies ") {
			t.Errorf("only %s", all)
		}
	})
	t.Run("controllers work", func(t *testing.T) {
		deployment := someDeployment()
		if _, err := client.AppsV1().Deployments("default").Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool {
			sets, err := client.AppsV1().ReplicaSets("default").List(ctx, metav1.ListOptions{})
			return err == nil && len(sets.Items) == 1
		})
	})
	t.Run("a service account may do what its roles say and no more", func(t *testing.T) {
		path, err := c.ServiceAccountKubeconfig(ctx, "default", "default")
		if err != nil {
			t.Fatal(err)
		}
		config, err := clientcmd.BuildConfigFromFlags("", path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = kubernetes.NewForConfigOrDie(config).CoreV1().Pods("default").List(ctx, metav1.ListOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:default:default") {
			t.Errorf("listing pods: %v", err)
		}
	})
	t.Run("the audit log names who wrote", func(t *testing.T) {
		eventually(t, func() bool {
			text, err := os.ReadFile(c.AuditLog())
			return err == nil && strings.Contains(string(text), `"username":"system:serviceaccount:kube-system:deployment-controller"`)
		})
	})
}

func TestStopLeavesNothing(t *testing.T) {
	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := children(t); len(got) != 3 {
		t.Errorf("three parts should run, there are %v", got)
	}
	c.Stop()
	if got := children(t); len(got) != 0 {
		t.Errorf("still running: %v", got)
	}
	if _, err := os.Stat(c.Dir()); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", c.Dir(), err)
	}
	if err := c.Err(); err != nil {
		t.Errorf("stopping is not a failure: %v", err)
	}
}

func TestStartStopsWhenCanceled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if c, err := cluster.Start(ctx, cluster.Options{}); err == nil {
		c.Stop()
		t.Fatal("a control plane cannot be ready within half a second; the test proves nothing")
	}
	if got := children(t); len(got) != 0 {
		t.Errorf("still running: %v", got)
	}
}

func TestDeathAtStartNamesThePart(t *testing.T) {
	_, err := cluster.Start(t.Context(), cluster.Options{APIServerArgs: []string{"--no-such-flag"}})
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended before it was ready") ||
		!strings.Contains(err.Error(), "unknown flag: --no-such-flag") {
		t.Errorf("got %v", err)
	}
}

func TestLaterDeathIsNoticed(t *testing.T) {
	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	for pid, name := range children(t) {
		if name == "kube-controller" { // the kernel keeps 15 characters
			process, err := os.FindProcess(pid)
			if err != nil {
				t.Fatal(err)
			}
			if err := process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the death of the controller manager was not noticed")
	}
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "kube-controller-manager died (signal: killed)") {
		t.Errorf("got %v", err)
	}
}

func someDeployment() *appsv1.Deployment {
	labels := map[string]string{"app": "some"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "some"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "some:1"}}},
			},
		},
	}
}

func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !happened() {
		select {
		case <-deadline:
			t.Fatal("it did not happen within 20 s")
		case <-ticker.C:
		}
	}
}

// children are this process's children by number, with their names.
func children(t *testing.T) map[int]string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatalf("/proc is not there: %v", err)
	}
	found := map[int]string{}
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		// number (name) state parent …
		open, end := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
		fields := strings.Fields(string(text[end+1:]))
		if parent, err := strconv.Atoi(fields[1]); err != nil || parent != os.Getpid() {
			continue
		}
		number, err := strconv.Atoi(strings.TrimSpace(string(text[:open])))
		if err != nil {
			t.Fatal(err)
		}
		found[number] = string(text[open+1 : end])
	}
	return found
}

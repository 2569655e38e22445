package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/cmd/kubectl-belay/gather"
)

// cluster is the API of a server, in memory, for what is about arguments, answers and exit codes. What a real server does
// with these requests is tested with a real one.
type cluster struct {
	objects []client.Object
	funcs   interceptor.Funcs
	made    client.WithWatch
}

func (c *cluster) client(t *testing.T) client.WithWatch {
	t.Helper()
	if c.made == nil {
		scheme, err := gather.Scheme()
		if err != nil {
			t.Fatal(err)
		}
		c.made = fake.NewClientBuilder().WithScheme(scheme).WithObjects(c.objects...).
			WithStatusSubresource(&v1alpha1.Rollout{}).WithInterceptorFuncs(c.funcs).
			WithIndex(&v1alpha1.Rollout{}, "metadata.name", func(o client.Object) []string { return []string{o.GetName()} }).Build()
	}
	return c.made
}

// ran is what came of a command line.
type ran struct {
	code     int
	out, err string
}

func run(t *testing.T, c *cluster, args ...string) ran {
	t.Helper()
	return runWith(t.Context(), t, c, args...)
}

func runWith(ctx context.Context, t *testing.T, c *cluster, args ...string) ran {
	t.Helper()
	var out, errOut bytes.Buffer
	code := Run(ctx, append(args, "--kubeconfig="+kubeconfig(t)), c.environment(t, &out, &errOut))
	return ran{code: code, out: out.String(), err: errOut.String()}
}

func (c *cluster) environment(t *testing.T, out, errOut io.Writer) Environment {
	made := c.client(t)
	return Environment{
		Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: out, ErrOut: errOut},
		Connect: func(genericclioptions.RESTClientGetter) (client.WithWatch, error) { return made, nil },
		Now:     func() time.Time { return noon },
		Token:   func() string { return "token-1" },
		Size:    func() (int, int) { return 0, 0 },
	}
}

// kubeconfig names the namespace shop and a server that nobody asks.
func kubeconfig(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, namespace: shop}}]\nclusters: [{name: a, cluster: {server: http://127.0.0.1:1}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (r ran) check(t *testing.T, code int, out, errOut string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	if !strings.Contains(r.out, out) {
		t.Errorf("output lacks %q", out)
	}
	if !strings.Contains(r.err, errOut) {
		t.Errorf("error output lacks %q", errOut)
	}
	if t.Failed() {
		t.Logf("output:\n%s\nerror output:\n%s", r.out, r.err)
	}
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func rollout(name string, change ...func(*v1alpha1.Rollout)) *v1alpha1.Rollout {
	r := &v1alpha1.Rollout{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Rollout"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Generation: 1, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		Spec:       v1alpha1.RolloutSpec{WorkloadRef: v1alpha1.WorkloadReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name}},
		Status: v1alpha1.RolloutStatus{
			ObservedGeneration: 1, Phase: v1alpha1.PhaseProgressing, Step: "1/2", Message: "Bakes.",
			Stable: &v1alpha1.RevisionStatus{Revision: "aaa"}, Canary: &v1alpha1.RevisionStatus{Revision: "bbb"},
		},
	}
	for _, f := range change {
		f(r)
	}
	return r
}

func phase(p v1alpha1.Phase, last ...v1alpha1.Outcome) func(*v1alpha1.Rollout) {
	return func(r *v1alpha1.Rollout) {
		r.Status.Phase = p
		for i, o := range last {
			r.Status.History = append(r.Status.History, v1alpha1.AttemptRecord{Attempt: int64(len(last) - i), Outcome: o})
		}
	}
}

func deployment(held bool) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "checkout", UID: "d1"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](2), Paused: held,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "checkout"}},
		},
	}
	if held {
		d.Annotations = map[string]string{v1alpha1.AnnotationHold: "0.0/false"}
	}
	return d
}

// answering is a controller that answers each request as it is written.
func answering(outcome, message string) interceptor.Funcs {
	return interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
		if err := c.Patch(ctx, o, p, opts...); err != nil {
			return err
		}
		r, ok := o.(*v1alpha1.Rollout)
		if !ok {
			return nil
		}
		asked := strings.Fields(r.Annotations[v1alpha1.AnnotationRequest])
		if len(asked) != 3 {
			return fmt.Errorf("the request reads %q", r.Annotations[v1alpha1.AnnotationRequest])
		}
		r = r.DeepCopy()
		r.Status.Request = &v1alpha1.RequestStatus{Verb: asked[0], Revision: asked[1], Token: asked[2], Outcome: outcome, Message: message}
		return c.Status().Update(ctx, r)
	}}
}

// failing lets the first call of a kind fail.
func failing(err error) interceptor.Funcs {
	return interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return err
		},
		List: func(_ context.Context, _ client.WithWatch, _ client.ObjectList, _ ...client.ListOption) error {
			return err
		},
	}
}

var errBroken = errors.New("broken")

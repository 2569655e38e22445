package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/observe"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/gitops"
)

// What a person finds who finds the commit.
func TestFailure(t *testing.T) {
	at := metav1.NewMicroTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for name, tc := range map[string]struct {
		evidence []string
		image    string
		cleared  *metav1.MicroTime
		want     gitops.Failure
	}{
		"a metric failed": {[]string{"p99\t0.81s\tresult < 1\tPass", "errors\t0.072\tresult < 0.01\tFail", "2 pods restarted"}, "registry:5000/shop/web:v1@sha256:00", &at,
			gitops.Failure{Stable: "v1", Headline: "errors 0.072", TrafficBack: at.Time, Evidence: []gitops.Evidence{
				{Name: "p99", Value: "0.81s", Limit: "result < 1", Remark: "pass"}, {Name: "errors", Value: "0.072", Limit: "result < 0.01", Remark: "fail"}, {Name: "2 pods restarted"},
			}}},
		"pods failed": {[]string{"container app: CrashLoopBackOff"}, "registry:5000/shop/web", nil,
			gitops.Failure{Headline: "because", Evidence: []gitops.Evidence{{Name: "container app: CrashLoopBackOff"}}}},
		"nothing is known": {nil, "", nil, gitops.Failure{Headline: "because"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &observe.Scene{Observed: plan.Observed{Namespace: "shop", Name: "web", Progress: v1alpha1.Progress{
				Stable: &v1alpha1.RevisionRecord{Image: tc.image}, ClearedAt: tc.cleared,
				Ending: &v1alpha1.Ending{Reason: "because", Step: "2/3", At: at, Evidence: tc.evidence},
			}}}
			got := (&Applier{Cluster: "eu"}).failure(s)
			if got.Cluster != "eu" || got.Namespace != "shop" || got.Rollout != "web" || got.Reason != "because" || got.Step != "2/3" || !got.At.Equal(at.Time) {
				t.Errorf("told %+v", got)
			}
			if got.Stable != tc.want.Stable || got.Headline != tc.want.Headline || !got.TrafficBack.Equal(tc.want.TrafficBack) || len(got.Evidence) != len(tc.want.Evidence) {
				t.Fatalf("told %+v, want %+v", got, tc.want)
			}
			for i, line := range tc.want.Evidence {
				if got.Evidence[i] != line {
					t.Errorf("line %+v, want %+v", got.Evidence[i], line)
				}
			}
		})
	}
}

// FuzzFailure reads lines and images that say anything: a tag is a part of the image's name, and a line is never told as
// something that it does not say.
func FuzzFailure(f *testing.F) {
	f.Add("registry:5000/shop/web:v1@sha256:00", "errors\t0.072\tresult < 0.01\tFail")
	f.Add("registry:5000/shop", "a\tb")
	f.Add(":", "\t\t\tFail")
	f.Add("@a:b", "a\tb\tc\td\te")
	f.Fuzz(func(t *testing.T, image, line string) {
		name, _, _ := strings.Cut(image, "@")
		if got := tag(image); strings.ContainsAny(got, ":/@") || got != "" && !strings.HasSuffix(name, ":"+got) {
			t.Errorf("%q is called %q", image, got)
		}
		e := evidence(line)
		told, want := strings.Join([]string{e.Name, e.Value, e.Limit, e.Remark}, "\t"), line
		if last := strings.LastIndex(line, "\t"); strings.Count(line, "\t") == 3 {
			want = line[:last] + strings.ToLower(line[last:])
		} else {
			told = e.Name
		}
		if told != want {
			t.Errorf("%q is told as %+v", line, e)
		}
		why := headline(&v1alpha1.Ending{Reason: "because", Evidence: []string{line}})
		if failed := strings.HasSuffix(line, "\tFail") && strings.Count(line, "\t") == 3; (why == "because") != !failed && e.Name+" "+e.Value != "because" {
			t.Errorf("of %q the headline is %q", line, why)
		}
	})
}

// The Secrets of a Repository are read at every call; each mistake names the field or the key.
func TestReach(t *testing.T) {
	data := map[string]map[string][]byte{
		"git": {"username": []byte("u"), "password": []byte("p")}, "half": {"username": []byte("u")}, "sign": {"identity": []byte("k")}, "empty": {},
	}
	a := &Applier{Secret: func(_ context.Context, name string) (*corev1.Secret, error) {
		if name == "away" {
			return nil, errors.New("the API server is away")
		}
		if data[name] == nil {
			return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
		}
		return &corev1.Secret{Data: data[name]}, nil
	}}
	for name, tc := range map[string]struct {
		auth, signing string
		limit         int32
		want          int
		class         gitops.Class
		text          string
	}{
		"without Secrets":      {want: 20},
		"with both":            {auth: "git", signing: "sign", limit: 3, want: 3},
		"half a way":           {auth: "half", class: gitops.ClassAuth, text: "username and password belong together"},
		"none":                 {auth: "gone", class: gitops.ClassAuth, text: `spec.secretRef.name of Repository platform names Secret "gone"`},
		"nothing to sign with": {signing: "empty", class: gitops.ClassAuth, text: "Secret empty of Repository platform has no key identity to sign with"},
		"no key to sign with":  {signing: "gone", class: gitops.ClassAuth, text: `spec.signing.secretRef.name of Repository platform names Secret "gone"`},
		"the server is away":   {auth: "away", text: "reading Secret away: the API server is away"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := a.reach(t.Context(), platform(func(r *v1alpha1.Repository) {
				r.Spec.Author = v1alpha1.GitIdentity{Name: "belay", Email: "belay@example.com"}
				if tc.auth != "" {
					r.Spec.SecretRef = &v1alpha1.SecretReference{Name: tc.auth}
				}
				if tc.signing != "" {
					r.Spec.Signing = &v1alpha1.Signing{SecretRef: v1alpha1.SecretReference{Name: tc.signing}}
				}
				if tc.limit > 0 {
					r.Spec.Limits = &v1alpha1.RepositoryLimits{CommitsPerHour: tc.limit}
				}
			}))
			var failed *gitops.Error
			if errors.As(err, &failed) != (tc.class != "") || failed != nil && failed.Class != tc.class || (err != nil) != (tc.text != "") || err != nil && !strings.Contains(err.Error(), tc.text) {
				t.Fatalf("the error is %v, want %s %q", err, tc.class, tc.text)
			}
			if err == nil && (got.CommitsPerHour != tc.want || got.Author.Name != "belay" || (got.Auth.Password != "") != (tc.auth != "") || (len(got.SigningKey) > 0) != (tc.signing != "")) {
				t.Errorf("reached by %+v", got)
			}
		})
	}
}

package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/e2e/gitserver"
)

func image(d *appsv1.Deployment) string { return d.Spec.Template.Spec.Containers[0].Image }

func (s *scene) wantDiff(want ...string) {
	s.t.Helper()
	got, err := s.Diff(s.t.Context())
	if err != nil || !slices.Equal(got, want) {
		s.t.Errorf("diff = %q, %v, want %q", got, err, want)
	}
}

func TestAppliesWhatIsPushed(t *testing.T) {
	// With an hour between two applies only the push can start the second.
	s := newScene(t, func(o *Options) { o.Interval = time.Hour })
	s.until("the first apply", func() bool { return s.Applied() != "" })
	first := s.Applied()
	sha := s.commit("app:v2", nil)
	s.waitApplied(sha)
	if got := image(s.deployment()); got != "app:v2" {
		t.Errorf("image = %s, want app:v2", got)
	}
	s.waitApplied(first) // what came before is applied too
	s.wantDiff()
}

func TestAppliesAgainAndAgain(t *testing.T) {
	s := newScene(t, nil)
	s.until("the first apply", func() bool { return s.Applied() != "" })
	s.update(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "app:hotfix" })
	s.until("Git's image", func() bool { return image(s.deployment()) == "app:v1" })

	s.Pause()
	s.update(func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Image = "app:hotfix"
		d.Spec.Paused = true
	})
	s.wantDiff("Deployment "+s.namespace+`/web metadata.generation: `+generations(s.deployment().Generation),
		"Deployment "+s.namespace+`/web spec.template.spec.containers[0].image: "app:hotfix" -> "app:v1"`)
	if got := image(s.deployment()); got != "app:hotfix" {
		t.Errorf("image = %s: a dry run or a paused agent wrote", got)
	}
	s.Resume()
	s.until("Git's image after the pause", func() bool { return image(s.deployment()) == "app:v1" })
	s.wantDiff() // paused is not in Git, so the agent leaves it alone
}

func TestGoesOnWithoutGit(t *testing.T) {
	s := newScene(t, nil)
	s.until("the first apply", func() bool { return s.Applied() != "" })
	s.server.Down(gitserver.Refusing)
	s.until("an error", func() bool { return s.Err() != nil })
	s.update(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "app:hotfix" })
	s.until("Git's image without Git", func() bool { return image(s.deployment()) == "app:v1" })
	sha := s.commit("app:v2", nil)
	if err := s.server.Up(); err != nil {
		t.Fatal(err)
	}
	s.waitApplied(sha)
	s.until("no error", func() bool { return s.Err() == nil })
}

func TestOneBrokenObjectDoesNotStopTheOthers(t *testing.T) {
	cases := map[string]struct{ file, want string }{
		"unreadable":   {"kind: [", "app/broken.yaml"},
		"unknown kind": {"kind: Nonsense\napiVersion: example.com/v1\nmetadata: {name: x}\n", `no matches for kind "Nonsense"`},
		"refused":      {"kind: Service\napiVersion: v1\nmetadata: {name: x}\nspec: {ports: [{port: 99999}]}\n", "must be between 1 and 65535"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, nil)
			s.until("the first apply", func() bool { return s.Applied() != "" })
			good := s.Applied()
			sha := s.commit("app:v2", map[string]string{"app/broken.yaml": tc.file})
			s.until("the good object", func() bool { return image(s.deployment()) == "app:v2" })
			s.until("an error with the file", func() bool {
				return s.Err() != nil && strings.Contains(s.Err().Error(), tc.want) && strings.Contains(s.Err().Error(), "app/broken.yaml")
			})
			if s.Applied() != good {
				t.Errorf("applied = %s, want that a commit with a broken object does not count", s.Applied())
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := s.WaitApplied(ctx, sha); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "broken.yaml") {
				t.Errorf("error = %v, want the deadline and its reason", err)
			}
		})
	}
}

func TestForceIsAnOption(t *testing.T) {
	s := newScene(t, func(o *Options) { o.Force = false })
	s.until("the first apply", func() bool { return s.Applied() != "" })
	s.update(func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "app:hotfix" })
	s.until("a conflict", func() bool { return s.Err() != nil && strings.Contains(s.Err().Error(), `conflict with "person"`) })
	if got := image(s.deployment()); got != "app:hotfix" {
		t.Errorf("image = %s: taken over without force", got)
	}
}

func TestSourceRevision(t *testing.T) {
	s := newScene(t, func(o *Options) { o.SourceRevision = true })
	for _, version := range []string{"app:v2", "app:v3"} {
		sha := s.commit(version, nil)
		s.waitApplied(sha)
		if got := s.deployment().Annotations["belay.dev/source-revision"]; got != sha {
			t.Errorf("source-revision = %q, want %s", got, sha)
		}
	}
	s.wantDiff()
}

func TestDiffOfWhatIsNotThere(t *testing.T) {
	s := newScene(t, nil)
	s.until("the first apply", func() bool { return s.Applied() != "" })
	s.Pause()
	if err := s.client.CoreV1().Services(s.namespace).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.wantDiff("Service " + s.namespace + "/web is not there")
}

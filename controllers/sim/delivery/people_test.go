package delivery

import (
	"testing"
	"time"

	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/gitops"
)

func TestUndo(t *testing.T) {
	onBench(t, 1, func(t *testing.T, b *bench) {
		b.repo.Push("ada", b.app.SetTimeout(time.Second))
		if c := b.repo.Undo("bob", b.v2.ID); c == nil || b.app.ShippedIn(c.Files) != "v1" || c.Files.identity() == b.v1.Files.identity() {
			t.Error("the release was not undone, or more than it")
		}
		if got := inMemory(t, b.repo, b.order()); got.Result != gitops.AlreadyReverted || got.Commit != b.repo.Head().ID {
			t.Errorf("%+v", got)
		}
		if c := b.repo.Undo("bob", b.v2.ID); c != nil {
			t.Error("there was nothing to undo")
		}
	})
}

func TestEdits(t *testing.T) {
	a := Application{Namespace: "shop", Name: "web", Version: "v1", Env: []string{"LEVEL=info"}}
	for name, c := range map[string]struct {
		change  Change
		release bool // the pod template is another one
		file    string
	}{
		"ship":    {a.Ship("v2"), true, "deployment.yaml"},
		"env":     {a.SetEnv("LEVEL", "debug"), true, "deployment.yaml"},
		"new env": {a.SetEnv("NEW", "1"), true, "deployment.yaml"},
		"scale":   {a.Scale(7), false, "deployment.yaml"},
		"timeout": {a.SetTimeout(time.Second), false, "route.yaml"},
		"suspend": {a.Suspend(true), false, "rollout.yaml"},
		"note":    {a.Note("hello"), false, "README.md"},
		"unguard": {a.Unguard(), false, "rollout.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRepository(RepositoryOptions{Schedule: schedule.New(1, noon, nil)})
			first := r.Push("ada", Change{Message: "first", Edit: a.Declare})
			before := first.Files.identity()
			second := r.Push("ada", c.change)
			if got := differing(first.Files, second.Files, []string{"."}); len(got) != 1 || got[0] != "apps/web/"+c.file {
				t.Errorf("it changes %v", got)
			}
			if first.Files.identity() != before || first.sealed().ID != r.Head().parent.ID {
				t.Error("the older commit has changed")
			}
			src := gitops.Source{Paths: []string{"."}, Workload: gitops.ObjectRef{Kind: "Deployment", Namespace: "shop", Name: "web"}}
			if same := templateOf(first.Files, src).same(templateOf(second.Files, src)); same == c.release {
				t.Errorf("the template is the same: %v", same)
			}
		})
	}
}

func TestThen(t *testing.T) {
	a := Application{Namespace: "shop", Name: "web", Version: "v1"}
	files := Files{}
	a.Declare(files)
	both := a.Ship("v2").Then(Change{Message: "for good", NoAutoRevert: true, Edit: a.Unguard().Edit})
	both.Edit(files)
	if a.ShippedIn(files) != "v2" || files.Find("Rollout", "web") != nil || !both.NoAutoRevert {
		t.Errorf("%+v leaves %v", both, files.Names())
	}
	if a.ShippedIn(Files{}) != "" {
		t.Error("nothing ships something")
	}
}

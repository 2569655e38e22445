package gitserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/belay-dev/belay/e2e/gitserver/gitcli"
)

var (
	ann = gitcli.Identity{Name: "Ann", Email: "ann@example.com"}
	bot = gitcli.Identity{Name: "Bot", Email: "bot@example.com"}
)

// serve starts a server with the repository "shop" that has one commit.
func serve(t *testing.T) (*Server, *Repository) {
	t.Helper()
	server, err := Start(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	repo, err := server.Create(t.Context(), "shop", "bot", "secret")
	if err != nil {
		t.Fatal(err)
	}
	commit(t, repo, Change{Author: ann, Message: "Start", Files: map[string]string{"app/web.yaml": "image: v1\n", "README.md": "no line end"}})
	return server, repo
}

func commit(t *testing.T, repo *Repository, change Change) string {
	t.Helper()
	sha, err := repo.Commit(t.Context(), "main", change)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// clone is a work tree of the repository that pushes with the given user and password.
func clone(t *testing.T, repo *Repository, userinfo string, args ...string) gitcli.Git {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	url := strings.Replace(repo.URL(), "http://", "http://"+userinfo, 1)
	if _, err := (gitcli.Git{Dir: t.TempDir()}).Run(t.Context(), append([]string{"clone", "--quiet", url, dir}, args...)...); err != nil {
		t.Fatal(err)
	}
	return gitcli.Git{Dir: dir}.As(bot)
}

// save commits a file in a work tree.
func save(t *testing.T, work gitcli.Git, path, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(work.Dir, path), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"add", path}, {"commit", "--quiet", "-m", "Save " + path}} {
		if _, err := work.Run(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
}

func push(t *testing.T, work gitcli.Git, args ...string) error {
	t.Helper()
	_, err := work.Run(t.Context(), append([]string{"push", "--quiet", "origin", "HEAD:main"}, args...)...)
	return err
}

func wantPushes(t *testing.T, repo *Repository, attempted, accepted int) {
	t.Helper()
	if a, b := repo.Pushes(); a != attempted || b != accepted {
		t.Errorf("pushes: %d attempted, %d accepted, want %d and %d", a, b, attempted, accepted)
	}
}

func TestPush(t *testing.T) {
	_, repo := serve(t)
	pushed := repo.Pushed()
	work := clone(t, repo, "bot:secret@")
	save(t, work, "app/web.yaml", "image: v2\n")
	if err := push(t, work); err != nil {
		t.Fatal(err)
	}
	wantPushes(t, repo, 1, 1)
	select {
	case <-pushed:
	default:
		t.Error("nobody was told of the push")
	}
	if got, err := repo.File(t.Context(), "main", "app/web.yaml"); err != nil || got != "image: v2\n" {
		t.Errorf("file = %q, %v", got, err)
	}
}

func TestPushNeedsThePassword(t *testing.T) {
	_, repo := serve(t)
	for name, userinfo := range map[string]string{"none": "", "wrong password": "bot:guess@", "wrong user": "ann:secret@"} {
		t.Run(name, func(t *testing.T) {
			work := clone(t, repo, userinfo)
			save(t, work, "x", "y")
			if err := push(t, work); err == nil {
				t.Error("the push was taken")
			}
		})
	}
	wantPushes(t, repo, 0, 0)
}

func TestForcedPushIsRefused(t *testing.T) {
	_, repo := serve(t)
	work := clone(t, repo, "bot:secret@")
	commit(t, repo, Change{Message: "Meanwhile", Files: map[string]string{"other": "1\n"}})
	save(t, work, "x", "y")
	if err := push(t, work, "--force"); err == nil {
		t.Error("a forced push was taken")
	}
	wantPushes(t, repo, 1, 0)
}

// A push above a megabyte comes in chunks and is announced by a request that pushes nothing.
func TestLargePush(t *testing.T) {
	_, repo := serve(t)
	work := clone(t, repo, "bot:secret@")
	noise := make([]byte, 1<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	save(t, work, "large", hex.EncodeToString(noise))
	if err := push(t, work); err != nil {
		t.Fatal(err)
	}
	wantPushes(t, repo, 1, 1)
}

func TestPartialClone(t *testing.T) {
	_, repo := serve(t)
	work := clone(t, repo, "", "--bare", "--filter=blob:none")
	missing, err := work.Run(t.Context(), "rev-list", "--objects", "--missing=print", "main")
	if err != nil || strings.Count(missing, "?") != 2 {
		t.Errorf("objects = %q, %v, want both blobs missing", missing, err)
	}
	if got, err := work.Run(t.Context(), "cat-file", "blob", "main:app/web.yaml"); err != nil || got != "image: v1" {
		t.Errorf("blob on demand = %q, %v", got, err)
	}
}

func TestPushBeatenThenTakenUp(t *testing.T) {
	_, repo := serve(t)
	work := clone(t, repo, "bot:secret@")
	save(t, work, "x", "y")
	races := 2
	repo.BeforePush(func() {
		if races--; races >= 0 {
			if _, err := repo.Commit(context.Background(), "main", Change{Message: "First", Files: map[string]string{"race": fmt.Sprint(races)}}); err != nil {
				t.Error(err)
			}
		}
	})
	for n := range 2 {
		if err := push(t, work); err == nil {
			t.Errorf("push %d won a race that it had to lose", n)
		}
		if _, err := work.Run(t.Context(), "pull", "--quiet", "--rebase", "origin", "main"); err != nil {
			t.Fatal(err)
		}
	}
	if err := push(t, work); err != nil {
		t.Error(err)
	}
	wantPushes(t, repo, 3, 1)
}

func TestRefuse(t *testing.T) {
	_, repo := serve(t)
	work := clone(t, repo, "bot:secret@")
	save(t, work, "x", "y")
	if err := repo.Refuse("main is protected: open a pull request"); err != nil {
		t.Fatal(err)
	}
	if err := push(t, work); err == nil || !strings.Contains(err.Error(), "main is protected") {
		t.Errorf("error = %v, want the hook's words", err)
	}
	if err := repo.Refuse(""); err != nil {
		t.Fatal(err)
	}
	if err := push(t, work); err != nil {
		t.Error(err)
	}
	wantPushes(t, repo, 2, 1)
}

func TestOutages(t *testing.T) {
	for name, tc := range map[string]struct {
		how  Outage
		want string
	}{
		"refusing":    {Refusing, "Failed to connect"},
		"unavailable": {Unavailable, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			server, repo := serve(t)
			work := clone(t, repo, "")
			url := repo.URL()
			server.Down(tc.how)
			if _, err := work.Run(t.Context(), "fetch", "--quiet"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want %q", err, tc.want)
			}
			sha := commit(t, repo, Change{Message: "People go on", Files: map[string]string{"x": "y"}})
			if err := server.Up(); err != nil {
				t.Fatal(err)
			}
			if repo.URL() != url {
				t.Errorf("the address changed from %s to %s", url, repo.URL())
			}
			if got, err := work.Run(t.Context(), "ls-remote", "origin", "refs/heads/main"); err != nil || !strings.HasPrefix(got, sha) {
				t.Errorf("after the outage: %q, %v, want %s", got, err, sha)
			}
		})
	}
}

func TestUnknownRepository(t *testing.T) {
	server, _ := serve(t)
	for _, path := range []string{"/other.git", "/shop.git.git", "/.git"} {
		if _, err := (gitcli.Git{Dir: t.TempDir()}).Run(t.Context(), "ls-remote", server.URL()+path); err == nil {
			t.Errorf("%s was served", path)
		}
	}
	if _, err := server.Create(t.Context(), "../shop", "a", "b"); err == nil {
		t.Error("a name with a path was taken")
	}
}

func TestCommitAndRead(t *testing.T) {
	_, repo := serve(t)
	ctx := t.Context()
	sha := commit(t, repo, Change{
		Author: ann, Message: "Ship v2\n\nWith a body.",
		Files: map[string]string{"app/web.yaml": "image: v2\n", "docs/a b.md": "new\n"}, Delete: []string{"README.md"},
	})
	if head, err := repo.Head(ctx, "main"); err != nil || head != sha {
		t.Errorf("head = %s, %v, want %s", head, err, sha)
	}
	if head, err := repo.Head(ctx, "other"); err != nil || head != "" {
		t.Errorf("head of a branch that is not there = %q, %v", head, err)
	}
	if files, err := repo.Files(ctx, "main"); err != nil || !slices.Equal(files, []string{"app/web.yaml", "docs/a b.md"}) {
		t.Errorf("files = %q, %v", files, err)
	}
	if got, err := repo.File(ctx, "main~1", "README.md"); err != nil || got != "no line end" {
		t.Errorf("old file = %q, %v", got, err)
	}
	log, err := repo.Log(ctx, "main", 10)
	if err != nil || len(log) != 2 {
		t.Fatalf("log = %+v, %v", log, err)
	}
	c := log[0]
	if c.SHA != sha || c.Parent != log[1].SHA || c.Name != "Ann" || c.Subject != "Ship v2" || c.Message != "Ship v2\n\nWith a body." || c.When.IsZero() {
		t.Errorf("commit = %+v", c)
	}
	if want := []string{"README.md", "app/web.yaml", "docs/a b.md"}; !slices.Equal(c.ChangedFiles, want) {
		t.Errorf("changed files = %q, want %q", c.ChangedFiles, want)
	}
	if log[1].Parent != "" {
		t.Errorf("the first commit has the parent %s", log[1].Parent)
	}
}

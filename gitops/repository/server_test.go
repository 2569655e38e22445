package repository_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/gitops"
	"github.com/belay-dev/belay/gitops/repository"
)

// serve gives a world's repository an HTTP server: git's own, behind a check of the credentials.
// allow looks at a request and answers with a status, or 0 to let it through.
func (w *world) handler(allow func(*http.Request) int) http.Handler {
	w.git(w.dir, "config", "http.receivepack", "true")
	backend, err := exec.CommandContext(w.t.Context(), "git", "--exec-path").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	h := &cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(backend)), "git-http-backend"),
		Env:    []string{"GIT_PROJECT_ROOT=" + filepath.Dir(w.dir), "GIT_HTTP_EXPORT_ALL=1"},
		Stderr: w.t.Output(),
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if status := allow(r); status != 0 {
			if status == http.StatusUnauthorized {
				rw.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			}
			if status == http.StatusFound {
				rw.Header().Set("Location", "https://elsewhere.example.com"+r.URL.Path)
			}
			rw.WriteHeader(status)
			return
		}
		h.ServeHTTP(rw, r)
	})
}

func basic(user, password string) func(*http.Request) int {
	return func(r *http.Request) int {
		if u, p, ok := r.BasicAuth(); ok && u == user && p == password {
			return 0
		}
		return http.StatusUnauthorized
	}
}

func TestHTTPCredentials(t *testing.T) {
	t.Parallel()
	const token = "s3cret-t0ken"
	status := func(code int) func(*http.Request) int { return func(*http.Request) int { return code } }
	for name, c := range map[string]struct {
		allow func(*http.Request) int
		auth  gitops.Auth
		class gitops.Class // empty: it works
	}{
		"right":           {basic("ada", token), gitops.Auth{Username: "ada", Password: token}, ""},
		"wrong password":  {basic("ada", "other"), gitops.Auth{Username: "ada", Password: token}, gitops.ClassAuth},
		"none":            {basic("ada", token), gitops.Auth{}, gitops.ClassAuth},
		"with line break": {basic("ada", token), gitops.Auth{BearerToken: token + "\nX-Evil: 1"}, gitops.ClassAuth},
		"bearer": {func(r *http.Request) int {
			if r.Header.Get("Authorization") == "Bearer "+token {
				return 0
			}
			return http.StatusUnauthorized
		}, gitops.Auth{BearerToken: token}, ""},
		"may read only": {func(r *http.Request) int {
			if strings.Contains(r.URL.String(), "git-receive-pack") {
				return http.StatusForbidden
			}
			return 0
		}, gitops.Auth{Username: "ada", Password: token}, gitops.ClassAuth},
		"no repository": {status(http.StatusNotFound), gitops.Auth{}, gitops.ClassNotFound},
		"redirect":      {status(http.StatusFound), gitops.Auth{BearerToken: token}, gitops.ClassUnsupported},
		"broken":        {status(http.StatusBadGateway), gitops.Auth{}, gitops.ClassTransient},
		"busy":          {status(http.StatusTooManyRequests), gitops.Auth{}, gitops.ClassTransient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, l, u := bumped(t)
			server := httptest.NewServer(w.handler(c.allow))
			defer server.Close()
			repo := w.repo()
			repo.URL, repo.Auth = server.URL+"/apps.git", c.auth
			dir := t.TempDir()
			outcome, err := newEngineIn(t, dir).Revert(t.Context(), repo, order(l, u))
			if c.class == "" {
				if err != nil || outcome.Result != gitops.Committed || w.head() != outcome.Commit {
					t.Fatalf("%+v %v", outcome, err)
				}
			} else {
				wantClass(t, err, c.class)
				for _, unstable := range []string{token, server.URL, "127.0.0.1", dir} {
					if strings.Contains(err.Error(), unstable) {
						t.Errorf("the error has %q in it: %s", unstable, err)
					}
				}
				var failed *gitops.Error
				if errors.As(err, &failed) && strings.Contains(failed.Detail, token) {
					t.Errorf("the detail has the password in it: %s", failed.Detail)
				}
			}
			if found := grep(t, dir, token); found != "" {
				t.Errorf("the password is in %s", found)
			}
		})
	}
}

// grep returns the first file below dir with the text in it.
func grep(t *testing.T, dir, text string) string {
	t.Helper()
	found := ""
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			found = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// git itself is replaced by a program that notes its arguments and environment: the password is
// never in the former, and in the latter only when the command talks to the server.
func TestPasswordIsNowhereElse(t *testing.T) {
	w, l, u := bumped(t)
	const password = "s3cret-pw"
	server := httptest.NewServer(w.handler(basic("ada", password)))
	defer server.Close()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n{ echo \"args $*\"; env | sed 's/^/env /'; } >> %s/notes\nexec %s \"$@\"\n", bin, git)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", bin+":"+path)
	e := newEngine(t)
	repo := w.repo()
	repo.URL, repo.Auth = server.URL+"/apps.git", gitops.Auth{Username: "ada", Password: password}
	if outcome := revert(t, e, repo, order(l, u)); outcome.Result != gitops.Committed {
		t.Fatalf("%+v", outcome)
	}
	notes, err := os.ReadFile(filepath.Join(bin, "notes"))
	if err != nil {
		t.Fatal(err)
	}
	header := base64.StdEncoding.EncodeToString([]byte("ada:" + password))
	network, seen := false, 0
	for line := range strings.Lines(string(notes)) {
		secret := strings.Contains(line, password) || strings.Contains(line, header)
		if args, ok := strings.CutPrefix(line, "args "); ok {
			network = strings.Contains(args, " fetch ") || strings.Contains(args, " push ")
		}
		switch {
		case secret && strings.HasPrefix(line, "args "):
			t.Errorf("the password is an argument: %s", line)
		case secret && !network:
			t.Errorf("a local command has the password: %s", line)
		case secret:
			seen++
		}
	}
	if seen == 0 {
		t.Error("this test looks at the wrong place: no command had the password")
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	server := httptest.NewTLSServer(w.handler(basic("ada", "pw")))
	defer server.Close()
	repo := w.repo()
	repo.URL, repo.Auth = server.URL+"/apps.git", gitops.Auth{Username: "ada", Password: "pw"}
	e := newEngine(t)
	_, err := e.Tip(t.Context(), repo, source())
	wantClass(t, err, gitops.ClassAuth)
	if !strings.Contains(err.Error(), "ca.crt") {
		t.Errorf("the error does not say what to do: %s", err)
	}
	repo.Auth.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if outcome := revert(t, e, repo, order(l, u)); outcome.Result != gitops.Committed {
		t.Errorf("%+v", outcome)
	}
}

// A server of the first protocol, without partial clones, which gives branches only.
func TestOldServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git(w.dir, "config", "uploadpack.allowFilter", "false")
	l := w.commit("v1", map[string]string{app: deployment})
	for i := range 60 {
		w.write(fmt.Sprint("docs ", i), map[string]string{"docs/a.md": fmt.Sprint(i)})
	}
	u := w.edit("v2", app, ":v1", ":v2")
	o := order(l, u)
	o.Accepted = w.edit("scale", app, "replicas: 3", "replicas: 4")
	backend := w.handler(func(*http.Request) int { return 0 })
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Del("Git-Protocol")
		backend.ServeHTTP(rw, r)
	}))
	defer server.Close()
	repo := w.repo()
	repo.URL = server.URL + "/apps.git"
	if outcome := revert(t, newEngine(t), repo, o); outcome.Result != gitops.Committed {
		t.Errorf("%+v", outcome)
	}
	o.Failed = strings.Repeat("ab", 20)
	_, err := newEngine(t).Revert(t.Context(), repo, o)
	wantClass(t, err, gitops.ClassNotFound)
}

// The server is down, then comes back: the same order leads to the commit.
func TestServerDownForAWhile(t *testing.T) {
	t.Parallel()
	w, l, u := bumped(t)
	down := true
	server := httptest.NewServer(w.handler(func(*http.Request) int {
		if down {
			return http.StatusServiceUnavailable
		}
		return 0
	}))
	defer server.Close()
	repo := w.repo()
	repo.URL = server.URL + "/apps.git"
	e := newEngine(t)
	for range 2 {
		_, err := e.Revert(t.Context(), repo, order(l, u))
		wantClass(t, err, gitops.ClassTransient)
	}
	down = false
	if outcome := revert(t, e, repo, order(l, u)); outcome.Result != gitops.Committed || w.ours() != 1 {
		t.Errorf("%+v", outcome)
	}
}

// A server that accepts the connection and says nothing does not hold us longer than the deadline.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	e, err := repository.New(t.Context(), repository.Options{
		Dir: t.TempDir(), AllowProtocols: []string{"http"}, CommandTimeout: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = e.Tip(t.Context(), gitops.Repository{URL: server.URL + "/a.git"}, source())
	wantClass(t, err, gitops.ClassTransient)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

// ssh is replaced by a program that notes how it was called and then does what the server would.
func TestSSH(t *testing.T) {
	w, l, u := bumped(t)
	bin := t.TempDir()
	notes := filepath.Join(bin, "notes")
	script := fmt.Sprintf(`#!/bin/sh
{ for a in "$@"; do echo "arg $a"; done
  while [ $# -gt 1 ]; do case "$1" in -i) stat -c 'key %%a' "$2"; cat "$2";; *UserKnownHostsFile=*) f=${1#*=}; f=${f#\"}; f=${f%%\"}; stat -c 'hosts %%a' "$f"; cat "$f";; esac; shift; done
} >> %s
case "$1" in *no-such-repo*) echo 'ERROR: Repository not found.' >&2; exit 1;; *denied*) echo 'git@host: Permission denied (publickey).' >&2; exit 255;; *changed*) echo 'Host key verification failed.' >&2; exit 255;; *away*) echo 'ssh: connect to host git.example.com port 22: Connection refused' >&2; exit 255;; esac
exec sh -c "$1"
`, notes)
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	repo := w.repo()
	repo.URL = "ssh://git@git.example.com:2222" + w.dir
	repo.Auth = gitops.Auth{Identity: []byte("KEY-MATERIAL"), KnownHosts: []byte("git.example.com ssh-ed25519 AAAA")}
	dir := filepath.Join(t.TempDir(), "it's a dir")
	if outcome := revert(t, newEngineIn(t, dir), repo, order(l, u)); outcome.Result != gitops.Committed {
		t.Fatalf("%+v", outcome)
	}
	said, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"arg StrictHostKeyChecking=yes\n", "arg BatchMode=yes\n", "arg GlobalKnownHostsFile=/dev/null\n", "key 600\nKEY-MATERIAL\n",
		"hosts 600\ngit.example.com ssh-ed25519 AAAA\n", "arg -p\narg 2222\narg git@git.example.com\n"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("ssh was called without %q:\n%s", want, said)
		}
	}
	if found := grep(t, dir, "KEY-MATERIAL"); found != "" {
		t.Errorf("the key is left in %s", found)
	}
	for path, class := range map[string]gitops.Class{
		"no-such-repo": gitops.ClassNotFound, "denied": gitops.ClassAuth, "changed": gitops.ClassAuth, "away": gitops.ClassTransient,
	} {
		repo.URL = "git@git.example.com:" + path
		_, err := newEngine(t).Tip(t.Context(), repo, source())
		wantClass(t, err, class)
	}
}

func TestSigning(t *testing.T) {
	t.Parallel()
	keys := t.TempDir()
	key := filepath.Join(keys, "key")
	out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "belay", "-f", key).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen: %v %s", err, out)
	}
	private, _ := os.ReadFile(key)
	public, _ := os.ReadFile(key + ".pub")
	w, l, u := bumped(t)
	repo := w.repo()
	repo.SigningKey = private
	plans := map[string]bool{}
	stop := fmt.Errorf("stop")
	for range 2 {
		o := order(l, u)
		o.Planned = func(_, commit string) error { plans[commit] = true; return stop }
		if _, err := newEngine(t).Revert(t.Context(), repo, o); !errors.Is(err, stop) {
			t.Fatal(err)
		}
	}
	outcome := revert(t, newEngine(t), repo, order(l, u))
	if len(plans) != 1 || !plans[outcome.Commit] {
		t.Errorf("a retry makes another commit: %v, then %s", plans, outcome.Commit)
	}
	signers := filepath.Join(keys, "signers")
	if err := os.WriteFile(signers, []byte("belay@example.com "+string(public)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := w.tryGit(w.dir, "-c", "gpg.ssh.allowedSignersFile="+signers, "verify-commit", outcome.Commit); err != nil {
		t.Errorf("the signature does not verify: %s", out)
	}
	repo.SigningKey = []byte("no key")
	w2, l2, u2 := bumped(t)
	repo.URL = w2.repo().URL
	_, err = newEngine(t).Revert(t.Context(), repo, order(l2, u2))
	wantClass(t, err, gitops.ClassAuth)
	if w2.head() != u2 {
		t.Error("pushed unsigned")
	}
}

func TestSigningWithoutKeygen(t *testing.T) {
	w, l, u := bumped(t)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(git, filepath.Join(bin, "git")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	repo := w.repo()
	repo.SigningKey = []byte("any")
	_, err = newEngine(t).Revert(t.Context(), repo, order(l, u))
	wantClass(t, err, gitops.ClassUnsupported)
	if !strings.Contains(err.Error(), "ssh-keygen") {
		t.Error(err)
	}
}

// Whatever stands in the configuration of the machine or the user does not matter.
func TestForeignConfigurationIsIgnored(t *testing.T) {
	w, l, u := bumped(t)
	home := t.TempDir()
	config := "[user]\n\tname = Mallory\n[core]\n\thooksPath = " + home + "\n[url \"file:///nowhere\"]\n\tinsteadOf = file://\n[commit]\n\tgpgSign = true\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	hook := filepath.Join(home, "pre-push")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\ntouch "+home+"/ran\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"HOME": home, "GIT_DIR": home, "GIT_AUTHOR_NAME": "Mallory", "GIT_TRACE": home + "/trace",
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": home} {
		t.Setenv(k, v)
	}
	outcome, err := newEngine(t).Revert(context.WithoutCancel(t.Context()), w.repo(), order(l, u))
	if err != nil || outcome.Result != gitops.Committed {
		t.Fatalf("%+v %v", outcome, err)
	}
	for _, name := range []string{"ran", "trace"} {
		if _, err := os.Stat(filepath.Join(home, name)); err == nil {
			t.Errorf("%s exists", name)
		}
	}
	for _, k := range []string{"GIT_DIR", "GIT_AUTHOR_NAME", "GIT_TRACE", "GIT_CONFIG_COUNT"} {
		if err := os.Unsetenv(k); err != nil {
			t.Fatal(err)
		}
	}
	if who := w.git(w.dir, "log", "-1", "--format=%an %cn", "main"); who != "belay belay" {
		t.Errorf("written by %s", who)
	}
}

func TestRefusedInput(t *testing.T) {
	t.Parallel()
	ssh := gitops.Auth{Identity: []byte("k"), KnownHosts: []byte("h")}
	for name, c := range map[string]struct {
		url, branch, path string
		auth              gitops.Auth
		class             gitops.Class
		says              string
	}{
		"a command as URL":    {url: "ext::sh -c touch% /tmp/x", class: gitops.ClassUnsupported},
		"an option as URL":    {url: "--upload-pack=touch x", class: gitops.ClassUnsupported, says: "dash"},
		"an option as host":   {url: "ssh://-oProxyCommand=x/a", auth: ssh, class: gitops.ClassUnsupported},
		"http, not allowed":   {url: "git://host/a", class: gitops.ClassUnsupported, says: "https, ssh"},
		"password in the URL": {url: "https://ada:pw@host/a", class: gitops.ClassUnsupported, says: "Secret"},
		"user in the URL":     {url: "https://token@host/a", class: gitops.ClassUnsupported, says: "Secret"},
		"a path as URL":       {url: "/etc", class: gitops.ClassUnsupported},
		"SSH without a key":   {url: "git@host:a", class: gitops.ClassAuth, says: "identity"},
		"SSH without hosts":   {url: "ssh://git@host/a", auth: gitops.Auth{Identity: []byte("k")}, class: gitops.ClassAuth, says: "known_hosts"},
		"branch as option":    {branch: "--mirror", class: gitops.ClassUnsupported, says: "branch"},
		"branch as refspec":   {branch: "main:other", class: gitops.ClassUnsupported, says: "branch"},
		"branch with dots":    {branch: "a..b", class: gitops.ClassUnsupported, says: "branch"},
		"full ref":            {branch: "refs/heads/main", class: gitops.ClassUnsupported, says: "without refs/heads/"},
		"path up":             {path: "../x", class: gitops.ClassUnsupported, says: "path"},
		"path from the root":  {path: "/etc", class: gitops.ClassUnsupported, says: "path"},
		"path up inside":      {path: "a/../../x", class: gitops.ClassUnsupported, says: "path"},
		"no such branch":      {branch: "nowhere", class: gitops.ClassNotFound, says: "branch"},
		"no such path":        {path: "apps/nowhere", class: gitops.ClassNotFound, says: "apps/nowhere"},
		"no such repository":  {url: "file:///nowhere.git", class: gitops.ClassNotFound, says: "repository"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.commit("v1", map[string]string{app: deployment})
			repo, src := w.repo(), source()
			if c.url != "" {
				repo.URL, repo.Auth = c.url, c.auth
			}
			if c.branch != "" {
				src.Branch = c.branch
			}
			if c.path != "" {
				src.Paths = []string{c.path}
			}
			_, err := newEngine(t).Tip(t.Context(), repo, src)
			wantClass(t, err, c.class)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

// What a killed process left is no longer there after the next start.
func TestKeysOfAKilledProcessAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, "scratch", "1", "identity")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	newEngineIn(t, dir)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}

func TestUnknownCommit(t *testing.T) {
	t.Parallel()
	w, l, _ := bumped(t)
	_, err := newEngine(t).Revert(t.Context(), w.repo(), order(l, strings.Repeat("ab", 20)))
	wantClass(t, err, gitops.ClassNotFound)
	_, err = newEngine(t).Revert(t.Context(), w.repo(), order(l, "main"))
	wantClass(t, err, gitops.ClassUnsupported)
	_, err = newEngine(t).Locate(t.Context(), w.repo(), source(), "--all", l)
	wantClass(t, err, gitops.ClassUnsupported)
}

package repository

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/belay-dev/belay/gitops"
)

func TestCommitsOf(t *testing.T) {
	t.Parallel()
	record := func(lines ...string) string { return strings.Join(lines, "\n") + "\x00" }
	for name, c := range map[string]struct {
		out  string
		want []commit
		bad  bool
	}{
		"none":    {},
		"one":     {out: record("3f", "7", "Ada", "ship v2", "ship v2", "", "why", ""), want: []commit{{id: "3f", when: 7, author: "Ada", subject: "ship v2", message: "ship v2\n\nwhy\n"}}},
		"two":     {out: record("3f", "7", "Ada", "a", "a") + record("4e", "8", "", "", ""), want: []commit{{id: "3f", when: 7, author: "Ada", subject: "a", message: "a"}, {id: "4e", when: 8}}},
		"control": {out: record("3f", "7", "A\x01B\x01C", "a\x01b", "a\x01b"), want: []commit{{id: "3f", when: 7, author: "A\x01B\x01C", subject: "a\x01b", message: "a\x01b"}}},
		"cut":     {out: "3f\n7\nAda\nship v2", bad: true},
		"no date": {out: record("3f", "soon", "Ada", "a", "a"), want: []commit{{id: "3f", author: "Ada", subject: "a", message: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := commitsOf([]byte(c.out))
			if !slices.Equal(got, c.want) || isDamaged(err) != c.bad || (err != nil) != c.bad {
				t.Errorf("read %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

// FuzzAnswers gives what git could answer to every reader: there is damage to be told, or exactly what stands there.
func FuzzAnswers(f *testing.F) {
	id := strings.Repeat("3f", 20)
	for _, seed := range []string{
		"100644 blob " + id + "\tapps/a b.yaml\x00120000 blob " + id + "\tlink\x00", ":100644 000000 " + id + " " + strings.Repeat("0", 40) + " D\x00a\tb\x00",
		id + " blob 3\na\nb\n" + id + " blob 0\n\n", id + " blob -5\nabcdef\n", id + " blob 9223372036854775807\nx\n", id + " 12\n" + id + " missing\n\n",
		id + "\n7\nAda\nship v2\nship v2\n\nBelay-Revert-Key: k\n\x00", id + "\x00a\x00a\x00b\x00", "\x00", "\x00\x00", "a\tb\x00",
	} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, out []byte, exit int) {
		kept := bytes.Clone(out)
		tree, err := treeOf(out)
		told(t, err)
		for name, file := range tree {
			if !bytes.Contains(out, []byte("\t"+name)) || strings.Contains(name, "\x00") || file.mode == "" || file.blob == "" {
				t.Errorf("%q is read as %q: %+v", out, name, file)
			}
		}
		changes, err := changesOf(out)
		told(t, err)
		for _, c := range changes {
			if strings.Contains(c.path, "\x00") || c.from.exists() && c.from.blob == "" || !c.from.exists() && c.from.blob != "" {
				t.Errorf("%q is read as %+v", out, c)
			}
		}
		contents := map[string][]byte{}
		told(t, blobsOf(out, contents))
		for id, content := range contents {
			if !bytes.Contains(out, fmt.Appendf(nil, "%d\n%s", len(content), content)) || !bytes.Contains(out, []byte(id)) || cap(content) != len(content) {
				t.Errorf("%q is read as %q: %q", out, id, content)
			}
		}
		for id := range sizesOf(out) {
			if !bytes.Contains(out, []byte(id)) {
				t.Errorf("%q is read as %q", out, id)
			}
		}
		commits, err := commitsOf(out)
		told(t, err)
		for _, c := range commits {
			if strings.Contains(c.id+c.author+c.subject, "\n") || !bytes.Contains(out, []byte(c.message)) {
				t.Errorf("%q is read as %+v", out, c)
			}
		}
		merged, conflicts, err := mergedOf(answer{out: out, exit: exit})
		told(t, err)
		if err == nil && (!fullID.MatchString(merged) || exit == 1 && len(conflicts) == 0) || len(conflicts) != len(unique(conflicts)) {
			t.Errorf("%q is read as %q in conflict at %q", out, merged, conflicts)
		}
		if !bytes.Equal(kept, out) {
			t.Error("reading changed the answer")
		}
	})
}

// told says that an answer that cannot be read is damage, which has the clone made again.
func told(t *testing.T, err error) {
	t.Helper()
	if err != nil && !isDamaged(err) {
		t.Errorf("%v is no damage", err)
	}
}

// FuzzFailure gives what git and a server could say to whatever reads it: there is a class, one line that is the same at
// each attempt, and what the server said is shown without what a terminal obeys.
func FuzzFailure(f *testing.F) {
	for _, seed := range []string{
		"fatal: unable to access: SSL certificate problem", "remote: error: GH006: Protected branch update failed\nremote: \u202e3f3f3f3f3f3f\n", "fatal: bad object 3f3f3f3f3f3f3f", "",
		"!\trefs/heads/main:refs/heads/main\t[remote rejected] (pre-receive hook declined)", "!\ta\t[rejected] (fetch first)\nDone", "!\ta\t[remote rejected] (unpacker error)", "!",
		"remote: ***\nremote: ===== 0123456789abcdef deadbee =====\n", "returned error: 403\r\nreturned error: 404",
	} {
		f.Add(seed, seed, "main", true)
		f.Add("", seed, "a\nb", false)
	}
	f.Fuzz(func(t *testing.T, stdout, stderr, branch string, network bool) {
		err := classify(call{args: []string{"fetch"}, network: network}, stdout, stderr)
		var typed *gitops.Error
		switch {
		case isDamaged(err):
		case !errors.As(err, &typed) || typed.Class == "" || typed.Text == "" || strings.Contains(typed.Text, "\n"):
			t.Errorf("%q is read as %v", stderr, err)
		case !network && typed.Class != gitops.ClassTransient:
			t.Errorf("without a server it is %s", typed.Class)
		}
		verdict, reason := readPush(stdout)
		if verdict == pushed || strings.Contains(reason, "\n") || verdict != failed && !strings.Contains(stdout, "!") {
			t.Errorf("%q is read as verdict %d, %q", stdout, verdict, reason)
		}
		text := deniedText(branch, reason, stderr)
		if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 || !utf8.ValidString(text) {
			t.Errorf("%q has something at %d that a terminal obeys", text, i)
		}
		_, sentence, _ := strings.Cut(text, fmt.Sprintf("%q: ", branch))
		if found := ids.FindString(sentence); found != "" {
			t.Errorf("%q names %s, which the next attempt does not", text, found)
		}
		if utf8.RuneCountInString(sentence) > maxFree {
			t.Errorf("%d characters", utf8.RuneCountInString(sentence))
		}
	})
}

// FuzzNames holds what is accepted for a branch against git itself, and sees that neither a URL nor a path that is accepted
// is an option, a command or another place.
func FuzzNames(f *testing.F) {
	for _, seed := range [][3]string{
		{"main", "https://git.example.com/apps.git", "apps/checkout/"}, {"a/b-c.d", "git@git.example.com:apps.git", "."}, {"-a", "--upload-pack=x", "-"}, {"a..b", "ssh://-oProxyCommand=x/y", "../x"},
		{"a@{1}", "ext::sh -c x", "a/../b"}, {"@", "file:///etc", "a//b"}, {"a.lock", "https://u:p@h/x", "..a"}, {"\u00e4", "http://[::1]:80/x", ":(glob)a"}, {"a/", "ssh://git@h:22/x", "a\x00"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	git, err := exec.LookPath("git")
	if err != nil {
		f.Skip("git is not installed")
	}
	f.Fuzz(func(t *testing.T, branch, url, path string) {
		if validateBranch(branch) == nil {
			if out, err := exec.CommandContext(t.Context(), git, "check-ref-format", "refs/heads/"+branch).CombinedOutput(); err != nil {
				t.Errorf("branch %q is accepted and git refuses it: %v %s", branch, err, out)
			}
			if strings.HasPrefix(branch, "-") || strings.HasPrefix(branch, "refs/") {
				t.Errorf("branch %q is accepted", branch)
			}
		}
		repo, src := gitops.Repository{URL: url, Auth: gitops.Auth{Identity: []byte("k"), KnownHosts: []byte("h")}}, gitops.Source{Branch: "main", Paths: []string{path}}
		err := validate(repo, src, nil)
		var typed *gitops.Error
		if err != nil {
			if !errors.As(err, &typed) || typed.Class != gitops.ClassUnsupported {
				t.Errorf("%q and %q are refused with %v", url, path, err)
			}
			return
		}
		protocol, _ := protocolOf(url)
		if protocol != "https" && protocol != "ssh" || strings.HasPrefix(url, "-") || strings.ContainsFunc(url+path, isControl) {
			t.Errorf("%q is accepted as %s", url, protocol)
		}
		for part := range strings.SplitSeq(path, "/") {
			if part == ".." || path == "" || strings.HasPrefix(path, "/") {
				t.Errorf("path %q is accepted", path)
			}
		}
		if place(url) == "" {
			t.Errorf("%q is nowhere", url)
		}
	})
}

// FuzzCredentials gives Secrets to what git gets of them: a header is one line, what is secret is known as such, and the
// shell reads a quoted text as it was.
func FuzzCredentials(f *testing.F) {
	f.Add("user", "pass", "", "/tmp/it's here")
	f.Add("", "", "token\r\nX: y", "'")
	f.Add("\x00", "\u202e", "", "$(x)`y`\"\\")
	f.Fuzz(func(t *testing.T, username, password, token, file string) {
		c, err := newCredentials(gitops.Auth{Username: username, Password: password, BearerToken: token}, "https", t.TempDir())
		var typed *gitops.Error
		if err != nil && (!errors.As(err, &typed) || typed.Class != gitops.ClassAuth || len(c.config) > 0) {
			t.Fatalf("%v with %v", err, c.config)
		}
		for _, setting := range c.config {
			if strings.ContainsFunc(setting[1], isControl) {
				t.Errorf("the header is %q", setting[1])
			}
			secret := password
			if token != "" {
				secret = token
			}
			said := (&session{credentials: c, scratch: "/scratch"}).redact("remote: you sent " + setting[1] + ", that is " + secret)
			if len(secret) > 3 && !strings.Contains(secret, "*") && strings.Contains(said, secret) {
				t.Errorf("%q is shown in %q", secret, said)
			}
		}
		if strings.Contains(file, "\x00") {
			return // no file has such a name
		}
		if got, ok := unquoted(quote(file)); !ok || got != file {
			t.Errorf("%q is quoted as %s, which is %q", file, quote(file), got)
		}
	})
}

// unquoted reads a word as a POSIX shell does, if it is made of single quotes and escaped characters alone.
func unquoted(word string) (string, bool) {
	var out strings.Builder
	for word != "" {
		switch {
		case strings.HasPrefix(word, `\`) && len(word) > 1:
			out.WriteByte(word[1])
			word = word[2:]
		case strings.HasPrefix(word, "'"):
			text, rest, ok := strings.Cut(word[1:], "'")
			if !ok {
				return "", false
			}
			out.WriteString(text)
			word = rest
		default:
			return "", false
		}
	}
	return out.String(), true
}

package repository

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/belay-dev/belay/gitops"
)

// damaged means that the clone on disk cannot be worked with and is to be made again.
type damaged struct{ detail string }

func (d *damaged) Error() string { return "the clone in the cache is damaged" }

func isDamaged(err error) bool {
	var d *damaged
	return errors.As(err, &d)
}

func detail(err error) string {
	var d *damaged
	if errors.As(err, &d) {
		return d.detail
	}
	return err.Error()
}

// reading is one way of reading git's stderr: if any of the patterns is in it, this is what it means.
type reading struct {
	patterns []string
	class    gitops.Class
	text     string
}

const unreachable = "the Git server cannot be reached or does not answer as it should"

// networkReadings are tried in order. The wordings are git's, curl's, OpenSSH's and those of the
// large hosts; LC_ALL=C keeps them in English.
func networkReadings() []reading {
	return []reading{
		{[]string{"Host key verification failed"}, gitops.ClassAuth,
			"the host key of the Git server is not one of those in known_hosts"},
		{[]string{"SSL certificate problem", "certificate verify failed", "server certificate verification failed", "unable to get local issuer"}, gitops.ClassAuth,
			"the certificate of the Git server is not trusted: put its issuer into ca.crt of the Secret"},
		{[]string{"Load key", "error in libcrypto", "invalid format"}, gitops.ClassAuth,
			"the SSH key identity in the Secret cannot be read: give an OpenSSH private key without passphrase"},
		{[]string{"returned error: 403", "Permission to ", "insufficient permission", "not allowed to push code", "key is read only", "deploy key"}, gitops.ClassAuth,
			"the Git server knows the credentials and does not let them do this"},
		{[]string{"Authentication failed", "could not read Username", "could not read Password", "terminal prompts disabled",
			"Permission denied", "returned error: 401", "HTTP Basic: Access denied", "Invalid username", "Too many authentication failures"}, gitops.ClassAuth,
			"the Git server does not accept the credentials"},
		{[]string{"returned error: 301", "returned error: 302", "returned error: 307", "returned error: 308", "unable to update url base from redirection"}, gitops.ClassUnsupported,
			"the Git server redirects to another address, which is not followed: write the final URL into the Repository"},
		{[]string{"couldn't find remote ref", "could not find remote ref", "Could not find remote branch"}, gitops.ClassNotFound,
			"the branch does not exist on the Git server"},
		{[]string{"not our ref", "unadvertised object", "upload-pack: not our", "no such remote ref"}, gitops.ClassNotFound,
			"the Git server does not have the commit (any more)"},
		{[]string{"does not appear to be a git repository", "repository not found", "Repository not found", "returned error: 404", "could not be found", "not found"}, gitops.ClassNotFound,
			"the repository does not exist on the Git server, or the credentials may not see it"},
		{[]string{"transport 'http' not allowed", "transport 'file' not allowed", "transport 'ftp' not allowed"}, gitops.ClassUnsupported,
			"the protocol of the URL is not allowed"},
		{[]string{"mismatched algorithms"}, gitops.ClassUnsupported,
			"the repository uses SHA-256 object ids, which are not supported"},
		{[]string{"dumb http transport", "shallow update not allowed", "does not support --deepen", "does not support shallow"}, gitops.ClassUnsupported,
			"the Git server is too old: it must speak the smart protocol with shallow clones"},
		{[]string{"Could not resolve host", "Could not resolve hostname", "Name or service not known", "Temporary failure in name resolution"}, gitops.ClassTransient,
			"the name of the Git server does not resolve"},
		{[]string{"early EOF", "RPC failed", "Connection reset", "Connection refused", "Connection timed out", "Failed to connect", "returned error: 5", "returned error: 429"}, gitops.ClassTransient,
			unreachable},
	}
}

// damage is what git says when its own files are at fault.
var damage = []string{"not a git repository", "is corrupt", "corrupt loose object", "object file", "bad object", "unable to read tree",
	"inflate: ", "packfile", "shallow file has changed", "unable to find", "could not read", "missing blob", "bad tree object", "unable to read", "index-pack failed", ".lock': File exists"}

// classify turns the failure of a command into an error that says how to handle it.
func classify(c call, stdout, stderr string) error {
	command := c.args[0]
	said := strings.TrimSpace(stderr)
	if c.network {
		for _, r := range networkReadings() {
			if containsAny(said, r.patterns) {
				return &gitops.Error{Class: r.class, Text: r.text, Detail: said}
			}
		}
	}
	// A fetch complains about the server's objects in the same words; making the clone again is
	// the right answer to both, and done only once.
	if containsAny(said, damage) {
		return &damaged{detail: fmt.Sprintf("git %s: %s", command, said)}
	}
	if c.network {
		return &gitops.Error{Class: gitops.ClassTransient, Text: unreachable, Detail: said + stdout}
	}
	return &gitops.Error{Class: gitops.ClassTransient, Text: fmt.Sprintf("git %s failed", command), Detail: said + stdout}
}

func containsAny(text string, patterns []string) bool {
	for _, p := range patterns {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// pushVerdict says how a push ended.
type pushVerdict int

const (
	pushed pushVerdict = iota
	beaten             // somebody else was faster
	denied             // the server does not want it
	failed             // neither: network, credentials
)

// raceReasons are the reasons of a refusal that only mean that the branch moved meanwhile. The
// long ones are from the server, which takes the lock after it told us the old value.
var raceReasons = []string{"non-fast-forward", "fetch first", "needs force", "stale info", "cannot lock ref", "failed to update ref", "failed to lock", "incorrect old value"}

// readPush reads git push --porcelain.
func readPush(stdout string) (pushVerdict, string) {
	for line := range strings.SplitSeq(stdout, "\n") {
		if !strings.HasPrefix(line, "!") {
			continue
		}
		reason := line
		if i := strings.LastIndex(line, "\t"); i >= 0 {
			reason = line[i+1:]
		}
		switch {
		case containsAny(reason, raceReasons):
			return beaten, reason
		case strings.Contains(reason, "unpacker error"), strings.Contains(reason, "remote failure"):
			return failed, reason
		default:
			return denied, reason
		}
	}
	return failed, ""
}

var (
	ids       = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)
	remoteSay = regexp.MustCompile(`(?m)^remote:[ \t]*(.*?)[ \t]*$`)
)

// deniedText is what people read when a push was refused: the server's own first sentence,
// without what differs between two attempts.
func deniedText(branch, reason, stderr string) string {
	sentence := strings.Trim(strings.TrimPrefix(reason, "[remote rejected]"), " ()")
	for _, m := range remoteSay.FindAllStringSubmatch(stderr, -1) {
		said := strings.TrimLeft(m[1], "*=-# ")
		if len(said) > 3 {
			sentence = strings.TrimPrefix(said, "error: ")
			break
		}
	}
	return fmt.Sprintf("the Git server refuses the push to branch %q: %s", branch, clean(ids.ReplaceAllString(sentence, "…")))
}

func canceled(ctx context.Context) error {
	return &gitops.Error{Class: gitops.ClassCanceled, Text: "the work on the Git repository was stopped before it was done", Err: context.Cause(ctx)}
}

func local(text string, err error) error {
	return &gitops.Error{Class: gitops.ClassTransient, Text: text, Detail: err.Error(), Err: err}
}

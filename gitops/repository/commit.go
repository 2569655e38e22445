package repository

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/belay-dev/belay/gitops"
)

// signature is who and when, for author and committer alike.
type signature struct {
	who  gitops.Identity
	when time.Time
	key  string // file with the SSH key; empty: unsigned
	text []byte
}

func throwAway() signature {
	return signature{who: gitops.Identity{Name: "belay", Email: "belay@localhost"}, text: []byte("throw-away\n")}
}

// commitTree writes a commit. The same arguments give the same id.
func (s *session) commitTree(ctx context.Context, sig signature, tree string, args ...string) (string, error) {
	date := "@0 +0000"
	if !sig.when.IsZero() {
		date = fmt.Sprintf("@%d +0000", sig.when.Unix())
	}
	env := []string{
		"GIT_AUTHOR_NAME=" + sig.who.Name, "GIT_AUTHOR_EMAIL=" + sig.who.Email, "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=" + sig.who.Name, "GIT_COMMITTER_EMAIL=" + sig.who.Email, "GIT_COMMITTER_DATE=" + date,
	}
	command := []string{"commit-tree"}
	if sig.key != "" {
		command = []string{"-c", "gpg.format=ssh", "-c", "gpg.ssh.program=" + s.engine.keygen, "-c", "user.signingKey=" + sig.key, "commit-tree", "-S"}
	}
	command = append(command, tree)
	a, err := s.run(ctx, call{args: append(command, args...), env: env, stdin: sig.text})
	if err != nil && sig.key != "" && !isDamaged(err) && ctx.Err() == nil {
		e := &gitops.Error{Class: gitops.ClassAuth, Err: err, Text: "the commit cannot be signed: the signing key must be an OpenSSH private key without passphrase"}
		var cause *gitops.Error
		if errors.As(err, &cause) {
			e.Detail = cause.Detail
		}
		return "", e
	}
	return strings.TrimSpace(string(a.out)), err
}

// revertCommit writes our commit on top of the head.
func (s *session) revertCommit(ctx context.Context, tree, head string, f facts) (string, error) {
	sig := signature{who: identity(s.repo.Author), when: f.failure.At, text: []byte(message(f))}
	if len(s.repo.SigningKey) > 0 {
		if s.engine.keygen == "" {
			return "", unsupported("commits of this Repository are to be signed and ssh-keygen is not installed: install openssh-client beside git")
		}
		var err error
		if sig.key, err = private(s.scratch, "signing-key", withNewline(s.repo.SigningKey)); err != nil {
			return "", err
		}
	}
	return s.commitTree(ctx, sig, tree, "-p", head)
}

// revertKey identifies what is reverted, not by whom, when or over which protocol.
func revertKey(repositoryURL, branch string, changes []change) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", place(repositoryURL), branch)
	for _, c := range changes {
		fmt.Fprintf(h, "%s\x00%s %s\x00%s %s\x00", c.path, c.to.mode, c.to.blob, c.from.mode, c.from.blob)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// place is a repository's URL without what differs between two ways to the same one.
func place(raw string) string {
	host, path := "", raw
	if u, err := url.Parse(raw); err == nil && u.Scheme != "" && strings.Contains(raw, "://") {
		host, path = u.Hostname(), u.Path
	} else if _, rest, ok := strings.Cut(raw, "@"); ok {
		host, path, _ = strings.Cut(rest, ":")
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return strings.ToLower(host) + "/" + path
}

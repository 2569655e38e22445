package repository

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/belay-dev/belay/gitops"
)

// scpLike is user@host:path, which Git takes for ssh.
var scpLike = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^:].*$`)

// validate refuses what could be read by git as an option, a command or another place.
func validate(repo gitops.Repository, src gitops.Source, allowed []string) error {
	if err := validateURL(repo, allowed); err != nil {
		return err
	}
	if err := validateBranch(src.Branch); err != nil {
		return err
	}
	if len(src.Paths) == 0 {
		return unsupported(`no paths are given: name the files or directories that are inputs of the Rollout, or "." for the whole repository`)
	}
	for _, p := range src.Paths {
		if p == "" || path.IsAbs(p) || path.Clean(p) != strings.TrimSuffix(p, "/") ||
			strings.HasPrefix(p, "..") || strings.ContainsFunc(p, isControl) {
			return unsupported(`path %q is not usable: write it from the root of the repository, without leading slash, "./" or ".."`, p)
		}
	}
	return nil
}

func validateURL(repo gitops.Repository, allowed []string) error {
	protocol, err := protocolOf(repo.URL)
	if err != nil {
		return err
	}
	known := slices.Concat([]string{"https", "ssh"}, allowed)
	if !slices.Contains(known, protocol) {
		return unsupported("the URL of the Repository uses %s, which is not allowed: use one of %s", protocol, strings.Join(known, ", "))
	}
	if protocol != "ssh" {
		return nil
	}
	if len(repo.Auth.Identity) == 0 {
		return &gitops.Error{Class: gitops.ClassAuth, Text: "the URL of the Repository is for SSH and its Secret has no key identity: add identity and known_hosts"}
	}
	if len(repo.Auth.KnownHosts) == 0 {
		return &gitops.Error{Class: gitops.ClassAuth, Text: "the URL of the Repository is for SSH and its Secret has no key known_hosts: host keys are always verified"}
	}
	return nil
}

func protocolOf(raw string) (string, error) {
	if strings.HasPrefix(raw, "-") || strings.ContainsFunc(raw, isControl) {
		return "", unsupported("the URL of the Repository is not usable: it begins with a dash or has control characters in it")
	}
	if !strings.Contains(raw, "://") {
		if scpLike.MatchString(raw) {
			return "ssh", nil
		}
		return "", unsupported("the URL of the Repository is not usable: write https://host/path, ssh://git@host/path or git@host:path")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Path == "" || u.Scheme != "file" && u.Host == "" || strings.HasPrefix(u.Hostname(), "-") {
		return "", unsupported("the URL of the Repository is not usable: write https://host/path, ssh://git@host/path or git@host:path")
	}
	_, hasPassword := u.User.Password()
	if hasPassword || u.User != nil && u.Scheme != "ssh" {
		return "", unsupported("the URL of the Repository has credentials in it: put them into the Secret")
	}
	return u.Scheme, nil
}

// validateBranch is stricter than git check-ref-format where that costs nobody anything.
func validateBranch(branch string) error {
	bad := branch == "" || strings.HasPrefix(branch, "-") || strings.HasPrefix(branch, "refs/") ||
		strings.ContainsFunc(branch, isControl) || strings.ContainsAny(branch, " ~^:?*[\\") ||
		strings.Contains(branch, "..") || strings.Contains(branch, "@{") || strings.HasSuffix(branch, ".")
	for part := range strings.SplitSeq(branch, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return unsupported("branch %q is not a branch name: write it without refs/heads/", branch)
	}
	return nil
}

var fullID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// validateID keeps names, options and abbreviations away from where a commit is meant.
func validateID(what, id string) error {
	if !fullID.MatchString(id) {
		return unsupported("%s %q is not a full commit id", what, id)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func unsupported(format string, args ...any) error {
	return &gitops.Error{Class: gitops.ClassUnsupported, Text: fmt.Sprintf(format, args...)}
}

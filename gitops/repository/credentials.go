package repository

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"

	"github.com/belay-dev/belay/gitops"
)

// credentials is what network commands get on top.
type credentials struct {
	env     []string
	config  [][2]string
	secrets []string // what must not be seen in a text
}

// newCredentials writes what can only be given as a file into dir, which only we can read.
func newCredentials(auth gitops.Auth, protocol, dir string) (credentials, error) {
	var c credentials
	if protocol == "ssh" {
		return sshCredentials(auth, dir)
	}
	if len(auth.CA) > 0 {
		file, err := private(dir, "ca.crt", auth.CA)
		if err != nil {
			return c, err
		}
		c.config = append(c.config, [2]string{"http.sslCAInfo", file})
	}
	// A header and not a prompt: no program has to be executed from a writable directory, and
	// the server is not asked once in vain. Redirects are not followed, so it goes nowhere else.
	header := ""
	switch {
	case auth.BearerToken != "":
		header = "Bearer " + auth.BearerToken
		c.secrets = []string{auth.BearerToken}
	case auth.Username != "" || auth.Password != "":
		basic := base64.StdEncoding.EncodeToString([]byte(auth.Username + ":" + auth.Password))
		header = "Basic " + basic
		c.secrets = []string{auth.Password, basic}
	}
	if strings.ContainsFunc(header, isControl) {
		return c, &gitops.Error{Class: gitops.ClassAuth, Text: "the credentials in the Secret have a line break or another control character in them: remove it"}
	}
	if header != "" {
		c.config = append(c.config, [2]string{"http.extraHeader", "Authorization: " + header})
	}
	return c, nil
}

func sshCredentials(auth gitops.Auth, dir string) (credentials, error) {
	key, err := private(dir, "identity", withNewline(auth.Identity))
	if err != nil {
		return credentials{}, err
	}
	hosts, err := private(dir, "known_hosts", withNewline(auth.KnownHosts))
	if err != nil {
		return credentials{}, err
	}
	command := strings.Join([]string{
		"ssh", "-F", "none", "-T", "-i", quote(key),
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=yes", "-o", quote(`UserKnownHostsFile="` + hosts + `"`),
		"-o", "GlobalKnownHostsFile=/dev/null", "-o", "UpdateHostKeys=no",
		"-o", "PreferredAuthentications=publickey", "-o", "ForwardAgent=no", "-o", "ConnectTimeout=15",
	}, " ")
	return credentials{env: []string{"GIT_SSH_COMMAND=" + command, "GIT_SSH_VARIANT=ssh"}}, nil
}

// private writes a file that only we can read. The directory goes away with the session.
func private(dir, name string, content []byte) (string, error) {
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return "", local("a file with credentials cannot be written", err)
	}
	return file, nil
}

// withNewline adds the line break that ssh insists on and that Secrets often lose.
func withNewline(b []byte) []byte {
	return append([]byte(strings.TrimRight(string(b), "\r\n")), '\n')
}

// quote quotes for the shell by which git starts ssh.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

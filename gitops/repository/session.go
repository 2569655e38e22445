package repository

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/belay-dev/belay/gitops"
)

const scratchDir = "scratch"

// session is one call on one clone: the credentials are there while it lives.
type session struct {
	engine      *Engine
	clone       *clone
	repo        gitops.Repository
	src         gitops.Source
	scratch     string // temporary directory: keys, index
	credentials credentials
	rendered    map[string]rendering // by commit or tree
}

func (e *Engine) newSession(repo gitops.Repository, src gitops.Source, c *clone) (*session, error) {
	scratch, err := os.MkdirTemp(filepath.Join(e.options.Dir, scratchDir), "")
	if err != nil {
		return nil, local("no temporary directory", err)
	}
	s := &session{engine: e, clone: c, repo: repo, src: src, scratch: scratch, rendered: map[string]rendering{}}
	protocol, err := protocolOf(repo.URL)
	if err == nil {
		s.credentials, err = newCredentials(repo.Auth, protocol, scratch)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() { _ = os.RemoveAll(s.scratch) } // New removes what is left

// redact takes credentials out of what git said, should a server or a proxy echo them.
func (s *session) redact(text string) string {
	for _, secret := range s.credentials.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return strings.ReplaceAll(text, s.scratch, "$TMP")
}

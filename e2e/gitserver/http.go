package gitserver

import (
	"bytes"
	"crypto/subtle"
	"io"
	"net/http"
	"net/http/cgi"
	"strings"

	"github.com/belay-dev/belay/e2e/gitserver/gitcli"
)

// flush is what a client sends to try its credentials before a large push; it pushes nothing.
const flush = "0000"

// ServeHTTP hands a request to git's http-backend.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	repo, outage := s.find(r.URL.Path)
	switch {
	case outage != 0:
		http.Error(w, "the Git server is down", http.StatusServiceUnavailable)
		return
	case repo == nil:
		http.NotFound(w, r)
		return
	}
	pushes := strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.URL.Query().Get("service") == "git-receive-pack"
	if pushes && !repo.allows(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		http.Error(w, "pushing needs the repository's user and password", http.StatusUnauthorized)
		return
	}
	// CGI needs to know the length, and a large push comes in chunks of unknown number.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	backend := s.cgi(repo, r)
	if pushes && r.Method == http.MethodPost && string(body) != flush {
		repo.receive(func() { backend.ServeHTTP(w, r) })
		return
	}
	backend.ServeHTTP(w, r)
}

func (s *Server) cgi(repo *Repository, r *http.Request) http.Handler {
	env := append(gitcli.Clean(), "GIT_PROJECT_ROOT="+s.dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER="+repo.user)
	if protocol := r.Header.Get("Git-Protocol"); protocol != "" {
		env = append(env, "GIT_PROTOCOL="+protocol)
	}
	return &cgi.Handler{Path: s.backend, Dir: s.dir, Env: env}
}

func (r *Repository) allows(req *http.Request) bool {
	user, password, _ := req.BasicAuth()
	return subtle.ConstantTimeCompare([]byte(user), []byte(r.user)) == 1 &&
		subtle.ConstantTimeCompare([]byte(password), []byte(r.password)) == 1
}

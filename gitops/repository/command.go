package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/belay-dev/belay/gitops"
)

const (
	maxOutput = 64 << 20 // of one command; a listing of F or the blobs of ΔF are far below
	maxStderr = 64 << 10
	killGrace = 2 * time.Second // for pipes held open by a grandchild
)

// call is one git command.
type call struct {
	args  []string
	stdin []byte
	env   []string
	// config are settings for this command only.
	config [][2]string
	// network lets the command talk to the server, with credentials.
	network bool
	// exits are the codes besides 0 that are an answer and not a failure.
	exits []int
}

// answer is what a command said.
type answer struct {
	out    []byte
	stderr string // credentials removed
	exit   int
}

// run runs a command in the clone. Its error is a *gitops.Error, or a *damaged.
func (s *session) run(ctx context.Context, c call) (answer, error) {
	limit, cancel := context.WithTimeout(ctx, s.engine.options.CommandTimeout)
	defer cancel()

	args := append([]string{"--git-dir=" + s.clone.dir}, c.args...)
	cmd := exec.CommandContext(limit, s.engine.git, args...)
	cmd.Dir = s.scratch
	cmd.Env = append(s.environment(c), c.env...)
	if c.stdin != nil {
		cmd.Stdin = bytes.NewReader(c.stdin)
	}
	stdout, stderr := &bounded{limit: maxOutput}, &bounded{limit: maxStderr, drop: true}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	// git starts ssh, index-pack and others: the deadline is for all of them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killGrace

	err := cmd.Run()
	if stdout.overflow {
		return answer{}, unsupported("git %s answered more than %d MiB: the paths name too much", c.args[0], maxOutput>>20)
	}
	if err == nil {
		return answer{out: stdout.Bytes()}, nil
	}
	if ctx.Err() != nil {
		return answer{}, canceled(ctx)
	}
	if limit.Err() != nil {
		return answer{}, &gitops.Error{Class: gitops.ClassTransient, Err: limit.Err(),
			Text: fmt.Sprintf("git %s did not finish within %s", c.args[0], s.engine.options.CommandTimeout)}
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return answer{}, local("git "+c.args[0]+" does not run", err)
	}
	for _, code := range c.exits {
		if exit.ExitCode() == code {
			return answer{out: stdout.Bytes(), stderr: s.redact(stderr.String()), exit: code}, nil
		}
	}
	return answer{}, classify(c, stdout.String(), s.redact(stderr.String()))
}

// text runs a local command and returns its output without the last line break.
func (s *session) text(ctx context.Context, args ...string) (string, error) {
	a, err := s.run(ctx, call{args: args})
	return strings.TrimSuffix(string(a.out), "\n"), err
}

// environment is all that git gets to see. Nothing else of ours is inherited.
func (s *session) environment(c call) []string {
	env := []string{
		"LC_ALL=C", // stderr is read
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + s.scratch,
		"XDG_CONFIG_HOME=" + s.scratch,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_LITERAL_PATHSPECS=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_PROTOCOL_FROM_USER=0",
	}
	settings := append([][2]string{
		{"core.hooksPath", "/dev/null"},
		{"core.fsmonitor", "false"},
		{"gc.auto", "0"},
		{"maintenance.auto", "false"},
		{"merge.renames", "false"},
		{"diff.renames", "false"},
		{"credential.helper", ""},
		{"i18n.logOutputEncoding", "UTF-8"},
	}, c.config...)
	if !c.network {
		env = append(env, "GIT_ALLOW_PROTOCOL=none")
		settings = append(settings, [2]string{"remote.origin.promisor", "false"})
		return append(env, configEnvironment(settings)...)
	}
	env = append(env, "GIT_ALLOW_PROTOCOL="+strings.Join(append([]string{"https", "ssh"}, s.engine.options.AllowProtocols...), ":"))
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	settings = append(settings, [][2]string{
		{"remote.origin.promisor", "true"},
		{"remote.origin.partialCloneFilter", filter},
		{"protocol.version", "2"},
		// Credentials are for the host that was written down, not for where it points to.
		{"http.followRedirects", "false"},
		{"http.lowSpeedLimit", "1"},
		{"http.lowSpeedTime", "20"},
		{"transfer.bundleURI", "false"},
	}...)
	settings = append(settings, s.credentials.config...)
	env = append(env, s.credentials.env...)
	return append(env, configEnvironment(settings)...)
}

// configEnvironment passes settings without argv (which anybody on the machine can read) and
// without a file.
func configEnvironment(settings [][2]string) []string {
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings))}
	for i, kv := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, kv[1]))
	}
	return env
}

// bounded is a buffer that refuses to grow beyond limit: by an error, which stops the command, or
// by dropping the rest.
type bounded struct {
	bytes.Buffer
	limit    int
	drop     bool
	overflow bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - b.Len()
	if len(p) <= room {
		return b.Buffer.Write(p)
	}
	if b.drop {
		b.Buffer.Write(p[:room])
		return len(p), nil
	}
	b.overflow = true
	return 0, errors.New("too much output")
}

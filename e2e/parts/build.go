package parts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Builder builds parts.
type Builder struct {
	// Parts are what can be built, usually All().
	Parts []Part
	// Root is the checkout, see Root.
	Root string
	// Out receives the progress lines.
	Out io.Writer
	// Now is the clock.
	Now func() time.Time
	// Every is the longest time without a line; 0 means ten seconds.
	Every time.Duration
}

// Build builds the named parts (all of them when none is named) that are
// missing or were built from something else. A failure names the part and
// carries the last lines of the compiler.
func (b Builder) Build(ctx context.Context, names ...string) error {
	wanted, err := choose(b.Parts, names)
	if err != nil {
		return err
	}
	if err := needTools(exec.LookPath); err != nil {
		return err
	}
	if err := os.MkdirAll(Folder(b.Root), 0o755); err != nil {
		return err
	}
	unlock, err := b.lock()
	if err != nil {
		return err
	}
	defer unlock()

	compiler, err := b.output(ctx, b.Root, "go", "env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED")
	if err != nil {
		return err
	}
	built := 0
	for i, part := range wanted {
		did, err := b.one(ctx, part, compiler, fmt.Sprintf("%d of %d", i+1, len(wanted)))
		if err != nil {
			return err
		}
		if did {
			built++
		}
	}
	if built == 0 {
		fmt.Fprintf(b.Out, "%d of %d parts were built before, in bin/parts\n", len(wanted), len(wanted))
	}
	return nil
}

// one brings a part up to date and reports whether that was work that anyone
// would notice.
func (b Builder) one(ctx context.Context, p Part, compiler, position string) (bool, error) {
	version, err := p.version(b.Root)
	if err != nil {
		return false, err
	}
	target := filepath.Join(Folder(b.Root), p.Name)
	title := p.title(version)
	start := b.Now()
	since := func() float64 { return b.Now().Sub(start).Seconds() }
	make := func() error {
		err := b.make(ctx, p, version, target, func() {
			fmt.Fprintf(b.Out, "building %s (%s), %.0f s so far; about %s on two cores the first time\n",
				title, position, since(), rough(p.Usual))
		})
		if err != nil {
			return fmt.Errorf("%s could not be built: %w", title, err)
		}
		return nil
	}

	// For source in this repository only the go command knows which files
	// count, and it is quick to see that nothing changed.
	if p.Requirement == "" {
		err := make()
		slow := since() > 3
		if err == nil && slow {
			fmt.Fprintf(b.Out, "built %s (%s) in %.0f s\n", title, position, since())
		}
		return slow, err
	}

	stamp, err := b.stamp(p, version, compiler)
	if err != nil {
		return false, err
	}
	stampFile := target + ".stamp"
	if old, err := os.ReadFile(stampFile); err == nil && string(old) == stamp {
		if _, err := os.Stat(target); err == nil {
			return false, nil
		}
	}
	if err := os.RemoveAll(stampFile); err != nil {
		return false, err
	}
	fmt.Fprintf(b.Out, "building %s (%s); about %s on two cores the first time\n", title, position, rough(p.Usual))
	if err := make(); err != nil {
		return false, err
	}
	fmt.Fprintf(b.Out, "built %s (%s) in %.0f s\n", title, position, since())
	return true, os.WriteFile(stampFile, []byte(stamp), 0o644)
}

// make builds into a file beside the target and renames it, so that a part
// that is running, or a build that was interrupted, does no harm.
func (b Builder) make(ctx context.Context, p Part, version, target string, tick func()) error {
	fresh := target + ".new"
	if p.Requirement == "" {
		// The go command sees that nothing changed only if it finds the old file,
		// and it replaces that one as carefully.
		fresh = target
	} else if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if p.Files != "" {
		if err := b.copyFiles(ctx, p, fresh); err != nil {
			return err
		}
		if err := os.RemoveAll(target); err != nil {
			return err
		}
		return os.Rename(fresh, target)
	}

	var tail tail
	args := append(p.arguments(version), "-o", fresh, p.Package)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = p.folder(b.Root)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = &tail, &tail
	// Killed, the go command would leave its compilers running.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	every := b.Every
	if every == 0 {
		every = 10 * time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			tick()
		case err := <-done:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("go %s in e2e/parts/%s: %w\n%s", strings.Join(args, " "), p.Module, err, tail.String())
			}
			return os.Rename(fresh, target)
		}
	}
}

func (b Builder) copyFiles(ctx context.Context, p Part, target string) error {
	folder := p.folder(b.Root)
	if _, err := b.output(ctx, folder, "go", "mod", "download", p.Requirement); err != nil {
		return err
	}
	source, err := b.output(ctx, folder, "go", "list", "-m", "-f", "{{.Dir}}", p.Requirement)
	if err != nil {
		return err
	}
	return os.CopyFS(target, os.DirFS(filepath.Join(strings.TrimSpace(source), p.Files)))
}

// stamp is what a part is built from: the compiler, the part's settings and
// the files that pin its module.
func (b Builder) stamp(p Part, version, compiler string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q\n%q\n%q\n", compiler, p.Files, p.arguments(version), p.Package)
	if p.Files == "" {
		for _, name := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(p.folder(b.Root), name))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
		}
	}
	return fmt.Sprintf("%s %x\n", version, sum.Sum(nil)), nil
}

// lock makes a second build wait for the first instead of doing all of it
// again at the same time.
func (b Builder) lock() (func(), error) {
	file, err := os.OpenFile(filepath.Join(Folder(b.Root), ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		fmt.Fprintln(b.Out, "another build of the parts is running; waiting for it")
		for err = unix.EINTR; errors.Is(err, unix.EINTR); {
			err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}

func (b Builder) output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, exit.Stderr)
		}
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}

// needTools reports what is missing on this machine, all at once.
func needTools(look func(string) (string, error)) error {
	var missing []error
	for _, tool := range []struct{ name, how string }{
		{"go", "install Go 1.26 or newer, see go.dev/doc/install, and put it on the PATH"},
		{"git", "install it with the system's package manager, such as `sudo apt-get install git`"},
	} {
		if _, err := look(tool.name); err != nil {
			missing = append(missing, fmt.Errorf("%s is missing: %s", tool.name, tool.how))
		}
	}
	return errors.Join(missing...)
}

func rough(d time.Duration) string {
	switch {
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d >= time.Minute:
		return "a minute"
	default:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
}

package namespace

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ForbiddenStatus is the exit status of a first process that was started but
// may not set up its network.
const ForbiddenStatus = 2

// ForbiddenError says that this system does not allow namespaces, and what to
// do about it.
type ForbiddenError struct {
	// Remedy is a command to be typed as it stands.
	Remedy string
	Cause  error
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("this system does not let an ordinary user have a network namespace (%v); allow it with\n\n    %s\n\nor start the same command with sudo", e.Cause, e.Remedy)
}

func (e *ForbiddenError) Unwrap() error { return e.Cause }

func isForbidden(err error) bool {
	for _, errno := range []error{unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func forbidden(cause error) *ForbiddenError {
	return &ForbiddenError{Cause: cause, Remedy: remedy(readSetting)}
}

// remedy finds the setting that stands in the way. Each distribution that
// forbids user namespaces has its own.
func remedy(read func(path string) string) string {
	settings := []struct{ path, forbids, command string }{
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0",
			"sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/user/max_user_namespaces", "0",
			"sudo sysctl -w user.max_user_namespaces=10000"},
		{"/proc/sys/user/max_net_namespaces", "0",
			"sudo sysctl -w user.max_net_namespaces=10000"},
	}
	for _, s := range settings {
		if read(s.path) == s.forbids {
			return s.command
		}
	}
	return "sudo " + strings.Join(os.Args, " ")
}

func readSetting(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

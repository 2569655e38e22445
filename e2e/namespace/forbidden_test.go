package namespace

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRemedy(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]string
		want     string
	}{
		"apparmor": {map[string]string{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"},
			"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		"the clone switch": {map[string]string{
			"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0",
			"/proc/sys/kernel/unprivileged_userns_clone":             "0"},
			"sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		"a limit of none": {map[string]string{"/proc/sys/user/max_user_namespaces": "0"},
			"sudo sysctl -w user.max_user_namespaces=10000"},
		"no setting stands in the way": {map[string]string{"/proc/sys/user/max_user_namespaces": "96365"}, "sudo "},
	} {
		t.Run(name, func(t *testing.T) {
			got := remedy(func(path string) string { return test.settings[path] })
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestReportTellsForbiddenFromBroken(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		text   string
	}{
		"forbidden": {forbidden(unix.EPERM), 2, "sudo"},
		"broken":    {errors.New("no such file"), 1, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if got := Report(&out, test.err); got != test.status || !strings.Contains(out.String(), test.text) {
				t.Errorf("got %d, %q", got, out.String())
			}
		})
	}
}

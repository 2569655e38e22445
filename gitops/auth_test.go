package gitops_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/belay-dev/belay/gitops"
)

func TestAuthFromSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data map[string]string
		says string // empty: it is good
	}{
		"ssh":                     {map[string]string{"identity": "k", "known_hosts": "h", "identity.pub": "p"}, ""},
		"ssh without hosts":       {map[string]string{"identity": "k"}, "known_hosts"},
		"basic":                   {map[string]string{"username": "u", "password": "s3cret"}, ""},
		"basic with ca":           {map[string]string{"username": "u", "password": "s3cret", "ca.crt": "c"}, ""},
		"no password":             {map[string]string{"username": "u"}, "both"},
		"no username":             {map[string]string{"password": "s3cret"}, "both"},
		"bearer":                  {map[string]string{"bearerToken": "s3cret"}, ""},
		"bearer and basic":        {map[string]string{"bearerToken": "s3cret", "username": "u", "password": "s3cret"}, "give one"},
		"ca only":                 {map[string]string{"ca.crt": "c"}, ""},
		"empty":                   {map[string]string{}, "none of the keys"},
		"keys of something else":  {map[string]string{"tls.key": "s3cret"}, "none of the keys"},
		"a key with another name": {map[string]string{"ssh-privatekey": "s3cret"}, "none of the keys"},
	} {
		t.Run(name, func(t *testing.T) {
			data := map[string][]byte{}
			for k, v := range c.data {
				data[k] = []byte(v)
			}
			_, err := gitops.AuthFromSecret(data)
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var e *gitops.Error
			if !errors.As(err, &e) || e.Class != gitops.ClassAuth || !strings.Contains(e.Text, c.says) || strings.Contains(e.Text, "s3cret") {
				t.Errorf("got %v", err)
			}
		})
	}
}

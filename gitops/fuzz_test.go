package gitops

import (
	"errors"
	"testing"
)

// FuzzAuthFromSecret reads Secrets in which anything stands: there is a whole way to sign in or a mistake, and what is said
// about the mistake depends on which keys there are and never on a value.
func FuzzAuthFromSecret(f *testing.F) {
	for keys := range 128 {
		f.Add(uint8(keys), []byte("k"), "user\n", "p\x00w")
	}
	f.Fuzz(func(t *testing.T, keys uint8, bytes []byte, username, password string) {
		secret := func(bytes []byte, username, password string) map[string][]byte {
			data := map[string][]byte{}
			for i, key := range []string{"identity", "known_hosts", "username", "password", "bearerToken", "ca.crt", "other"} {
				value := bytes
				switch key {
				case "username":
					value = []byte(username)
				case "password", "bearerToken":
					value = []byte(password)
				}
				if keys&(1<<i) != 0 {
					data[key] = value
				}
			}
			return data
		}
		a, err := AuthFromSecret(secret(bytes, username, password))
		var typed *Error
		if err != nil && (!errors.As(err, &typed) || typed.Class != ClassAuth || a.Username+a.Password+a.BearerToken != "" || len(a.Identity) > 0) {
			t.Fatalf("%v with %+v", err, a)
		}
		if len(bytes) == 0 || username == "" || password == "" {
			return // a key without a value is as good as none
		}
		_, same := AuthFromSecret(secret([]byte("x"), "x", "x"))
		if (err == nil) != (same == nil) || err != nil && err.Error() != same.Error() {
			t.Errorf("with these values it says %v, with others %v", err, same)
		}
		if err != nil {
			return
		}
		ssh, basic, bearer := len(a.Identity) > 0, a.Password != "", a.BearerToken != ""
		if ssh && len(a.KnownHosts) == 0 || basic != (a.Username != "") || basic && bearer || !ssh && !basic && !bearer && len(a.CA) == 0 {
			t.Errorf("half a way to sign in: %+v", a)
		}
	})
}

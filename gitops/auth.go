package gitops

import (
	"fmt"
)

// Auth is a way to sign in at a Git server.
type Auth struct {
	// Identity is an SSH private key, KnownHosts the host keys to accept: both or neither.
	Identity, KnownHosts []byte
	// Username and Password are for HTTPS.
	Username, Password string
	// BearerToken is for HTTPS, instead of Username and Password.
	BearerToken string
	// CA is a PEM bundle that is trusted instead of the system's for HTTPS.
	CA []byte
}

// AuthFromSecret reads the keys that Flux reads: identity and known_hosts, or username and
// password, or bearerToken; and ca.crt. The error is an *Error of class Auth and never contains a
// value.
func AuthFromSecret(data map[string][]byte) (Auth, error) {
	a := Auth{
		Identity:    data["identity"],
		KnownHosts:  data["known_hosts"],
		Username:    string(data["username"]),
		Password:    string(data["password"]),
		BearerToken: string(data["bearerToken"]),
		CA:          data["ca.crt"],
	}
	ssh, basic, bearer := len(a.Identity) > 0, a.Password != "", a.BearerToken != ""
	switch {
	case ssh && len(a.KnownHosts) == 0:
		return Auth{}, badSecret("it has the key identity but not known_hosts: host keys are always verified, add the output of ssh-keyscan after checking it")
	case (a.Username != "") != basic:
		return Auth{}, badSecret("username and password belong together: give both")
	case basic && bearer:
		return Auth{}, badSecret("it has both password and bearerToken: give one")
	case !ssh && !basic && !bearer && len(a.CA) == 0:
		return Auth{}, badSecret("it has none of the keys identity (with known_hosts), username and password, bearerToken, ca.crt")
	}
	return a, nil
}

func badSecret(why string) error {
	return &Error{Class: ClassAuth, Text: fmt.Sprintf("the Secret of the Repository cannot be used: %s", why)}
}

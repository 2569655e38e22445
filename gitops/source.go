package gitops

// Repository is what a Repository object and its Secrets say.
type Repository struct {
	// URL is https:// or ssh:// (or git@host:path), without credentials.
	URL string
	// Auth is how to sign in. The zero value reads and writes anonymously.
	Auth Auth
	// Author writes and signs off the commits.
	Author Identity
	// SigningKey is an OpenSSH private key without passphrase; empty: commits are not signed.
	SigningKey []byte
	// CommitsPerHour is the circuit breaker: this many commits of ours (from any Rollout and any
	// cluster) within an hour on the branch, and no more are written. Zero: no limit.
	CommitsPerHour int
}

// Identity is a name and an e-mail address as Git writes them.
type Identity struct{ Name, Email string }

// ObjectRef names the workload whose document is looked for in the files.
type ObjectRef struct{ Kind, Namespace, Name string }

// Source says which files are the inputs of a Rollout.
type Source struct {
	// Branch is the name without refs/heads/.
	Branch string
	// Paths are files or directories from the root of the repository, taken literally: no
	// wildcards. "." is the whole repository.
	Paths []string
	// Workload is what these files declare, among other things.
	Workload ObjectRef
}

// Tip is the head of a branch.
type Tip struct {
	// Commit is the full id.
	Commit string
	// Inputs is the identity of the contents of F at that commit: equal inputs, equal files.
	Inputs string
}

// Interval bounds the change that failed.
type Interval struct {
	// Stable (L) and Failed (U) are full commit ids.
	Stable, Failed string
	// Exact is true when the workload's template was read in the files and the bounds are the
	// commits that changed it. False: they are the commits that were asked for, and everything
	// that happened to F between them counts as the change.
	Exact bool
	// Why says in a sentence why the interval is not exact.
	Why string
}

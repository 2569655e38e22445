package gitops

// Class says how an error is to be handled.
type Class string

const (
	// ClassTransient: try again later; nothing has to be changed.
	ClassTransient Class = "Transient"
	// ClassAuth: the server does not accept the credentials, or they cannot be used.
	ClassAuth Class = "Auth"
	// ClassNotFound: the repository, the branch, a path or a commit does not exist.
	ClassNotFound Class = "NotFound"
	// ClassDenied: the server read the push and refused it (protected branch, hook). Trying
	// again does not help.
	ClassDenied Class = "Denied"
	// ClassUnsupported: the configuration or this machine cannot do it; the text says what to change.
	ClassUnsupported Class = "Unsupported"
	// ClassCanceled: the context ended.
	ClassCanceled Class = "Canceled"
)

// Error is what the engine returns. Its text is for a condition: the same failure gives the same
// text at each attempt, without ports, temporary paths or ids.
type Error struct {
	Class Class
	Text  string
	// Detail is what git said, for the log. Credentials have been removed from it.
	Detail string
	// Err is the cause, if it is one that callers may look for (context.Canceled).
	Err error
}

func (e *Error) Error() string { return e.Text }

func (e *Error) Unwrap() error { return e.Err }

package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// Mode is how an agent applies.
type Mode string

// Modes of an agent.
const (
	// Forced is server-side apply that takes fields over, as Flux does; Polite is it without.
	Forced Mode = "server-side apply with force"
	Polite Mode = "server-side apply"
	// ClientSide is kubectl apply: a three-way patch with the annotation that remembers what was applied last.
	ClientSide Mode = "client-side apply"
	// Replacing is a PUT of the object as it was read when its manifest was new.
	Replacing Mode = "PUT of an old copy"
)

// Modes lists all.
func Modes() []Mode { return []Mode{Forced, Polite, ClientSide, Replacing} }

// AgentOptions of NewAgent. Schedule, Repository and Server are required.
type AgentOptions struct {
	Schedule   *schedule.Schedule
	Repository *Repository
	Server     *server.Server
	// User that the agent is; empty: "agent". Paths that it applies; none: everything.
	User  string
	Paths []string
	// Mode; empty: Forced.
	Mode Mode
	// Interval between two applies of everything; 0: a minute.
	Interval time.Duration
	// LagFrom and LagTo: so long it takes until a new commit is seen. Then it is applied at once.
	LagFrom, LagTo time.Duration
	// PauseFrom and PauseTo: so long it takes from one object to the next.
	PauseFrom, PauseTo time.Duration
	// Shuffled applies the objects in any order.
	Shuffled bool
	// SourceRevision writes into the workload which commit it was applied from.
	SourceRevision bool
	// Prunes deletes what a commit no longer declares.
	Prunes bool
	// Say gets a line for each commit that was applied and for each new refusal. Optional.
	Say func(format string, args ...any)
}

// Agent keeps the head of a branch applied. All of it is for the schedule's goroutine.
type Agent struct {
	opts   AgentOptions
	client client.Client

	seen    *Commit
	applied string
	stopped bool
	round   *round
	next    func() // takes the planned round back
	objects map[server.Key]*applied
	writes  int
}

// round is one apply of everything.
type round struct {
	commit *Commit
	left   []*unstructured.Unstructured
	failed int
}

// applied is what the agent knows of an object.
type applied struct {
	manifest *unstructured.Unstructured
	commit   string
	// settled is the object as the last apply left it, if it left it as it found it; nil: it has changed something, or was
	// refused. Until somebody else changes what is applied the next apply does nothing.
	settled *unstructured.Unstructured
	// copy is the object as it was before this manifest was applied first.
	copy    *unstructured.Unstructured
	refusal string
}

// NewAgent makes an agent that begins at once.
func NewAgent(o AgentOptions) *Agent {
	if o.User == "" {
		o.User = "agent"
	}
	if o.Mode == "" {
		o.Mode = Forced
	}
	if o.Interval == 0 {
		o.Interval = time.Minute
	}
	if len(o.Paths) == 0 {
		o.Paths = []string{"."}
	}
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	a := &Agent{opts: o, client: o.Server.Client(o.User), objects: map[server.Key]*applied{}}
	o.Repository.OnPush(func(*Commit) {
		o.Schedule.After(o.Schedule.Between(o.LagFrom, o.LagTo), o.User+" sees the head", a.look)
	})
	a.look()
	return a
}

// Applied is the last commit of which every object was applied, empty before the first.
func (a *Agent) Applied() string { return a.applied }

// Writes counts the requests that were sent to the server.
func (a *Agent) Writes() int { return a.writes }

// SetMode changes how it applies from now on.
func (a *Agent) SetMode(m Mode) {
	a.opts.Mode = m
	for _, known := range a.objects {
		known.settled = nil
	}
}

// Stop ends a round wherever it is; nothing is applied until Resume.
func (a *Agent) Stop() { a.stopped, a.round = true, nil }

// Resume applies the head at once.
func (a *Agent) Resume() {
	if a.stopped {
		a.stopped = false
		a.look()
	}
}

// Err says what the server refuses at present; nil: nothing.
func (a *Agent) Err() error {
	var out []error
	if a.seen == nil {
		return nil
	}
	for _, o := range declaredIn(a.seen.Files.At(a.opts.Paths...)) {
		if known := a.objects[keyOf(o)]; known != nil && known.refusal != "" {
			out = append(out, fmt.Errorf("%s: %s", keyOf(o), known.refusal))
		}
	}
	return errors.Join(out...)
}

// look brings the head and begins a round with it.
func (a *Agent) look() {
	if a.stopped || a.opts.Repository.Head() == nil {
		return
	}
	a.seen = a.opts.Repository.Head()
	a.begin()
}

// begin starts a round. One under way with another commit ends.
func (a *Agent) begin() {
	if a.stopped || a.seen == nil || a.round != nil && a.round.commit == a.seen {
		return
	}
	if a.next != nil {
		a.next()
	}
	left := declaredIn(a.seen.Files.At(a.opts.Paths...))
	if a.opts.Shuffled {
		a.opts.Schedule.Rand().Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	}
	a.round = &round{commit: a.seen, left: left}
	a.goOn(a.round)
}

// goOn applies objects until the next pause.
func (a *Agent) goOn(r *round) {
	for a.round == r && len(r.left) > 0 {
		o := r.left[0]
		r.left = r.left[1:]
		if err := a.apply(o, r.commit); err != nil {
			r.failed++
		}
		if a.opts.PauseTo > 0 && len(r.left) > 0 {
			a.opts.Schedule.After(a.opts.Schedule.Between(a.opts.PauseFrom, a.opts.PauseTo), a.opts.User+" goes on", func() { a.goOn(r) })
			return
		}
	}
	if a.round == r {
		a.finish(r)
	}
}

func (a *Agent) finish(r *round) {
	a.round = nil
	if a.opts.Prunes {
		a.prune(r.commit)
	}
	if r.failed == 0 && a.applied != r.commit.ID {
		a.applied = r.commit.ID
		a.opts.Say("%s has applied %s (%s)", a.opts.User, r.commit.ID[:10], r.commit.Message)
	}
	if a.next != nil {
		a.next()
	}
	a.next = a.opts.Schedule.After(a.opts.Interval, a.opts.User+" applies again", a.begin)
}

// apply brings one object to what its manifest says.
func (a *Agent) apply(o *unstructured.Unstructured, commit *Commit) error {
	key := keyOf(o)
	stored := a.opts.Server.Objects().Shared(key)
	known := a.objects[key]
	if known == nil || known.manifest != o {
		known = &applied{manifest: o, copy: stored}
		a.objects[key] = known
	}
	stamped := a.opts.SourceRevision && key.Kind.Kind == "Deployment"
	if known.commit != commit.ID && stamped {
		known.settled = nil
	}
	known.commit = commit.ID
	if sameToAnAgent(known.settled, stored) {
		return nil
	}
	o = o.DeepCopy()
	if stamped {
		annotate(o, v1alpha1.AnnotationSourceRevision, commit.ID)
	}
	a.writes++
	err := a.send(o, stored, known)
	a.judge(key, known, stored, err)
	return err
}

// judge remembers how an apply ended.
func (a *Agent) judge(key server.Key, known *applied, before *unstructured.Unstructured, err error) {
	known.settled = nil
	if err != nil {
		if known.refusal != err.Error() {
			a.opts.Say("%s: %s: %v", a.opts.User, key, err)
		}
		known.refusal = err.Error()
		return
	}
	known.refusal = ""
	after := a.opts.Server.Objects().Shared(key)
	if before != nil && after != nil && before.GetResourceVersion() == after.GetResourceVersion() {
		known.settled = after
	}
}

// prune deletes what was applied from an older commit and is not declared any more.
func (a *Agent) prune(commit *Commit) {
	declared := map[server.Key]bool{}
	for _, o := range declaredIn(commit.Files.At(a.opts.Paths...)) {
		declared[keyOf(o)] = true
	}
	for _, key := range sortedKeys(a.objects) {
		if declared[key] {
			continue
		}
		a.writes++
		if err := a.client.Delete(context.Background(), a.objects[key].manifest.DeepCopy()); client.IgnoreNotFound(err) != nil {
			a.opts.Say("%s: delete %s: %v", a.opts.User, key, err)
			continue
		}
		delete(a.objects, key)
	}
}

package sim

import (
	"context"
	"fmt"
	"runtime"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// connection is the client of a process: reads come from its caches, everything else travels to the API server, where it
// may arrive late, twice a failure and once a success, or never.
type connection struct {
	client.Client
	process *process
}

// call is one request on its way.
type call struct{ verb, kind, key string }

func (c call) String() string { return c.verb + " " + c.kind + " " + c.key }

// mutates says that the call may change what is stored.
func (c call) mutates() bool { return c.verb != "read" && c.verb != "dry-run" }

func (c *connection) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	return c.process.cache.Get(ctx, key, o, opts...)
}

func (c *connection) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return c.process.cache.List(ctx, list, opts...)
}

func (c *connection) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return c.send(ctx, c.of("create", o), func() error { return c.Client.Create(ctx, o, opts...) })
}

func (c *connection) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	return c.send(ctx, c.of("update", o), func() error { return c.Client.Update(ctx, o, opts...) })
}

func (c *connection) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	return c.send(ctx, c.of("delete", o), func() error { return c.Client.Delete(ctx, o, opts...) })
}

func (c *connection) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	verb := "patch"
	options := client.PatchOptions{}
	if options.ApplyOptions(opts); len(options.DryRun) > 0 {
		verb = "dry-run"
	}
	return c.send(ctx, c.of(verb, o), func() error { return c.Client.Patch(ctx, o, p, opts...) })
}

func (c *connection) Status() client.SubResourceWriter { return c.SubResource("status") }

func (c *connection) SubResource(name string) client.SubResourceClient {
	return &statusConnection{c.Client.SubResource(name), c}
}

// statusConnection sends writes of status.
type statusConnection struct {
	client.SubResourceClient
	to *connection
}

func (s *statusConnection) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	return s.to.send(ctx, s.to.of("status", o), func() error { return s.SubResourceClient.Update(ctx, o, opts...) })
}

func (s *statusConnection) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	return s.to.send(ctx, s.to.of("status", o), func() error { return s.SubResourceClient.Patch(ctx, o, p, opts...) })
}

func (c *connection) of(verb string, o client.Object) call {
	gvk, err := apiutil.GVKForObject(o, c.Scheme())
	if err != nil {
		panic(err) // a kind that the scheme does not know: a mistake of the simulation
	}
	return call{verb, gvk.Kind, client.ObjectKeyFromObject(o).String()}
}

// send has a call carried out at the API server and waits for the answer. It is called in a goroutine of the process; all
// that it does to the world is done by the schedule. It never returns to a process that died.
func (c *connection) send(ctx context.Context, what call, do func() error) error {
	answer := make(chan error, 1)
	p := c.process
	p.world.schedule.Hand(p.name+" sends "+what.String(), func() {
		p.do(func() { p.world.travel(p, what, do, answer) })
	})
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		if p.ctx.Err() != nil {
			runtime.Goexit()
		}
		return ctx.Err()
	case <-p.ctx.Done():
		runtime.Goexit()
	}
	return nil
}

// fate is what befalls a call.
type fate struct {
	there, back time.Duration
	// dies: the process is killed before the call arrives, or right after.
	diesBefore, diesAfter bool
	// lost: it never arrives; deaf: its answer never does.
	lost, deaf bool
	// refused: the server answers this instead.
	refused error
}

// patience is how long a client waits for an answer.
const patience = 15 * time.Second

// travel takes a call to the server and its answer back.
func (w *World) travel(p *process, what call, do func() error, answer chan<- error) {
	f := w.faults.fate(what)
	if f.diesBefore {
		p.kill("before " + what.String())
		return
	}
	reply := func(after time.Duration, err error) {
		w.schedule.After(after, "the answer to "+p.name, func() { p.do(func() { answer <- err }) })
	}
	expired := func() error {
		return fmt.Errorf("the API server did not answer in time: %w", context.DeadlineExceeded)
	}
	if f.lost {
		w.say("%s: %s is lost", p.name, what)
		reply(patience, expired())
		return
	}
	w.schedule.After(f.there, what.String()+" arrives", func() {
		err := f.refused
		if err == nil {
			w.caller = p
			err = do()
			w.caller = nil
		}
		if what.mutates() {
			w.told(p, what, err)
		}
		switch {
		case f.diesAfter:
			p.kill("after " + what.String())
		case f.deaf:
			w.say("%s: the answer to %s is lost", p.name, what)
			reply(patience, expired())
		default:
			reply(f.back, err)
		}
	})
}

// told writes a call of the controller into the transcript.
func (w *World) told(p *process, what call, err error) {
	w.count.writes++
	switch {
	case err == nil:
		w.say("%s: %s", p.name, what)
	case apierrors.IsConflict(err):
		w.say("%s: %s: conflict", p.name, what)
	default:
		w.say("%s: %s: %v", p.name, what, err)
	}
}

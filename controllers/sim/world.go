package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/delivery"
	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/controllers/sim/server"
)

const (
	controllerUser      = "system:serviceaccount:belay-system:belay"
	controllerNamespace = "belay-system"
	namespace           = "shop"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Parts are what all worlds share: compiled once, changed by nobody.
type Parts struct {
	Schemas  *server.Schemas
	Policies *admission.Policies
	// With names faults that every story has, beside those that it draws.
	With []string
}

// World is one simulated cluster.
type World struct {
	parts     Parts
	schedule  *schedule.Schedule
	api       *server.Server
	cluster   *cluster.Cluster
	git       *delivery.Repository
	agent     *delivery.Agent
	metrics   *delivery.Source
	history   *history
	processes []*process
	born      int
	// caller is the process whose write is being carried out; nil: somebody else's.
	caller *process
	// sent counts writes on their way to the server.
	sent   int
	faults *faults
	laws   *laws
	count  counts

	app      string
	declared delivery.Application
	// images that were ever shipped, what is true of them, those that a person let through, and those that one promoted.
	images           []string
	truth            map[string]truth
	bypassed         map[string]bool
	promotedByPerson map[string]bool
	// What this story does that suspends a law: the workload is scaled, objects are deleted and made again, metrics lie, the
	// gateway takes its time, requests may be lost through no fault of ours.
	scaled, recreated, lied, slowGateway, excused bool
	// quiet: no requests are sent any more.
	quiet bool
	asked int

	lines      []string
	violations []violation
}

// counts are what happened, for the figures.
type counts struct {
	rounds, failed, writes, queries, requests, attempts, promoted, ended, crashes int
}

// truth is what an image is like.
type truth string

const (
	good    truth = "good"
	bad     truth = "bad"     // it answers with errors
	unclear truth = "unclear" // between the limits
	sick    truth = "sick"    // it never becomes ready
)

func newWorld(parts Parts, seed uint64, idle func()) *World {
	w := &World{
		parts: parts, schedule: schedule.New(seed, noon, idle), history: newHistory(), app: "web",
		truth: map[string]truth{}, bypassed: map[string]bool{}, promotedByPerson: map[string]bool{},
	}
	uids := 0
	w.api = server.New(server.Options{
		Schemas: parts.Schemas, Now: w.schedule.Now, Admit: w.admit,
		// One story in sixteen holds every status against the schema; that is enough to see one that it refuses.
		TrustUpdates: seed%16 != 0,
		// Nobody changes what he reads; one story in sixteen holds all to that.
		Lends: true, Seals: seed%16 == 1,
		UID: func() types.UID { uids++; return types.UID(fmt.Sprintf("00000000-0000-4000-8000-%012d", uids)) },
	})
	w.faults = &faults{w: w}
	w.laws = newLaws(w)
	w.api.OnWrite(func(e server.Event) {
		w.history.add(e, w.schedule.Now())
		w.laws.see(e)
		for _, p := range w.processes {
			if p.alive {
				p.cache.changed(e.Key.Kind)
			}
		}
	})
	w.cluster = cluster.New(w.schedule, w.api)
	return w
}

// admit asks the admission policies.
func (w *World) admit(ctx context.Context, r server.Request, objects *server.Objects) (*unstructured.Unstructured, error) {
	return w.parts.Policies.Admit(ctx, admission.Request{
		Operation: r.Operation, Kind: r.Kind, Resource: r.Resource, Subresource: r.Subresource,
		Namespace: r.Namespace, Name: r.Name, User: r.User, DryRun: r.DryRun, Object: r.Object, Old: r.Old,
	}, objects.ConfigMaps, nil)
}

// say writes a line of the transcript.
func (w *World) say(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf("%9.3f  %s", w.schedule.Now().Sub(noon).Seconds(), fmt.Sprintf(format, args...)))
}

// Transcript is all that was said.
func (w *World) Transcript() string { return strings.Join(w.lines, "\n") }

var kinds = map[string]schema.GroupKind{
	"Rollout":       {Group: "belay.dev", Kind: "Rollout"},
	"Deployment":    {Group: "apps", Kind: "Deployment"},
	"ReplicaSet":    {Group: "apps", Kind: "ReplicaSet"},
	"Pod":           {Kind: "Pod"},
	"Service":       {Kind: "Service"},
	"ConfigMap":     {Kind: "ConfigMap"},
	"EndpointSlice": {Group: "discovery.k8s.io", Kind: "EndpointSlice"},
	"HTTPRoute":     {Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"},
}

// stored is an object as it is stored; nil: there is none. It is shared: never change it.
func (w *World) stored(kind, name string) *unstructured.Unstructured {
	return w.api.Objects().Shared(server.Key{Kind: kinds[kind], Namespace: namespace, Name: name})
}

func (w *World) storedAll(kind string) []*unstructured.Unstructured {
	return w.api.Objects().All(kinds[kind], namespace)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// convert reads a typed value from the form in which it is stored.
func convert(from map[string]any, into any) {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from, into); err != nil {
		panic(err) // it was stored by types of ours
	}
}

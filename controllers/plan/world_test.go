package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// world is a cluster in memory, of structs alone. Effects succeed and neighbours are quick, so that a story shows
// decisions and nothing else.
type world struct {
	now      time.Time
	progress v1alpha1.Progress
	config   Config
	digest   string

	finalizer, deleting, gone bool
	suspend                   bool
	problems                  []Problem
	request                   *Request

	deployment deployment
	sets       []*replicaSet
	made       int
	services   []*service
	canary     routers.CanaryServiceState
	attempt    AttemptState
	routes     []*route
	// midway: the Deployment's own roll-out gets no further than half.
	midway bool
	// stuck: the gateway programs nothing.
	stuck bool

	// sick versions never get ready pods; lost ones have lost theirs for a while.
	sick, lost map[string]bool
	// flapping is the version whose pods come and go with every second round.
	flapping string
	round    int
	// verdicts of the one metric by version; Pass where nothing is said.
	verdicts map[string]v1alpha1.Verdict
	job      *Measure
	git      repository
}

type deployment struct {
	found    bool
	uid      int
	replicas int32
	template string
	held     bool
	governor string
	notice   string
	source   string
}

type replicaSet struct {
	// version of its template, and the hash in its name: another one when the name was taken.
	version  string
	hash     string
	replicas int32
	owner    string // "deployment" or "rollout"
	created  int
}

type service struct {
	name string
	pin  *routers.Pin
}

type route struct {
	name       string
	intent     *routers.Split
	programmed bool
}

// repository is Git: every question is answered at once, a revert by the next of the answers.
type repository struct {
	head    string
	answers []Answer
	git     Git
	// agent: what is committed is applied to the cluster.
	agent   bool
	reverts int
}

// newShop is a Deployment of four pods at v1 with a Rollout that has just been created.
func newShop() *world {
	w := &world{
		now: noon, digest: "d1",
		config:     atRest().Config,
		deployment: deployment{found: true, uid: 1, replicas: 4, template: "v1", source: "c1"},
		services:   []*service{{name: "checkout"}, {name: "checkout-metrics"}},
		routes:     []*route{{name: "shop", programmed: true}},
		sick:       map[string]bool{}, lost: map[string]bool{},
		verdicts: map[string]v1alpha1.Verdict{},
		git:      repository{head: "c1", git: Git{Configured: true, MaxAge: time.Hour}, agent: true},
	}
	w.neighbours()
	return w
}

// push commits a template, and the agent applies it.
func (w *world) push(version string) {
	w.git.head = "c-" + version
	w.apply(version, w.git.head)
}

// apply writes a template; admission holds it.
func (w *world) apply(version, source string) {
	d := &w.deployment
	d.source = source
	if d.template == version {
		return
	}
	d.template = version
	d.held = d.held || d.governor != ""
}

// restart is kubectl rollout restart: a template change that is no release, and not held.
func (w *world) restart(version string) {
	w.deployment.template = version
}

// recreate deletes the Deployment with its pods and makes it anew.
func (w *world) recreate(version string) {
	d := &w.deployment
	d.uid++
	d.template, d.held, d.notice = version, false, ""
	w.sets = slices.DeleteFunc(w.sets, func(s *replicaSet) bool { return s.owner == "deployment" })
	d.governor = ""
}

func (w *world) set(name string) *replicaSet {
	for _, s := range w.sets {
		if "checkout-"+s.hash == name {
			return s
		}
	}
	return nil
}

func (w *world) make(version, owner string, replicas int32) {
	w.made++
	hash := version
	for w.set("checkout-"+hash) != nil {
		hash += "b"
	}
	w.sets = append(w.sets, &replicaSet{version: version, hash: hash, owner: owner, replicas: replicas, created: w.made})
}

func (w *world) ready(s *replicaSet) int32 {
	if w.sick[s.version] || w.lost[s.version] || (w.flapping == s.version && w.round%3 == 0) {
		return 0
	}
	return s.replicas
}

// neighbours lets the Deployment's controller and the gateway do what they do.
func (w *world) neighbours() {
	if w.deployment.found && !w.deployment.held {
		w.roll()
	}
	w.round++
	for _, r := range w.routes {
		r.programmed = r.programmed || !w.stuck
	}
}

func (w *world) roll() {
	d := &w.deployment
	i := slices.IndexFunc(w.sets, func(s *replicaSet) bool { return s.owner == "deployment" && s.version == d.template })
	if i < 0 {
		w.make(d.template, "deployment", d.replicas)
		i = len(w.sets) - 1
	}
	current := w.sets[i]
	current.replicas = d.replicas
	if w.midway {
		current.replicas = d.replicas / 2
	}
	for _, s := range w.sets {
		if s != current && s.owner == "deployment" && w.ready(current) == d.replicas {
			s.replicas = 0
		}
	}
}

func (w *world) observe() Observed {
	o := Observed{
		Now: w.now, Namespace: "shop", Name: "checkout", Finalizer: w.finalizer, Deleting: w.deleting,
		Suspend: w.suspend, Problems: w.problems, Request: w.request,
		Config: w.config, LiveDigest: w.digest, Generation: 1,
		Progress: *w.progress.DeepCopy(), WorkloadName: "Deployment checkout",
		Attempt: w.attempt, Git: w.git.git, Guarded: Proof{Known: true, Holds: true},
	}
	if w.deployment.found {
		o.Workload = w.workload()
	}
	for _, s := range w.services {
		o.Services = append(o.Services, routers.ServiceState{
			Name: s.name, ResourceVersion: "rv", Pin: s.pin, Pinned: s.pin != nil, Ready: w.endpoints(s),
		})
	}
	o.Canary = w.canary
	o.Canary.Ready = w.canaryEndpoints()
	for _, r := range w.routes {
		o.Routes = append(o.Routes, w.routeState(r))
	}
	if w.request != nil && w.request.Token == w.progress.Request {
		o.Request = nil
	}
	if w.sick["v2"] && w.progress.Canary != nil {
		o.Pods = []string{"container app of image shop:v2: CrashLoopBackOff"}
	}
	o.Metrics = w.metrics()
	return o
}

func (w *world) routeState(r *route) routers.State {
	state := routers.State{
		Ref: routeRef(r.name), Found: true, ResourceVersion: "rv", Intent: r.intent, Names: true,
		Divided: r.intent != nil, Programmed: r.programmed,
	}
	if !r.programmed {
		state.Why = "Gateway edge has not reported its generation"
	}
	return state
}

func (w *world) workload() workloads.State {
	d := w.deployment
	state := workloads.State{
		Found: true, UID: fmt.Sprint("uid-", d.uid), ResourceVersion: "rv", Replicas: d.replicas, Governor: d.governor,
		Held: d.held, Notice: d.notice, Source: d.source, Settled: !d.held,
	}
	state.Candidate = workloads.Revision{Name: "checkout-" + d.template, Hash: d.template, Image: "shop:" + d.template, Current: true}
	for _, s := range w.sets {
		r := set(s.hash, s.replicas)
		r.Image = "shop:" + s.version
		r.Ready = w.ready(s)
		r.Available = r.Ready
		r.Owned, r.Ours, r.Current = s.owner == "deployment", s.owner == "rollout", s.version == d.template
		state.Revisions = append(state.Revisions, r)
		if r.Current && (!state.Candidate.Owned || state.Candidate.Replicas == 0) {
			state.Candidate = r
		}
		if r.Owned && (r.Current && r.Available < d.replicas || !r.Current && r.Replicas > 0) {
			state.Settled = false
		}
	}
	return state
}

// endpoints of a Service, by revision.
func (w *world) endpoints(s *service) map[string]int32 {
	out := map[string]int32{}
	for _, set := range w.sets {
		if n := w.ready(set); n > 0 && (s.pin == nil || s.pin.Value == set.hash) {
			out[set.hash] += n
		}
	}
	return out
}

func (w *world) canaryEndpoints() int32 {
	var n int32
	for _, set := range w.sets {
		if w.canary.Found && set.hash == w.canary.Revision {
			n += w.ready(set)
		}
	}
	return n
}

// firstResult is how long after the clock's start the metric has a verdict.
const firstResult = 10 * time.Second

func (w *world) metrics() []v1alpha1.MetricStatus {
	p := w.progress
	if p.Stage != v1alpha1.StageStepping && p.Stage != v1alpha1.StageUnpinning {
		w.job = nil
	}
	if w.job == nil || w.job.Attempt != p.Attempt || w.job.Step != p.Step || w.now.Before(w.job.Since.Add(firstResult)) {
		return nil
	}
	verdict := v1alpha1.VerdictPass
	if v, said := w.verdicts[w.progress.Canary.Revision]; said {
		verdict = v
	}
	value := map[v1alpha1.Verdict]string{v1alpha1.VerdictPass: "0.001", v1alpha1.VerdictFail: "0.2", v1alpha1.VerdictInconclusive: "0.03"}[verdict]
	return []v1alpha1.MetricStatus{{Name: "error-rate", Verdict: verdict, Value: value, Limit: "result < 0.01", Step: w.job.Step}}
}

package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
	"github.com/belay-dev/belay/workloads"
)

// world is a cluster in memory, of structs alone. Effects succeed and neighbours are quick, so that a story shows
// decisions and nothing else; with chance, neighbours take their time and writes are refused.
type world struct {
	now      time.Time
	progress v1alpha1.Progress
	// live is what the Rollout says, snapshot what the attempt runs on.
	live, snapshot rolloutSpec

	finalizer, deleting, gone bool
	suspend                   bool
	problems                  []Problem
	request                   *Request

	deployment deployment
	sets       []*replicaSet
	made       int
	services   []*service
	canary     routers.CanaryServiceState
	// canarySeen is how many endpoints of the canary's Service are known.
	canarySeen int32
	attempt    AttemptState
	routes     []*route
	// missing are admission policies that somebody deleted: hold, pin, split.
	missing map[string]bool
	// midway: the Deployment's own roll-out gets no further than half.
	midway bool
	// unadopted: no adoption gets through. late is the last one that did not.
	unadopted bool
	late      *Adopt
	// stuck: the gateway programs nothing.
	stuck bool

	// sick versions never get ready pods; lost ones have lost theirs for a while.
	sick, lost map[string]bool
	// flapping is the version whose pods come and go with every third round.
	flapping string
	round    int
	// verdicts of the one metric by version; Pass where nothing is said.
	verdicts map[string]v1alpha1.Verdict
	job      *Measure
	// traffic is how many requests a second there are, where a ramp counts them.
	traffic float64
	// said are the metrics as they were measured last in this attempt.
	said []v1alpha1.MetricStatus
	git  repository
	// chance decides what a neighbour does when; nil: everybody is quick and nothing is refused.
	chance *rand.Rand
	// meddled counts what people did to the pods and the hold, past the Rollout; loose: the hold was taken off by one.
	meddled int
	loose   bool
}

type rolloutSpec struct {
	config Config
	digest string
}

type deployment struct {
	found    bool
	uid      int
	replicas int32
	template string
	held     bool
	claim    string
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
	// pods that are there, and how many of them are up; where chance makes them lag behind replicas.
	pods, up int32
	// ended counts pods that were there and are not wanted any more.
	ended int32
	// calledOff is the fence with which a hand-over was called off.
	calledOff string
}

type service struct {
	name string
	pin  *routers.Pin
	// seen are the endpoints that are known, by revision.
	seen map[string]int32
}

type route struct {
	name       string
	intent     *routers.Split
	programmed bool
	// other is the split of another Rollout.
	other *routers.Split
}

// newShop is a Deployment of four pods at v1 with a Rollout that has just been created.
func newShop() *world {
	w := &world{
		now:        noon,
		live:       rolloutSpec{atRest().Config, "d1"},
		deployment: deployment{found: true, uid: 1, replicas: 4, template: "v1", source: "c1"},
		services:   []*service{{name: "checkout"}, {name: "checkout-metrics"}},
		routes:     []*route{{name: "shop", programmed: true}},
		sick:       map[string]bool{}, lost: map[string]bool{}, missing: map[string]bool{},
		verdicts: map[string]v1alpha1.Verdict{},
		git:      repository{head: "c1", git: Git{Configured: true, MaxAge: time.Hour}, agent: true, reverts: map[string]int{}},
	}
	w.neighbours()
	return w
}

// What people and agents do.

// push commits a template, and the agent applies it.
func (w *world) push(version string) {
	w.git.head, w.git.applies = "c-"+version, false
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
	d.held = d.held || (d.governor != "" && !w.missing["hold"])
}

// restart is kubectl rollout restart: a template change that is no release, and not held.
func (w *world) restart(version string) {
	w.deployment.template = version
	w.meddled++
}

// loosen takes the hold off, past the Rollout.
func (w *world) loosen() {
	w.deployment.held, w.loose = false, true
	w.meddled++
}

// scale is kubectl scale. A held Deployment sees to the pods of its newest revision that has any.
func (w *world) scale(replicas int32) {
	w.deployment.replicas = replicas
	w.meddled++
	if w.deployment.held {
		for _, s := range slices.Backward(w.sets) {
			if s.owner == "deployment" && s.replicas > 0 {
				s.wants(replicas)
				return
			}
		}
	}
}

// recreate deletes the Deployment with its pods and makes it anew.
func (w *world) recreate(version string) {
	d := &w.deployment
	d.uid++
	d.template, d.held, d.notice = version, false, ""
	w.sets = slices.DeleteFunc(w.sets, func(s *replicaSet) bool { return s.owner == "deployment" })
	d.governor = ""
	w.meddled++
}

// adoptionArrives carries out an adoption that was kept up, if its ReplicaSet is still the one that it speaks of.
func (w *world) adoptionArrives() {
	w.unadopted = false
	if e := w.late; e != nil && !w.refusesRevision(*e) {
		w.replicaSets(*e)
	}
	w.late = nil
}

func (w *world) set(name string) *replicaSet {
	for _, s := range w.sets {
		if "checkout-"+s.hash == name {
			return s
		}
	}
	return nil
}

func (w *world) make(version, owner string, replicas int32) *replicaSet {
	w.made++
	hash := version
	for w.set("checkout-"+hash) != nil {
		hash += "b"
	}
	s := &replicaSet{version: version, hash: hash, owner: owner, created: w.made}
	s.wants(replicas)
	w.sets = append(w.sets, s)
	return s
}

func (s *replicaSet) wants(replicas int32) {
	s.ended += max(0, s.replicas-replicas)
	s.replicas = replicas
}

// What is seen of it.

func (w *world) observe() Observed {
	o := Observed{
		Now: w.now, Namespace: "shop", Name: "checkout", Finalizer: w.finalizer, Deleting: w.deleting,
		Suspend: w.suspend, Problems: w.problems, Request: w.request,
		Config: w.observedConfig(), LiveDigest: w.live.digest, Generation: 1,
		Progress: *w.progress.DeepCopy(), WorkloadName: "Deployment checkout",
		Attempt: w.attempt, Git: w.git.git, Guarded: Proof{Known: true, Holds: !w.missing["hold"]},
	}
	if r := o.Config.Ramp; r != nil {
		o.Config.Ladder = RampLadder(*r, w.progress.Ramp)
	}
	o.Attempt.Lost = !w.attempt.Found && depends(w.progress.Stage)
	if w.deployment.found {
		o.Workload = w.workload()
	}
	for _, s := range w.services {
		o.Services = append(o.Services, routers.ServiceState{
			Name: s.name, ResourceVersion: s.version(), Pin: s.pin, Pinned: s.pin != nil && !w.missing["pin"], Ready: w.known(s),
		})
	}
	o.Canary = w.canary
	o.Canary.Ready = w.canarySeen
	if w.chance == nil {
		o.Canary.Ready = w.canaryEndpoints()
	}
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

// observedConfig is what the attempt runs on while there is one, and what the Rollout says otherwise.
func (w *world) observedConfig() Config {
	if w.attempt.Found && running(w.progress.Stage) {
		return w.snapshot.config
	}
	return w.live.config
}

// running and depends: as the observer has it, a snapshot counts while an attempt runs, and is missed from its first step
// until it is taken away.
func running(stage v1alpha1.Stage) bool {
	return !slices.Contains([]v1alpha1.Stage{"", v1alpha1.StageAdopting, v1alpha1.StageResting, v1alpha1.StageHeld}, stage)
}

func depends(stage v1alpha1.Stage) bool {
	return running(stage) && stage != v1alpha1.StagePinning && stage != v1alpha1.StageRetiring
}

func (w *world) routeState(r *route) routers.State {
	state := routers.State{
		Ref: routeRef(r.name), Found: true, ResourceVersion: r.version(), Intent: r.intent, Other: r.other, Names: true,
		Divided: r.intent != nil && !w.missing["split"], Programmed: r.programmed,
	}
	if !r.programmed {
		state.Why = "Gateway edge has not reported its generation"
	}
	return state
}

func (w *world) workload() workloads.State {
	d := w.deployment
	state := workloads.State{
		Found: true, UID: fmt.Sprint("uid-", d.uid), ResourceVersion: d.version(), Replicas: d.replicas, Governor: d.governor,
		Held: d.held, Claim: d.claim, Notice: d.notice, Source: d.source, Settled: !d.held,
	}
	state.Candidate = workloads.Revision{Name: "checkout-" + d.template, Hash: d.template, Image: "shop:" + d.template, Current: true}
	for _, s := range w.sets {
		r := set(s.hash, s.replicas)
		r.Image, r.ResourceVersion = "shop:"+s.version, w.versionOf(s)
		r.Ready = w.ready(s)
		r.Available = r.Ready
		if w.chance != nil {
			r.Present = max(s.pods, s.replicas)
		}
		r.CalledOff = s.calledOff
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

// Versions of objects, as the API server has them: another one for every change.

func (d deployment) version() string { return fmt.Sprintf("%+v", d) }

func (s *service) version() string { return fmt.Sprint(s.name, s.pin) }

func (r *route) version() string { return fmt.Sprint(r.name, r.intent, r.other) }

func (w *world) versionOf(s *replicaSet) string {
	return strings.Join([]string{s.hash, s.owner, s.calledOff, fmt.Sprint(s.replicas, s.pods, w.ready(s))}, "/")
}

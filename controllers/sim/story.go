package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/cluster"
	"github.com/belay-dev/belay/controllers/sim/delivery"
)

// The times of a story.
const (
	// opening: v1 runs and the controller starts.
	opening = 20 * time.Second
	// eventful: people ship and faults befall, from the opening on.
	eventful = 150 * time.Second
	// bounded is how long the world may take to come to rest after that.
	bounded = 30 * time.Minute
	// silent is how long nothing may happen in the end.
	silent = 20 * time.Minute
)

// Story simulates one seed from beginning to end. idle waits for goroutines (synctest.Wait).
func Story(parts Parts, seed uint64, idle func()) *World {
	w := newWorld(parts, seed, idle)
	w.application()
	w.deliver()
	w.schedule.Run(noon.Add(opening))
	w.start()
	w.keepOne()
	w.traffic()
	w.schedule.Run(noon.Add(opening + w.schedule.Between(5*time.Second, 40*time.Second)))
	w.faults.draw()
	w.say("— faults: %s", w.faulty())
	w.plot()
	w.schedule.Run(noon.Add(opening + eventful))
	w.kind()
	w.converge()
	w.silence()
	w.close()
	return w
}

// faulty names the faults of the story.
func (w *World) faulty() string {
	if len(w.faults.names) == 0 {
		return "no faults"
	}
	return strings.Join(w.faults.names, ", ")
}

// application draws what the team declares.
func (w *World) application() {
	s := w.schedule
	pick := func(n int) int { return s.Rand().IntN(n) }
	a := delivery.Application{
		Namespace: namespace, Name: w.app, Version: "v1", Replicas: 1 + pick(4), Beside: pick(2), Routes: 1 + pick(2), Rules: 1 + pick(2),
		Filter: s.Chance(0.3), Settle: 3 * time.Second, Deadline: time.Minute, Repository: "platform", Branch: "main",
	}
	if s.Chance(0.3) {
		a.Weight, a.Other = 1+pick(90), 1+pick(20)
	}
	for _, ladder := range [][]int32{{10, 50, 100}, {50, 100}, {100}, {5, 25}, {20, 20, 100}}[pick(5):][:1] {
		for _, weight := range ladder {
			a.Ladder = append(a.Ladder, delivery.Step(weight, s.Between(3*time.Second, 15*time.Second).Truncate(time.Second)))
		}
	}
	if s.Chance(0.15) {
		approve := v1alpha1.Step{Approve: &v1alpha1.Approve{Timeout: &metav1.Duration{Duration: time.Minute}, OnTimeout: []v1alpha1.TimeoutAction{v1alpha1.TimeoutAbort, v1alpha1.TimeoutContinue}[pick(2)]}}
		a.Ladder = slices.Insert(a.Ladder, 1, approve)
	}
	a.Analysis = delivery.Measured(5 * time.Second)
	a.Unmeasured = s.Chance(0.1)
	w.declared = a
	w.image("v1", good)
}

// image makes a version known, and what is true of it.
func (w *World) image(version string, is truth) string {
	image := w.declared.Image(version)
	if _, known := w.truth[image]; !known {
		w.images = append(w.images, image)
		w.truth[image] = is
		if is == sick {
			w.cluster.SetHealth(image, []cluster.Health{cluster.NeverReady, cluster.Crashing}[w.schedule.Rand().IntN(2)])
		}
	}
	return image
}

// deliver sets Git, the agent and the source of metrics up.
func (w *World) deliver() {
	through := func(owner string, do func()) {
		for _, p := range w.processes {
			if p.name == owner {
				p.do(do)
			}
		}
	}
	for _, name := range []string{namespace, controllerNamespace} {
		if err := w.api.Client("platform").Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			w.broken("story", "namespace %s cannot be made: %v", name, err)
		}
	}
	w.git = delivery.NewRepository(delivery.RepositoryOptions{Schedule: w.schedule, Through: through})
	w.metrics = delivery.NewSource(delivery.SourceOptions{Schedule: w.schedule, Through: through, Truth: w.quality})
	repository := &v1alpha1.Repository{
		ObjectMeta: metav1.ObjectMeta{Namespace: controllerNamespace, Name: "platform"},
		Spec: v1alpha1.RepositorySpec{
			URL: w.git.URL(), Author: v1alpha1.GitIdentity{Name: "belay", Email: "belay@example.com"},
			Access: []v1alpha1.RepositoryAccess{{Namespaces: []string{namespace}, Branches: []string{"main"}, Paths: []string{"apps/**"}}},
		},
	}
	if err := w.api.Client("platform").Create(context.Background(), repository); err != nil {
		w.broken("story", "the Repository cannot be made: %v", err)
	}
	w.git.Push("team", delivery.Change{Message: "v1", Edit: w.declared.Declare})
	s := w.schedule
	interval := s.Between(20*time.Second, 2*time.Minute)
	if s.Chance(0.04) {
		interval = time.Second
		w.faults.names = append(w.faults.names, "an agent that applies every second")
	}
	w.agent = delivery.NewAgent(delivery.AgentOptions{
		Schedule: s, Repository: w.git, Server: w.api, Mode: delivery.Modes()[s.Rand().IntN(3)],
		Interval: interval, LagTo: 5 * time.Second, PauseTo: 100 * time.Millisecond,
		Shuffled: s.Chance(0.5), SourceRevision: s.Chance(0.7), Say: w.say,
	})
}

// quality is what an honest source measures of a revision.
func (w *World) quality(q delivery.Question) delivery.Quality {
	for _, rs := range w.storedAll("ReplicaSet") {
		if rs.GetLabels()[hashKey] != q.Revision {
			continue
		}
		switch w.truth[imageOf(rs)] {
		case bad:
			return delivery.Bad
		case unclear:
			return delivery.Unclear
		default:
			return delivery.Good
		}
	}
	return delivery.Unknown
}

// plot plans what people do.
func (w *World) plot() {
	s := w.schedule
	releases := []int{1, 1, 1, 2, 2, 3}[s.Rand().IntN(6)]
	for i := range releases {
		version := fmt.Sprint("v", i+2)
		w.someTime("a release", func() { w.ship(version) })
	}
	if s.Chance(0.3) {
		w.someTime("an old version", func() { w.ship(fmt.Sprint("v", 1+s.Rand().IntN(releases+1))) })
	}
	for range s.Rand().IntN(3) {
		if s.Chance(0.5) {
			w.someTime("a request", func() { w.asks(verbs[s.Rand().IntN(len(verbs))]) })
		}
	}
}

func (w *World) someTime(what string, do func()) {
	w.schedule.After(w.schedule.Between(0, eventful*3/4), what, do)
}

// ship pushes a version; a new one is good, bad, unclear or sick by chance.
func (w *World) ship(version string) {
	is := []truth{good, good, good, bad, bad, bad, unclear, sick}[w.schedule.Rand().IntN(8)]
	image := w.image(version, is)
	w.say("— somebody ships %s, which is %s", version, w.truth[image])
	w.git.Push("team", w.declared.Ship(version))
}

// traffic sends requests all the time and holds the answers to the laws.
func (w *World) traffic() {
	w.schedule.After(w.schedule.Between(500*time.Millisecond, 1500*time.Millisecond), "requests", func() {
		if w.quiet {
			return
		}
		for _, a := range w.cluster.Requests(20) {
			w.count.requests += a.Count
			w.laws.answered(a)
		}
		w.traffic()
	})
}

// kind ends all faults: one controller works, everybody is healthy and answers.
func (w *World) kind() {
	w.say("— the faults end")
	w.faults.end()
	for _, p := range w.processes {
		p.thaw()
	}
	keep := w.leader()
	for _, p := range w.processes {
		if p != keep {
			p.kill("its time is over")
		}
	}
	w.cluster.Calm()
	w.git.Faults = delivery.Faults{}
	w.metrics.Faults = delivery.SourceFaults{}
	// An agent without force leaves alone what a person took over: somebody settles that.
	w.agent.SetMode(delivery.Forced)
	w.agent.Resume()
	for _, image := range w.images {
		if w.truth[image] != sick {
			w.cluster.SetHealth(image, cluster.Healthy)
		}
	}
}

// converge lets people decide what waits for them, until all is at rest.
func (w *World) converge() {
	deadline := w.schedule.Now().Add(bounded)
	writes, since := 0, w.schedule.Now()
	for w.schedule.Now().Before(deadline) {
		w.schedule.Run(w.schedule.Now().Add(20 * time.Second))
		if w.restless() != "" || w.count.writes != writes {
			writes, since = w.count.writes, w.schedule.Now()
		}
		if w.schedule.Now().Sub(since) >= time.Minute {
			return
		}
		if w.restless() != "" && w.schedule.Now().Sub(noon) > opening+eventful+time.Minute {
			w.decide()
		}
	}
	why := w.restless()
	if why == "" {
		why = "the controller goes on writing"
	}
	w.broken("rest", "no rest %s after the faults ended: %s", bounded, why)
}

// silence: I9. Nothing is written, asked or queried any more.
func (w *World) silence() {
	if len(w.violations) > 0 {
		return
	}
	w.quiet = true
	writes, queries, calls := w.count.writes, w.metrics.Asked(), w.git.Calls()
	w.schedule.Run(w.schedule.Now().Add(silent))
	if n := w.count.writes - writes; n > 0 {
		w.broken("I9", "%d writes at rest", n)
	}
	if n := w.metrics.Asked() - queries; n > 0 {
		w.broken("I9", "%d queries at rest", n)
	}
	if n := w.git.Calls() - calls; n > 0 {
		w.broken("I9", "%d calls to Git at rest", n)
	}
	if why := w.restless(); why != "" {
		w.broken("rest", "it did not last: %s", why)
	}
}

// close ends all processes, so that no goroutine is left.
func (w *World) close() {
	for _, p := range w.processes {
		p.kill("the story is over")
	}
	w.schedule.Settle()
	w.lent()
	for _, why := range w.cluster.Failures() {
		w.say("a neighbour failed: %s", why)
	}
	w.count.queries = w.metrics.Asked()
}

// lent looks whether somebody changed what he was only to read.
func (w *World) lent() {
	for _, kind := range w.history.kinds {
		for _, e := range w.history.of[kind] {
			if err := e.Intact(); err != nil {
				w.broken("story", "%v", err)
			}
		}
	}
}

package cluster

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Outcome is what became of a request.
type Outcome string

// Outcomes of a request.
const (
	// Served by a pod that is ready, or was asked to end and still drains.
	Served Outcome = "served"
	// Unready: it reached a pod that runs but is not ready any more.
	Unready Outcome = "unready"
	// NoBackend: the rule has no weight at all, or the data plane knows of no Service of that name. That is an error 500.
	NoBackend Outcome = "no backend"
	// NoEndpoint: the Service has none that is ready.
	NoEndpoint Outcome = "no endpoint"
	// PodGone: the endpoint's pod does not exist any more.
	PodGone Outcome = "pod gone"
)

// Lost says that nobody answered.
func (o Outcome) Lost() bool { return o == NoBackend || o == NoEndpoint || o == PodGone }

// Answer is what became of some requests of one moment that went the same way.
type Answer struct {
	At time.Time
	// Via is who distributed them, as "HTTPRoute web rule 1", or "Service web" for callers inside the cluster.
	Via string
	// Inside: it was a caller inside the cluster, who goes straight to the Service.
	Inside  bool
	Service types.NamespacedName
	// Weight of the Service among all weights of the rule, as the data plane saw them; one of one for callers inside.
	Weight, Of int64
	// Revision is the pod-template-hash of the pod that was reached, Image that of its first container.
	Revision, Image string
	Outcome         Outcome
	Count           int
}

// Requests sends n requests through every rule of every route, and n from inside the cluster to every Service, at this
// moment, and says what became of them. They are spread as evenly as weights say: of a hundred requests at 5 %, five go
// that way. Which pod gets the odd one is chance.
func (c *Cluster) Requests(n int) []Answer {
	d := &sending{c: c}
	for _, r := range c.data.routes.all() {
		for _, rule := range r.rules {
			d.through(rule, n)
		}
	}
	for _, s := range c.data.services.all() {
		// The canary's Service is named by routes only.
		if _, canary := s.object.GetLabels()[v1alpha1.LabelCanaryOf]; s.selector != nil && !canary {
			d.to(Answer{Via: "Service " + s.name.Name, Inside: true, Service: s.name, Weight: 1, Of: 1}, n)
		}
	}
	c.record.add(d.answers)
	return d.answers
}

// Record of all requests so far.
func (c *Cluster) Record() *Record { return &c.record }

// sending is one round of requests.
type sending struct {
	c       *Cluster
	answers []Answer
}

func (s *sending) through(r rule, n int) {
	if len(r.backends) == 0 {
		return
	}
	if r.total == 0 {
		s.tell(Answer{Via: r.title, Outcome: NoBackend}, n)
		return
	}
	offset, before := s.c.schedule.Rand().Float64(), int64(0)
	for _, b := range r.backends {
		after := before + b.weight
		s.to(Answer{Via: r.title, Service: b.service, Weight: b.weight, Of: r.total}, between(before, after, r.total, n, offset))
		before = after
	}
}

// between counts the requests that fall to the weights from one sum to another, when n are laid out evenly.
func between(from, to, total int64, n int, offset float64) int {
	before := func(sum int64) int { return int(float64(sum)/float64(total)*float64(n) + offset) }
	return before(to) - before(from)
}

// to spreads requests to a Service over its endpoints.
func (s *sending) to(a Answer, n int) {
	if n == 0 {
		return
	}
	if s.c.data.services.get(a.Service) == nil {
		a.Outcome = NoBackend
		s.tell(a, n)
		return
	}
	endpoints := s.c.data.reachable(a.Service)
	if len(endpoints) == 0 {
		a.Outcome = NoEndpoint
		s.tell(a, n)
		return
	}
	first := s.c.schedule.Rand().IntN(len(endpoints))
	for i := range min(n, len(endpoints)) {
		e := endpoints[(first+i)%len(endpoints)]
		share := n / len(endpoints)
		if i < n%len(endpoints) {
			share++
		}
		s.tell(s.reach(a, e), share)
	}
}

// reach says who answers at an endpoint.
func (s *sending) reach(a Answer, e endpoint) Answer {
	p := s.c.pods.get(types.NamespacedName{Namespace: a.Service.Namespace, Name: e.pod})
	if p == nil {
		a.Outcome = PodGone
		return a
	}
	a.Revision, a.Image, a.Outcome = p.revision, p.image, Served
	if !p.ready {
		a.Outcome = Unready
	}
	return a
}

// tell adds requests to those that went the same way.
func (s *sending) tell(a Answer, n int) {
	a.At = s.c.schedule.Now()
	for i := range s.answers {
		same := s.answers[i]
		same.Count = 0
		if same == a {
			s.answers[i].Count += n
			return
		}
	}
	a.Count = n
	s.answers = append(s.answers, a)
}

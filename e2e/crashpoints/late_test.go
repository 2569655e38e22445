package crashpoints

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/proxy"
	"github.com/belay-dev/belay/e2e/tell"
	"github.com/belay-dev/belay/e2e/world"
)

// Leaders freeze one after the other, each in the middle of a write that is in the network by then: a weight, a record, the
// adoption of the canary's pods, the release of the hold. Each time another one is elected and goes on. Then the write
// arrives, late, and the API server refuses it; and the old leader thaws, finds out that it leads no more, and ends.
func TestDeposedLeaders(t *testing.T) {
	t.Parallel()
	const name = "deposed"
	first := elect(t, name, "first")
	// So long a bake that the verdict falls in it, however slow the machine is.
	o := world.ShopOptions{Name: name, Replicas: 2, Rate: 10, Steps: "[{weight: 50, bake: 30s}, {weight: 100}]"}
	s := tell.Open(t, shared, o)
	weights, stable := s.EveryWeight(), s.Pods()

	// The second leader has sent everybody back when the first one's weight arrives.
	weight := first.freezesAt(s, splitTo("50%"), func() { s.Ship("shop:v3") })
	second := elect(t, name, "second")
	s.Until(2*time.Minute, "everybody is back on stable", func(r *v1alpha1.Rollout) bool {
		return r.Status.Progress.Stage == v1alpha1.StageDraining
	})
	first.thaws(s, weight)
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.SamePods("v1", stable, s.Pods())

	o.Steps = "[{weight: 50, bake: 3s}, {weight: 100, bake: 5s}]"
	s.Commit("bake for seconds", map[string]string{world.Path + "/rollout.yaml": world.Rollout(o)})
	s.GitAgrees()

	record := second.freezesAt(s, "record Stepping 2", func() { s.Ship("shop:v2") })
	third := elect(t, name, "third")
	s.Step("shop:v2", "2/2")
	second.outranked(s, splitTo("50%"))
	second.thaws(s, record)
	s.Promoted("shop:v2")

	adoption := third.freezesAt(s, "patch replicasets of Deployment", func() { s.Ship("shop:v4") })
	fourth := elect(t, name, "fourth")
	s.Promoted("shop:v4")
	third.thaws(s, adoption)

	ever := s.EveryPod("shop:v5")
	var sha string
	let := fourth.freezesAt(s, release, func() { sha = s.Ship("shop:v5") })
	elect(t, name, "fifth")
	s.Promoted("shop:v5")
	fourth.thaws(s, let)

	up := []string{"50%", "100%", "open", "0%"}
	want := slices.Concat([]string{"0%", "50%", "0%", "open", "0%"}, up, up, up)
	if got := tell.Shares(weights()); !slices.Equal(got, want) {
		t.Errorf("the canary's shares were %v, want %v", got, want)
	}
	s.SamePods("v5, and all that ever were", ever(), s.Pods())
	s.NoCommit(sha)
	s.OnlyFailed("v3")
}

// leader is an elected controller.
type leader struct {
	*mortal
	name string
	held chan *proxy.Write
	// answer to the held write.
	answer chan *proxy.Answer
}

// elect starts a controller that leads as soon as nobody else does.
func elect(t *testing.T, shop, name string) *leader {
	t.Helper()
	l := &leader{name: name, held: make(chan *proxy.Write, 1), answer: make(chan *proxy.Answer, 1)}
	l.mortal = start(t, world.ReplicaOptions{Name: shop + "-" + name}, shop)
	return l
}

// freezesAt does something, and freezes the leader when a write of its is in the network.
func (l *leader) freezesAt(s *tell.Story, write string, do func()) *proxy.Write {
	s.T.Helper()
	l.keepBack(write, func(w *proxy.Write) *proxy.Answer {
		l.held <- w
		return <-l.answer
	})
	do()
	over := time.NewTimer(2 * time.Minute)
	defer over.Stop()
	select {
	case w := <-l.held:
		s.Must(l.controller.Freeze())
		return w
	case <-over.C:
		s.T.Fatalf("the %s leader never came to %q:%s", l.name, write, list(l.writes()))
		return nil
	}
}

// thaws delivers the write that the leader froze at, and lets it go on. It finds that it leads no more, and ends.
func (l *leader) thaws(s *tell.Story, w *proxy.Write) {
	s.T.Helper()
	answer, err := w.Pass(s.T.Context())
	s.Must(err)
	s.T.Logf("%s %s of the %s leader arrives late: %s", w.Method, w.Object, l.name, sentence(answer))
	if answer.Status != http.StatusConflict {
		s.T.Errorf("it was answered %d, want a conflict", answer.Status)
	}
	had := len(l.writes())
	l.answer <- answer
	s.Must(l.controller.Thaw())
	s.Eventually(20*time.Second, func(context.Context) error {
		if l.controller.Running() {
			return fmt.Errorf("the %s leader, which is deposed, is still there", l.name)
		}
		return nil
	})
	if late := l.writes()[had:]; len(late) > 0 {
		// It takes some seconds to hear of its successor. Until then it reads what that one has recorded, and does the same.
		s.T.Logf("until it heard of its successor, the %s leader wrote:%s", l.name, list(late))
	}
}

// outranked sends the last write of a name that the leader made once more, without the precondition by which it would be refused at once.
// Then the fence refuses it, since the successor has written an intent with a higher number.
func (l *leader) outranked(s *tell.Story, name string) {
	s.T.Helper()
	all := slices.Clone(l.writes())
	slices.Reverse(all)
	i := slices.IndexFunc(all, func(w write) bool { return plain(w.name) == name })
	if i < 0 {
		s.T.Fatalf("the %s leader has not written %q:%s", l.name, name, list(all))
	}
	var patch map[string]any
	s.Must(json.Unmarshal(all[i].Body, &patch))
	delete(patch["metadata"].(map[string]any), "resourceVersion")
	body, err := json.Marshal(patch)
	s.Must(err)
	answer, err := all[i].PassWith(s.T.Context(), body)
	s.Must(err)
	s.T.Logf("%s %s of the %s leader without its precondition: %s", all[i].Method, all[i].Object, l.name, sentence(answer))
	if answer.Status != http.StatusForbidden || !strings.Contains(string(answer.Body), "it was decided before the stored one") {
		s.T.Errorf("it was answered %d, want the fence's refusal", answer.Status)
	}
}

// sentence of an answer.
func sentence(a *proxy.Answer) string {
	var status struct{ Message string }
	if err := json.Unmarshal(a.Body, &status); err != nil || status.Message == "" {
		return fmt.Sprintf("%d %s", a.Status, a.Body)
	}
	return fmt.Sprintf("%d %s", a.Status, status.Message)
}

package delivery

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/sim/schedule"
	"github.com/belay-dev/belay/controllers/sim/server"
)

// schemas are compiled once: it takes long.
var schemas = sync.OnceValues(func() (*server.Schemas, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgo.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	gateway, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, pattern := range []string{"../../../config/crd/*.yaml", filepath.Join(strings.TrimSpace(string(gateway)), "config/crd/standard/*httproutes.yaml")} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no file is %s (%w)", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			texts = append(texts, text)
		}
	}
	definitions, err := server.ReadDefinitions(texts...)
	if err != nil {
		return nil, err
	}
	return server.Compile(scheme, definitions...)
})

// yard is a cluster with an agent.
type yard struct {
	testing.TB
	clock  *schedule.Schedule
	server *server.Server
	repo   *Repository
	app    Application
	agent  *Agent
	events []string
}

func newYard(t testing.TB, seed uint64, o AgentOptions) *yard {
	t.Helper()
	known, err := schemas()
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{TB: t, clock: schedule.New(seed, noon, nil), app: Application{Namespace: "shop", Name: "web", Version: "v1", Env: []string{"LEVEL=info"}, Beside: 1}}
	uid := 0
	y.server = server.New(server.Options{Schemas: known, Now: y.clock.Now, UID: func() types.UID { uid++; return types.UID(fmt.Sprint("uid-", uid)) }})
	y.server.OnWrite(func(e server.Event) {
		y.events = append(y.events, fmt.Sprint(y.clock.Now().Sub(noon), " ", e.User, " ", e.Type, " ", e.Key))
	})
	for _, name := range []string{"shop"} {
		if err := y.server.Client("admin").Create(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	y.repo = NewRepository(RepositoryOptions{Schedule: y.clock})
	y.repo.Push("ada", Change{Message: "first", Edit: y.app.Declare})
	o.Schedule, o.Repository, o.Server, o.Interval = y.clock, y.repo, y.server, time.Second
	y.agent = NewAgent(o)
	y.pass(5 * time.Second)
	return y
}

func (y *yard) pass(d time.Duration) { y.clock.Run(y.clock.Now().Add(d)) }

func (y *yard) push(c Change) {
	y.repo.Push("ada", c)
	y.pass(5 * time.Second)
}

func (y *yard) stored(kind string) *unstructured.Unstructured {
	y.Helper()
	o := y.server.Objects().Shared(keyOf(y.repo.Log()[len(y.repo.Log())-1].Files.Find(kind, "web")))
	if o == nil {
		y.Fatalf("%s web is not there; the agent says %v", kind, y.agent.Err())
	}
	return o
}

func (y *yard) field(kind string, path ...string) any {
	y.Helper()
	value, _, _ := unstructured.NestedFieldNoCopy(y.stored(kind).Object, path...)
	return value
}

// write is a merge patch by somebody.
func (y *yard) write(user, kind, patch string) {
	y.Helper()
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(y.stored(kind).GroupVersionKind())
	o.SetNamespace("shop")
	o.SetName("web")
	if err := y.server.Client(user).Patch(context.Background(), o, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		y.Fatal(err)
	}
}

func (y *yard) env() string {
	container := y.app.container(y.stored("Deployment"))
	return fmt.Sprint(container["env"])
}

func inEveryMode(t *testing.T, test func(*testing.T, *yard)) {
	for _, mode := range Modes() {
		t.Run(string(mode), func(t *testing.T) { test(t, newYard(t, 1, AgentOptions{Mode: mode})) })
	}
}

func TestAgentApplies(t *testing.T) {
	inEveryMode(t, func(t *testing.T, y *yard) {
		if y.agent.Err() != nil || y.agent.Applied() != y.repo.Head().ID {
			t.Fatalf("applied is %q, it says %v", y.agent.Applied(), y.agent.Err())
		}
		y.push(y.app.Ship("v2"))
		if got := y.app.container(y.stored("Deployment"))["image"]; got != y.app.Image("v2") || y.agent.Applied() != y.repo.Head().ID {
			t.Errorf("the image is %v, applied %q", got, y.agent.Applied())
		}
		y.push(y.app.SetTimeout(3 * time.Second))
		if got := fmt.Sprint(y.field("HTTPRoute", "spec", "rules")); !strings.Contains(got, "timeouts:map[request:3000ms]") {
			t.Errorf("the route has %s", got)
		}
		if y.agent.Err() != nil {
			t.Error(y.agent.Err())
		}
	})
}

// At rest nothing changes, and what cannot change anything is not even sent.
func TestAgentAtRest(t *testing.T) {
	inEveryMode(t, func(t *testing.T, y *yard) {
		y.push(y.app.Ship("v2"))
		events, writes := len(y.events), y.agent.Writes()
		y.pass(time.Hour)
		if len(y.events) != events || y.agent.Writes() != writes {
			t.Errorf("it writes at rest: %d requests, %v", y.agent.Writes()-writes, y.events[events:])
		}
	})
}

func TestAgentUndoesAndKeeps(t *testing.T) {
	for mode, keeps := range map[Mode]bool{Forced: true, Polite: true, ClientSide: true, Replacing: false} {
		t.Run(string(mode), func(t *testing.T) {
			y := newYard(t, 1, AgentOptions{Mode: mode})
			y.write("bob", "Deployment", `{"metadata":{"annotations":{"note":"bob's"}},"spec":{"paused":true}}`)
			y.pass(3 * time.Second)
			kept := y.stored("Deployment").GetAnnotations()["note"] == "bob's" && y.field("Deployment", "spec", "paused") == true
			if kept != keeps {
				t.Errorf("it keeps what is not its own: %v, want %v (%v)", kept, keeps, y.agent.Err())
			}
		})
	}
}

// What somebody else changed of what Git declares comes back, except where an agent asks first.
func TestAgentAgainstOthers(t *testing.T) {
	for mode, wins := range map[Mode]bool{Forced: true, Polite: false, ClientSide: true, Replacing: true} {
		t.Run(string(mode), func(t *testing.T) {
			y := newYard(t, 1, AgentOptions{Mode: mode})
			y.write("bob", "Deployment", `{"spec":{"replicas":7}}`)
			y.pass(3 * time.Second)
			if won := y.field("Deployment", "spec", "replicas") == int64(3); won != wins {
				t.Errorf("it won: %v, want %v", won, wins)
			}
			refused := y.agent.Err() != nil && strings.Contains(y.agent.Err().Error(), "conflict")
			if refused == wins {
				t.Errorf("it was refused: %v (%v)", refused, y.agent.Err())
			}
			y.push(y.app.Scale(7)) // now they agree
			if y.agent.Err() != nil || y.agent.Applied() != y.repo.Head().ID {
				t.Errorf("agreed, and it says %v", y.agent.Err())
			}
		})
	}
}

// An agent that was refused takes over once it may.
func TestAgentChangesItsMode(t *testing.T) {
	y := newYard(t, 1, AgentOptions{Mode: Polite})
	y.write("bob", "Deployment", `{"spec":{"replicas":7}}`)
	y.pass(3 * time.Second)
	y.agent.SetMode(Forced)
	y.pass(3 * time.Second)
	if y.field("Deployment", "spec", "replicas") != int64(3) || y.agent.Err() != nil {
		t.Errorf("there are %v replicas, and it says %v", y.field("Deployment", "spec", "replicas"), y.agent.Err())
	}
}

// What goes out of a manifest goes out of the object.
func TestAgentRemoves(t *testing.T) {
	inEveryMode(t, func(t *testing.T, y *yard) {
		y.push(y.app.SetEnv("NEW", "1"))
		if !strings.Contains(y.env(), "NEW") {
			t.Fatalf("the variables are %s", y.env())
		}
		y.repo.Undo("ada", y.repo.Head().ID)
		y.pass(5 * time.Second)
		if strings.Contains(y.env(), "NEW") || !strings.Contains(y.env(), "LEVEL") {
			t.Errorf("the variables are %s", y.env())
		}
	})
}

func TestAgentRecreates(t *testing.T) {
	inEveryMode(t, func(t *testing.T, y *yard) {
		y.push(y.app.Ship("v2"))
		if err := y.server.Client("bob").Delete(context.Background(), y.stored("Service").DeepCopy()); err != nil {
			t.Fatal(err)
		}
		y.pass(3 * time.Second)
		if y.field("Service", "spec", "clusterIP") == nil || y.agent.Err() != nil {
			t.Errorf("the Service has no address; it says %v", y.agent.Err())
		}
	})
}

func TestAgentSourceRevision(t *testing.T) {
	y := newYard(t, 1, AgentOptions{SourceRevision: true})
	source := func() string { return y.stored("Deployment").GetAnnotations()[v1alpha1.AnnotationSourceRevision] }
	if source() != y.repo.Head().ID {
		t.Errorf("applied from %q", source())
	}
	y.push(Change{Message: "elsewhere", Edit: func(f Files) { f["docs/a.md"] = Text("a") }})
	if source() != y.repo.Head().ID {
		t.Errorf("after a commit elsewhere applied from %q", source())
	}
	if y.stored("Service").GetAnnotations()[v1alpha1.AnnotationSourceRevision] != "" {
		t.Error("a Service says where it came from")
	}
}

func TestAgentPrunes(t *testing.T) {
	for _, prunes := range []bool{true, false} {
		y := newYard(t, 1, AgentOptions{Prunes: prunes})
		key := keyOf(y.stored("Rollout"))
		y.push(y.app.Unguard())
		if there := y.server.Objects().Shared(key) != nil; there == prunes {
			t.Errorf("prunes: %v, and the Rollout is there: %v", prunes, there)
		}
		y.push(y.app.Guard())
		y.stored("Rollout")
	}
}

func TestAgentStops(t *testing.T) {
	y := newYard(t, 1, AgentOptions{PauseFrom: time.Second, PauseTo: 2 * time.Second})
	y.repo.Push("ada", y.app.Ship("v2"))
	y.agent.Stop()
	y.pass(time.Minute)
	if got := y.app.container(y.stored("Deployment"))["image"]; got != y.app.Image("v1") {
		t.Errorf("stopped, and it applies %v", got)
	}
	y.agent.Resume()
	y.pass(time.Minute)
	if y.agent.Applied() != y.repo.Head().ID {
		t.Errorf("it goes on, and applied is %q", y.agent.Applied())
	}
}

// A new commit is seen late, applied object by object, and in any order; the same seed gives the same.
func TestAgentTakesItsTime(t *testing.T) {
	o := AgentOptions{LagFrom: 10 * time.Second, LagTo: 20 * time.Second, PauseFrom: time.Second, PauseTo: 3 * time.Second, Shuffled: true}
	differ := map[string]bool{}
	for seed := range uint64(8) {
		run := func() (*yard, string) {
			y := newYard(t, seed, o)
			y.pass(time.Minute)
			pushed := y.clock.Now()
			y.repo.Push("ada", y.app.Ship("v2").Then(y.app.SetTimeout(time.Second)))
			y.clock.Run(pushed.Add(10 * time.Second))
			if got := y.app.container(y.stored("Deployment"))["image"]; got != y.app.Image("v1") {
				t.Error("it was seen too early")
			}
			y.pass(time.Minute)
			if y.agent.Applied() != y.repo.Head().ID {
				t.Errorf("it is not applied: %v", y.agent.Err())
			}
			return y, strings.Join(y.events, "\n")
		}
		y, first := run()
		if _, again := run(); again != first {
			t.Fatalf("seed %d went\n%s\nand then\n%s", seed, first, again)
		}
		differ[first] = true
		if times := slices.Compact(moments(y.events)); len(times) < 5 {
			t.Errorf("all at once: %v", y.events)
		}
	}
	if len(differ) < 6 {
		t.Error("chance made no difference")
	}
}

func moments(events []string) []string {
	var out []string
	for _, e := range events {
		at, _, _ := strings.Cut(e, " ")
		out = append(out, at)
	}
	return out
}

// Everything that an application may declare is accepted by the API, and by the analysis.
func TestApplications(t *testing.T) {
	for name, change := range map[string]func(*Application){
		"plain":      func(*Application) {},
		"routes":     func(a *Application) { a.Routes, a.Rules, a.Filter = 3, 2, true },
		"weights":    func(a *Application) { a.Weight, a.Other = 90, 10 },
		"timeout":    func(a *Application) { a.Timeout = 1500 * time.Millisecond },
		"ladder":     func(a *Application) { a.Ladder = []v1alpha1.Step{Step(0, 0), Step(100, time.Minute)} },
		"unmeasured": func(a *Application) { a.Unmeasured = true },
		"with Git":   func(a *Application) { a.Repository, a.MaxAge = "platform", time.Hour },
		"settled":    func(a *Application) { a.Settle, a.Deadline, a.MinReady, a.Replicas = time.Minute, time.Hour, 5, 9 },
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t, 1, AgentOptions{})
			a := Application{Namespace: "shop", Name: "other", Version: "v1"}
			change(&a)
			y.push(Change{Message: "another", Edit: a.Declare})
			if err := y.agent.Err(); err != nil {
				t.Error(err)
			}
			for _, o := range declaredIn(y.repo.Head().Files) {
				if y.server.Objects().Shared(keyOf(o)) == nil {
					t.Errorf("%s is not there", keyOf(o))
				}
			}
		})
	}
	if got := (Application{Name: "web", Beside: 2, Routes: 2}); !slices.Equal(got.BesideNames(), []string{"web-beside-0", "web-beside-1"}) || !slices.Equal(got.RouteNames(), []string{"web", "web-1"}) {
		t.Errorf("names are %v and %v", got.BesideNames(), got.RouteNames())
	}
	if VersionOf(Application{Name: "web"}.Image("v7")) != "v7" {
		t.Error("a version is not that of its image")
	}
}

func BenchmarkAgent(b *testing.B) {
	for _, mode := range Modes() {
		b.Run(string(mode), func(b *testing.B) {
			y := newYard(b, 1, AgentOptions{Mode: mode})
			for i := 0; b.Loop(); i++ {
				y.write("bob", "Deployment", fmt.Sprintf(`{"metadata":{"annotations":{"n":"%d"}}}`, i))
				y.agent.begin()
			}
		})
	}
}

// Status is no reason to apply again; anything else is.
func TestAgentLooksPastStatus(t *testing.T) {
	inEveryMode(t, func(t *testing.T, y *yard) {
		writes := y.agent.Writes()
		o := y.stored("Deployment").DeepCopy()
		if err := unstructured.SetNestedField(o.Object, int64(3), "status", "replicas"); err != nil {
			t.Fatal(err)
		}
		if err := y.server.Client("bob").Status().Update(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		y.pass(5 * time.Second)
		if n := y.agent.Writes() - writes; n != 0 {
			t.Errorf("after a change of status it was applied %d times", n)
		}
		y.write("bob", "Deployment", `{"metadata":{"annotations":{"note":"bob's"}}}`)
		y.pass(5 * time.Second)
		if n := y.agent.Writes() - writes; n == 0 {
			t.Error("after a change of metadata it was not applied")
		}
	})
}

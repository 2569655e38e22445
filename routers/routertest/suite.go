package routertest

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/routers"
)

// Fixture is a namespace of its own with one route of one rule: the Service "web" with weight 90 and a foreign "other" with 10.
type Fixture struct {
	Router routers.Router
	// Client writes as the controller.
	Client    client.Client
	Namespace string
	Ref       v1alpha1.RouteReference
	// Reapply writes the route once more as its owner declares it.
	Reapply func(t *testing.T)
	// Report lets the gateway say that it has programmed the stored form.
	Report func(t *testing.T)
	// Form tells the backends and weights of the route, as "web 90, other 10".
	Form func(t *testing.T) string
}

const (
	service = "web"
	canary  = "web-canary"
	rest    = "web 90, other 10"
)

// Run proves the contract; create makes a fresh Fixture.
func Run(t *testing.T, create func(t *testing.T) *Fixture) {
	for name, test := range map[string]func(t *testing.T, f *Fixture){
		"a missing route":           missing,
		"at rest":                   atRest,
		"up and down":               upAndDown,
		"thousandths":               thousandths,
		"reapplied in flight":       reapplied,
		"a write from an old state": oldState,
		"a write from an old plan":  oldPlan,
		"programmed":                programmed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, create(t))
		})
	}
}

func (f *Fixture) observe(t *testing.T) routers.State {
	t.Helper()
	state, err := f.Router.Observe(t.Context(), f.Client, f.Namespace, f.Ref, service, canary)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func at(sequence int64, weight, scale int32) routers.Split {
	return routers.Split{Fence: routers.Fence{Attempt: 7, Sequence: sequence}, Service: service, Canary: canary, Weight: weight, Scale: scale}
}

// newest is a fence above every one that the suite splits with.
var newest = routers.Fence{Attempt: 7, Sequence: 99}

func (f *Fixture) split(t *testing.T, s routers.Split) {
	t.Helper()
	if err := f.Router.Split(t.Context(), f.Client, f.Namespace, f.Ref, f.observe(t).ResourceVersion, s); err != nil {
		t.Fatal(err)
	}
}

func (f *Fixture) clear(t *testing.T) {
	t.Helper()
	if err := f.Router.Clear(t.Context(), f.Client, f.Namespace, f.Ref, f.observe(t).ResourceVersion, newest); err != nil {
		t.Fatal(err)
	}
}

func (f *Fixture) wants(t *testing.T, form string) {
	t.Helper()
	if got := f.Form(t); got != form {
		t.Errorf("the route is %q, not %q", got, form)
	}
}

func missing(t *testing.T, f *Fixture) {
	f.Ref.Name = "nowhere"
	if s := f.observe(t); s.Found || !s.Clear() {
		t.Errorf("saw %+v", s)
	}
	if err := f.Router.Split(t.Context(), f.Client, f.Namespace, f.Ref, "1", at(1, 5, 100)); !apierrors.IsNotFound(err) {
		t.Errorf("split: %v", err)
	}
}

func atRest(t *testing.T, f *Fixture) {
	if s := f.observe(t); !s.Found || !s.Names || s.Divided || s.Intent != nil || s.Other != nil || !s.Clear() || s.Permille() != 0 {
		t.Errorf("saw %+v", s)
	}
	f.wants(t, rest)
}

func upAndDown(t *testing.T, f *Fixture) {
	for i, step := range []struct {
		weight int32
		form   string
	}{
		{0, "web 9000, web-canary 0, other 1000"},
		{5, "web 8550, web-canary 450, other 1000"},
		{100, "web 0, web-canary 9000, other 1000"},
		{25, "web 6750, web-canary 2250, other 1000"},
	} {
		f.split(t, at(int64(i), step.weight, 100))
		f.wants(t, step.form)
		if s := f.observe(t); !s.Divided || s.Clear() || s.Permille() != step.weight*10 || len(s.Unsplit) != 0 {
			t.Errorf("at %d saw %+v", step.weight, s)
		}
	}
	f.clear(t)
	f.wants(t, rest)
	if s := f.observe(t); !s.Clear() || s.Intent != nil || s.Divided {
		t.Errorf("saw %+v", s)
	}
}

func thousandths(t *testing.T, f *Fixture) {
	f.split(t, at(1, 5, 1000))
	f.wants(t, "web 89550, web-canary 450, other 10000")
	if s := f.observe(t); s.Permille() != 5 {
		t.Errorf("saw %+v", s)
	}
	f.clear(t)
	f.wants(t, rest)
}

func reapplied(t *testing.T, f *Fixture) {
	f.split(t, at(1, 25, 100))
	f.Reapply(t)
	f.wants(t, "web 6750, web-canary 2250, other 1000")
	if s := f.observe(t); s.Permille() != 250 {
		t.Errorf("saw %+v", s)
	}
}

func oldState(t *testing.T, f *Fixture) {
	before := f.observe(t).ResourceVersion
	f.split(t, at(1, 25, 100))
	if err := f.Router.Split(t.Context(), f.Client, f.Namespace, f.Ref, before, at(2, 50, 100)); !apierrors.IsConflict(err) {
		t.Errorf("split: %v", err)
	}
	if err := f.Router.Clear(t.Context(), f.Client, f.Namespace, f.Ref, before, newest); !apierrors.IsConflict(err) {
		t.Errorf("clear: %v", err)
	}
	f.wants(t, "web 6750, web-canary 2250, other 1000")
}

func oldPlan(t *testing.T, f *Fixture) {
	f.split(t, at(5, 5, 100))
	err := f.Router.Split(t.Context(), f.Client, f.Namespace, f.Ref, f.observe(t).ResourceVersion, at(4, 50, 100))
	if err == nil || !strings.Contains(err.Error(), "7.4") {
		t.Errorf("split: %v", err)
	}
	f.wants(t, "web 8550, web-canary 450, other 1000")
}

func programmed(t *testing.T, f *Fixture) {
	said := func(want bool) error {
		s := f.observe(t)
		if s.Programmed != want || (s.Why == "") != want {
			return fmt.Errorf("programmed %v, because %q", s.Programmed, s.Why)
		}
		return nil
	}
	for _, step := range []struct {
		act  func(t *testing.T)
		want bool
	}{
		{func(*testing.T) {}, false},
		{f.Report, true},
		{func(t *testing.T) { f.split(t, at(1, 25, 100)) }, false},
		{f.Report, true},
		// Only the fence moves: the gateway has nothing new to do.
		{func(t *testing.T) { f.split(t, at(2, 25, 100)) }, true},
		{f.clear, false},
		{f.Report, true},
	} {
		step.act(t)
		if err := said(step.want); err != nil {
			t.Error(err)
		}
	}
}

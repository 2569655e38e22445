package workloadtest

import (
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/belay-dev/belay/workloads"
)

func missing(t *testing.T, f *Fixture) {
	f.Target.Name = "nowhere"
	if state := f.observe(t); state.Found {
		t.Errorf("found %+v", state)
	}
}

func atRest(t *testing.T, f *Fixture) {
	s := f.observe(t)
	if !s.Found || !s.Settled || s.Held || s.Governor != "" || s.Replicas != 3 || s.UID == "" {
		t.Errorf("saw %+v", s)
	}
	c := s.Candidate
	if !c.Exists || !c.Owned || c.Ours || !c.Current || c.Available != 3 || len(s.Others(c.Name)) != 0 {
		t.Errorf("the present revision is %+v", c)
	}
	if got := len(f.podsOf(t, c.Hash)); got != 3 || len(s.PodLabels) == 0 {
		t.Errorf("%d pods of it, labels %v", got, s.PodLabels)
	}
}

func newTemplateIsHeld(t *testing.T, f *Fixture) {
	stable := f.observe(t).Candidate
	before := f.podsOf(t, stable.Hash)
	s := f.held(t, "v2")
	if s.Governor != f.Target.Rollout || s.Settled || s.Candidate.Name == stable.Name || s.Candidate.Exists || s.Candidate.Hash == stable.Hash {
		t.Errorf("saw %+v", s)
	}
	if still, _ := s.Find(stable.Name); !still.Owned || still.Current || still.Available != 3 {
		t.Errorf("the stable one is %+v", still)
	}
	f.retried(t, func(workloads.State) error { return f.Workload.Notice(t.Context(), f.Client, f.Target, "run this") })
	if after := f.observe(t); after.Notice != "run this" || after.Candidate.Name != s.Candidate.Name {
		t.Errorf("saw %+v", after)
	}
	if got := f.podsOf(t, stable.Hash); !slices.Equal(got, before) || len(f.pods(t)) != 3 {
		t.Errorf("pods %v became %v", before, f.pods(t))
	}
}

func canaryTouchesNoStablePod(t *testing.T, f *Fixture) {
	stable := f.observe(t).Candidate
	before := f.podsOf(t, stable.Hash)
	wanted := f.held(t, "v2").Candidate
	for _, size := range []int32{1, 3, 2, 0} {
		canary := f.canaries(t, size)
		if canary.Name != wanted.Name || canary.Hash != wanted.Hash {
			t.Errorf("made %+v, wanted %+v", canary, wanted)
		}
		if got := f.podsOf(t, stable.Hash); !slices.Equal(got, before) {
			t.Errorf("with a canary of %d, stable pods %v became %v", size, before, got)
		}
	}
}

func handOverRestartsNothing(t *testing.T, f *Fixture) {
	stable := f.observe(t).Candidate
	f.held(t, "v2")
	canary := f.canaries(t, 3)
	before := f.podsOf(t, canary.Hash)
	f.handOver(t, canary)
	s := f.until(t, "without stable pods", func(s workloads.State) bool { return len(s.Others(canary.Name)) == 0 })
	if now, _ := s.Find(canary.Name); !now.Owned || now.Ours || !now.Current || s.Candidate.Name != canary.Name {
		t.Errorf("handed over as %+v", s)
	}
	if got := f.podsOf(t, canary.Hash); !slices.Equal(got, before) {
		t.Errorf("canary pods %v became %v", before, got)
	}
	if got := f.podsOf(t, stable.Hash); len(got) != 0 {
		t.Errorf("stable pods are left: %v", got)
	}
	// The same call again, as after a crash.
	if err := f.Workload.Adopt(t.Context(), f.Client, f.Target, canary); err != nil {
		t.Error(err)
	}
}

// The commonest case: an old version comes back, and the workload still knows it.
func backToTheFirst(t *testing.T, f *Fixture) {
	first := f.observe(t).Candidate
	for _, version := range []string{"v2", "v1", "v2"} {
		f.held(t, version)
		canary := f.canaries(t, 3)
		if same := canary.Name == first.Name; same != (version == "v1") {
			t.Errorf("the canary of %s is %s, the first revision was %s", version, canary.Name, first.Name)
		}
		before := f.podsOf(t, canary.Hash)
		f.handOver(t, canary)
		f.until(t, "alone", func(s workloads.State) bool { return len(s.Others(canary.Name)) == 0 })
		if got := f.podsOf(t, canary.Hash); !slices.Equal(got, before) || len(f.pods(t)) != 3 {
			t.Errorf("shipping %s, canary pods %v became %v", version, before, f.pods(t))
		}
	}
}

func abandonedLeavesNothing(t *testing.T, f *Fixture) {
	rest := f.observe(t)
	before := f.podsOf(t, rest.Candidate.Hash)
	f.held(t, "v2")
	f.canaries(t, 2)
	canary := f.canaries(t, 0)
	f.retried(t, func(workloads.State) error { return f.Workload.Return(t.Context(), f.Client, f.Target, canary) })
	if s := f.observe(t); !s.Held || len(s.Revisions) != len(rest.Revisions) || s.Candidate.Name != canary.Name {
		t.Errorf("left behind %+v", s)
	}
	// The fix arrives: the template is the stable one's again.
	f.Ship(t, "v1")
	if s := f.observe(t); s.Candidate.Name != rest.Candidate.Name {
		t.Errorf("the candidate is %+v", s.Candidate)
	}
	f.release(t)
	f.until(t, "settled", func(s workloads.State) bool { return s.Settled && !s.Held })
	if got := f.podsOf(t, rest.Candidate.Hash); !slices.Equal(got, before) || len(f.pods(t)) != 3 {
		t.Errorf("pods %v became %v", before, f.pods(t))
	}
}

func oldStateConflicts(t *testing.T, f *Fixture) {
	old := f.held(t, "v2")
	canary := f.canaries(t, 1)
	f.Ship(t, "v3")
	for name, err := range map[string]error{
		"release":  f.Workload.Release(t.Context(), f.Client, f.Target, old.ResourceVersion, "7.99"),
		"claim":    f.Workload.Claim(t.Context(), f.Client, f.Target, old.ResourceVersion, "7.1"),
		"canaries": f.Workload.Canaries(t.Context(), f.Client, f.Target, old.Candidate, 3),
		"adopt":    f.Workload.Adopt(t.Context(), f.Client, f.Target, canary),
	} {
		if !apierrors.IsConflict(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s := f.observe(t); !s.Held || s.Candidate.Exists {
		t.Errorf("saw %+v", s)
	}
}

func unreadyIsNotHandedOver(t *testing.T, f *Fixture) {
	f.held(t, "unready")
	f.retried(t, func(s workloads.State) error {
		return f.Workload.Canaries(t.Context(), f.Client, f.Target, s.Candidate, 3)
	})
	canary := f.until(t, "a canary of 3", func(s workloads.State) bool { return s.Candidate.Present == 3 }).Candidate
	if err := f.Workload.Adopt(t.Context(), f.Client, f.Target, canary); !apierrors.IsConflict(err) {
		t.Errorf("adopted: %v", err)
	}
}

func calledOff(t *testing.T, f *Fixture) {
	stable := f.observe(t).Candidate
	before := f.podsOf(t, stable.Hash)
	f.held(t, "v2")
	decided := f.canaries(t, 3)
	f.retried(t, func(s workloads.State) error {
		return f.Workload.CallOff(t.Context(), f.Client, f.Target, s.Candidate, "7.5")
	})
	if err := f.Workload.Adopt(t.Context(), f.Client, f.Target, decided); !apierrors.IsConflict(err) {
		t.Errorf("adopted all the same: %v", err)
	}
	if c := f.observe(t).Candidate; !c.Ours || c.CalledOff != "7.5" {
		t.Errorf("called off as %+v", c)
	}
	if got := f.podsOf(t, stable.Hash); !slices.Equal(got, before) {
		t.Errorf("stable pods %v became %v", before, got)
	}
	// The revision is tried again, and nothing speaks of that any more.
	canary := f.canaries(t, 3)
	f.handOver(t, canary)
	owned, _ := f.observe(t).Find(canary.Name)
	if !owned.Owned || owned.CalledOff != "" {
		t.Errorf("handed over as %+v", owned)
	}
	if err := f.Workload.CallOff(t.Context(), f.Client, f.Target, owned, "8.1"); !apierrors.IsConflict(err) {
		t.Errorf("called off after the hand-over: %v", err)
	}
}

func lettingGo(t *testing.T, f *Fixture) {
	rest := f.observe(t)
	f.held(t, "v2")
	none := f.Target
	none.Rollout = ""
	f.retried(t, func(workloads.State) error { return f.Workload.Govern(t.Context(), f.Client, none, nil) })
	s := f.observe(t)
	if s.Governor != "" || s.Ignored != "" || s.Notice == "" {
		t.Errorf("let go as %+v", s)
	}
	notice := s.Notice
	f.retried(t, func(workloads.State) error { return f.Workload.Govern(t.Context(), f.Client, none, nil) })
	if s = f.observe(t); s.Notice != notice {
		t.Errorf("let go once more, it says %q", s.Notice)
	}
	// Nobody judged the template, so it is not started now either.
	if s.Settled || s.Candidate.Exists || len(f.podsOf(t, rest.Candidate.Hash)) != 3 {
		t.Errorf("let go as %+v", s)
	}
}

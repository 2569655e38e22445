package fidelity

import (
	"path/filepath"
	"testing"

	"github.com/belay-dev/belay/controllers/sim/admission"
	"github.com/belay-dev/belay/controllers/sim/server"
	"github.com/belay-dev/belay/controllers/sim/server/fidelity"
	"github.com/belay-dev/belay/e2e/cluster"
	"github.com/belay-dev/belay/e2e/parts"
)

func TestFidelity(t *testing.T) {
	s := compile(t)
	for _, script := range fidelity.Scripts() {
		if !script.Governed {
			t.Run(script.Name, func(t *testing.T) { compare(t, script, shared, s, nil) })
		}
	}
}

// Scripts under the policies run on a control plane of their own: on the other one none are in force.
func TestFidelityUnderPolicies(t *testing.T) {
	texts, err := read("config/policies/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policies, err := admission.Compile(texts...)
	if err != nil {
		t.Fatal(err)
	}
	governed, err := newKube(t.Context(), cluster.ForTest(t, options()).Config())
	if err != nil {
		t.Fatal(err)
	}
	if err := governed.install(t.Context(), append(texts, []byte(fidelity.GuestRights))); err != nil {
		t.Fatal(err)
	}
	fidelity.AwaitPolicies(t, governed)
	s := compile(t)
	for _, script := range fidelity.Scripts() {
		if script.Governed {
			t.Run(script.Name, func(t *testing.T) { compare(t, script, governed, s, policies) })
		}
	}
}

func compile(t *testing.T) *server.Schemas {
	t.Helper()
	texts, err := definitions()
	if err != nil {
		t.Fatal(err)
	}
	s, err := fidelity.Compile(texts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// compare plays a script on both sides, and holds kube-apiserver against what is recorded of it.
func compare(t *testing.T, script fidelity.Script, k *kube, s *server.Schemas, policies *admission.Policies) {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	recordings := filepath.Join(root, "controllers/sim/server/fidelity/recorded")
	tape := script.Play(t, k)
	fidelity.Compare(t, "kube-apiserver", "the server in memory", tape, script.Play(t, fidelity.Memory(s, policies)))
	if *update {
		if err := fidelity.Record(recordings, script.Name, tape); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := fidelity.Recorded(recordings, script.Name)
	if err != nil {
		t.Fatalf("nothing is recorded, -update does: %v", err)
	}
	fidelity.Compare(t, "kube-apiserver now", "kube-apiserver when it was recorded", tape, recorded)
}

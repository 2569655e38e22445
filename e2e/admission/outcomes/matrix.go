package outcomes

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// cell is one write to one object in one state, and what must come of it.
type cell struct {
	by    string // the writer, see writers
	state state

	// form is what is stored afterwards.
	form string
	// moves is by how much generation goes up: 0 is "nobody need look".
	moves int64
	// owners of fields; empty means the agent alone. A tool that writes may own
	// what it wrote; the controller never owns anything, also not in flight.
	owners string
	// drifts is set where the write really changed what Git declares, so that
	// the agent's dry run differs from what is stored. Nothing of ours may.
	drifts bool
	// pods are the images of the Deployment's ReplicaSets.
	pods string
	// after is the form when the controller then drops its intent.
	after string
}

func matrix(t *testing.T, w World) {
	for _, kind := range []struct {
		name, manifest string
		cells          []cell
	}{
		{"Deployment", deploymentManifest("v1"), deploymentCells},
		{"Service", serviceManifest, serviceCells},
		{"HTTPRoute", routeManifest, routeCells},
	} {
		for _, cell := range kind.cells {
			t.Run(kind.name+"/"+cell.by+"/"+string(cell.state), func(t *testing.T) {
				t.Parallel()
				var labels []string
				if cell.by == "server-side apply every second, beside a webhook" {
					labels = append(labels, Rewritten)
				}
				cell.run(t, w.scene(t, kind.manifest, labels...))
			})
		}
	}
}

func (c cell) run(t *testing.T, s *scene) {
	write, known := writers[c.by]
	if !known {
		t.Fatalf("there is no writer %q", c.by)
	}
	s.clientSide = c.by == "client-side apply"
	if c.owners == "" {
		c.owners = agent
		if s.clientSide {
			c.owners = "kubectl-client-side-apply (update)"
		}
	}
	s.play(c.state)
	stored := s.get()
	s.must(write(s))

	result := s.get()
	s.wants(c.form)
	if recreated := result.GetUID() != stored.GetUID(); recreated {
		stored.SetGeneration(result.GetGeneration() - c.moves)
	}
	if moved := result.GetGeneration() - stored.GetGeneration(); moved != c.moves {
		t.Errorf("generation moved by %d, not by %d", moved, c.moves)
	}
	if owners := ownersOf(result); owners != c.owners {
		t.Errorf("fields are owned by %s, not by %s", owners, c.owners)
	}
	c.checkDrift(t, s)
	if s.resource == deployments {
		if got := s.startsPodsOf(); got != c.pods {
			t.Errorf("there are ReplicaSets of %s, not of %s", got, c.pods)
		}
	}
	if c.state == inFlight {
		s.end()
		s.wants(c.after)
		if owners := ownersOf(s.get()); strings.Contains(owners, "belay") {
			t.Errorf("after the attempt fields are owned by %s", owners)
		}
	}
}

// checkDrift does what an agent does that looks for drift: apply as a dry run
// and compare with what is stored.
func (c cell) checkDrift(t *testing.T, s *scene) {
	t.Helper()
	if s.clientSide {
		return
	}
	var would, stored *unstructured.Unstructured
	eventually(t, func() error {
		before := s.get()
		var err error
		// Without force, for no writer may leave the agent a conflict, unless it changed what Git declares or made the object.
		would, err = s.apply(c.drifts || c.owners == "tool (update)", true)
		s.must(err)
		if stored = s.get(); before.GetResourceVersion() != stored.GetResourceVersion() {
			return errors.New("a controller writes in between")
		}
		return nil
	})
	same := reflect.DeepEqual(comparable(would), comparable(stored))
	if same == c.drifts {
		t.Errorf("drift is %v, not %v; a dry run would store\n  %s\nand stored is\n  %s", !same, c.drifts, formOf(would), formOf(stored))
	}
}

// comparable is an object without what every write may touch.
func comparable(object *unstructured.Unstructured) map[string]any {
	reduced := object.DeepCopy()
	reduced.SetManagedFields(nil)
	reduced.SetGeneration(0)
	reduced.SetResourceVersion("")
	delete(reduced.Object, "status")
	return reduced.Object
}

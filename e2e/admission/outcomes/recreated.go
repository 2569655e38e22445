package outcomes

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Deleted and created while an attempt runs: its ConfigMap brings the intent back.
func recreatedInFlight(t *testing.T, w World) {
	const again = "7.9/pod-template-hash=abc12"
	const repinned = "app=web, pod-template-hash=abc12; pin " + again
	const resplit = "web 9000, web-canary 0, other 1000; split 7.9/web/web-canary/0/100"
	for name, row := range map[string]struct {
		manifest string
		play     bool // in flight before it is deleted
		recreate func(*scene) error
		form     string
		after    string
	}{
		"Service":                            {serviceManifest, true, writers["delete and create"], repinned, "app=web"},
		"Service from a copy of the attempt": {serviceManifest, true, writers["delete and create from a copy of the attempt"], repinned, "app=web"},
		"Service that appears in flight":     {serviceManifest, false, create, repinned, "app=web"},
		"Service whose selector is a subset": {strings.Replace(serviceManifest, "{app: web}", "{app: web, tier: front}", 1), false, create,
			"app=web, pod-template-hash=abc12, tier=front; pin " + again, "app=web, tier=front"},
		"Service that selects something else":  {strings.Replace(serviceManifest, "{app: web}", "{app: web, tier: back}", 1), false, create, "app=web, tier=back", ""},
		"Service without a selector":           {strings.Replace(serviceManifest, "  selector: {app: web}\n", "", 1), false, create, "", ""},
		"the canary's own Service":             {strings.Replace(serviceManifest, "{name: web}", "{name: web, labels: {belay.dev/canary-of: web}}", 1), false, create, "app=web", ""},
		"HTTPRoute":                            {routeManifest, true, writers["delete and create"], resplit, whole},
		"HTTPRoute from a copy of the attempt": {routeManifest, true, writers["delete and create from a copy of the attempt"], resplit, whole},
		"HTTPRoute with a forged intent": {strings.Replace(routeManifest, "{name: web}", "{name: web, annotations: {belay.dev/split: 9.9/web/web-canary/100/100}}", 1),
			false, create, resplit, ""},
	} {
		for _, labels := range [][]string{nil, {Rewritten}} {
			if labels != nil {
				name += " beside a webhook"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := w.scene(t, row.manifest, labels...)
				if row.play {
					s.play(inFlight)
				}
				s.attempt(again, "7.9/web/web-canary/0/100")
				s.must(row.recreate(s))
				s.wants(row.form)
				if row.after == "" {
					return
				}
				// From here on it is stored and survives like any other.
				// The agent forces: what created the object from a copy owns its fields too.
				_, err := s.apply(true, false)
				s.must(err)
				s.wants(row.form)
				s.end()
				s.wants(row.after)
			})
		}
	}
}

func recreatedElsewhere(t *testing.T, w World) {
	t.Parallel()
	s := w.scene(t, strings.ReplaceAll(routeManifest, "name: web}\nspec", "name: another}\nspec"))
	s.attempt("7.9/pod-template-hash=abc12", "7.9/web/web-canary/0/100")
	stored, err := s.objects(agent).Create(t.Context(), s.git, metav1.CreateOptions{})
	s.must(err)
	if got := formOf(stored); got != whole {
		t.Errorf("a route that the attempt does not name is stored as %s", got)
	}
}

// Whatever stands in the ConfigMap, nobody's CREATE fails on it.
func unreadableAttempt(t *testing.T, w World) {
	for name, data := range map[string]string{
		"no data":     `{}`,
		"empty":       `{pin: "", split: "", routes: "", podLabels: ""}`,
		"nonsense":    `{pin: "x", split: "y/z", routes: ",,web,", podLabels: "=,app=web"}`,
		"weight high": `{pin: "1.1/pod-template-hash=", split: "1.1/web/web-canary/101/100", routes: "web", podLabels: "app=web"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.scene(t, routeManifest)
			s.create(mustParse(t, fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: belay-web, labels: {belay.dev/attempt: "true"}}, data: %s}`, data)))
			// It is seen when an intact neighbour is.
			s.attemptSeen("neighbour", "7.9/pod-template-hash=abc12", "")
			s.reapply()
			s.wants(whole)
		})
	}
}

func create(s *scene) error {
	_, err := s.objects(agent).Apply(s.t.Context(), "web", s.git, metav1.ApplyOptions{FieldManager: agent})
	return err
}

func (s *scene) create(object *unstructured.Unstructured) {
	s.t.Helper()
	_, err := s.place.As(ours).Resource(ResourceOf(object)).Namespace(s.place.Namespace).Create(s.t.Context(), object, metav1.CreateOptions{})
	s.must(err)
}

// attempt creates the attempt's ConfigMap and waits until the API server's cache has it.
func (s *scene) attempt(pin, split string) { s.attemptSeen("belay-web", pin, split) }

func (s *scene) attemptSeen(name, pin, split string) {
	s.t.Helper()
	object := mustParse(s.t, attemptManifest(pin, split))
	object.SetName(name)
	s.create(object)
	probe := mustParse(s.t, serviceManifest)
	probe.SetName("probe")
	eventually(s.t, func() error {
		stored, err := s.place.As(agent).Resource(services).Namespace(s.place.Namespace).
			Create(s.t.Context(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		s.must(err)
		if got := formOf(stored); !strings.Contains(got, pin) {
			return fmt.Errorf("the attempt is not seen: a Service would be %s", got)
		}
		return nil
	})
}

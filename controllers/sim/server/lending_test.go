package server_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/controllers/sim/server"
)

// A server that lends tells when somebody changed what is not his.
func TestLending(t *testing.T) {
	for name, tc := range map[string]struct {
		lends  bool
		misuse func(t *testing.T, c client.Client)
		intact bool
	}{
		"read only":                  {true, func(*testing.T, client.Client) {}, true},
		"a copy changed":             {false, spoilTyped, true},
		"a Go type changed":          {true, spoilTyped, false},
		"content changed":            {true, spoilContent, false},
		"metadata and top level are": {true, relabel, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := beginWith(t, func(o *server.Options) { o.Lends, o.Seals = tc.lends, true })
			var events []server.Event
			s.OnWrite(func(e server.Event) { events = append(events, e) })
			c := s.Client("alice")
			must(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}))
			must(t, c.Create(t.Context(), parse(t, deployment)))
			must(t, c.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "notes"}, Data: map[string]string{"a": "1"}}))
			tc.misuse(t, c)
			intact := true
			for _, e := range events {
				intact = intact && e.Intact() == nil
			}
			if intact != tc.intact {
				t.Errorf("intact: %t", intact)
			}
		})
	}
}

func spoilTyped(t *testing.T, c client.Client) {
	m := &corev1.ConfigMap{}
	must(t, c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "notes"}, m))
	m.Data["a"] = "2"
}

func spoilContent(t *testing.T, c client.Client) {
	d := parse(t, deployment)
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(d), d))
	d.Object["spec"].(map[string]any)["paused"] = true
}

func relabel(t *testing.T, c client.Client) {
	d := parse(t, deployment)
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(d), d))
	d.SetResourceVersion("")
	delete(d.Object, "spec")
}

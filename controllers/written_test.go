package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
)

func TestWritten(t *testing.T) {
	shows := func(uid types.UID, sequence int64) *v1alpha1.Rollout {
		r := &v1alpha1.Rollout{}
		r.Namespace, r.Name, r.UID = "shop", "web", uid
		if sequence > 0 {
			r.Status.Progress = &v1alpha1.Progress{Sequence: sequence}
		}
		return r
	}
	tests := map[string]struct {
		cache *v1alpha1.Rollout
		ahead bool
	}{
		"the cache lags":              {shows("a", 4), true},
		"the cache shows nothing yet": {shows("a", 0), true},
		"it shows the record":         {shows("a", 5), false},
		"another leader went on":      {shows("a", 6), false},
		"a new one of the same name":  {shows("b", 0), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var w written
			if w.ahead(tc.cache) {
				t.Error("ahead of what was never written")
			}
			w.remember(shows("a", 4), 5)
			if got := w.ahead(tc.cache); got != tc.ahead {
				t.Errorf("ahead: %t", got)
			}
			w.forget(client.ObjectKeyFromObject(tc.cache))
			if w.ahead(tc.cache) {
				t.Error("ahead of what was forgotten")
			}
		})
	}
}

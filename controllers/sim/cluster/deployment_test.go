package cluster_test

import (
	"testing"

	"github.com/belay-dev/belay/controllers/sim/cluster"
)

// A rolling update is never short of pods and never has too many, and no request is lost in it.
func TestRollingUpdate(t *testing.T) {
	for seed := range uint64(50) {
		s := newScene(t, seed).withShop()
		quick := cluster.Normal()
		quick.Controller = cluster.Range{}
		s.SetDelays(quick)
		s.ship("web:v2")
		least, most := 4, int64(0)
		s.until("rolled", func() bool {
			least = min(least, s.ready("web:v1")+s.ready("web:v2"))
			most = max(most, s.sizes()["web:v1"]+s.sizes()["web:v2"])
			for _, a := range s.Requests(10) {
				if a.Outcome.Lost() {
					t.Fatalf("seed %d: %+v", seed, a)
				}
			}
			return s.Quiet()
		})
		if least < 3 || most > 5 {
			t.Errorf("seed %d: between %d and %d pods, allowed are 3 and 5", seed, least, most)
		}
		if len(s.names("web:v2")) != 4 || len(s.Pods()) != 4 {
			t.Errorf("seed %d ends with %+v", seed, s.Pods())
		}
	}
}

package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
)

// fleet draws what equal pods do: errors in clusters, pods that differ for good, a base rate that moves.
type fleet struct {
	pods, ticks int
	perTick     float64 // bad requests of a pod in a tick, on average
	cluster     int64   // bad requests come in clusters of this size
	spread      float64 // over so many ticks
	podNoise    float64 // standard deviation of the log of a pod's bad share
	moving      bool    // the base rate doubles and falls for all of them together
}

func (f fleet) draw(r *rand.Rand) [][]Counts {
	pods := make([][]Counts, f.pods)
	for i := range pods {
		pods[i] = make([]Counts, f.ticks)
		mean := f.perTick * math.Exp(f.podNoise*r.NormFloat64())
		for t := range pods[i] {
			pods[i][t].Requests = 5000
			now := mean
			if f.moving {
				now *= 1 + math.Sin(float64(t)/20)
			}
			for range poissonDraw(r, now/float64(f.cluster)) {
				for range f.cluster {
					if at := t + int(f.spread*r.Float64()); at < f.ticks {
						pods[i][at].Bad++
					}
				}
			}
		}
	}
	return pods
}

func poissonDraw(r *rand.Rand, mean float64) int64 {
	if mean > 100 {
		return max(0, int64(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	k, left := int64(0), math.Exp(-mean)
	for p := r.Float64(); p > left; p *= r.Float64() {
		k++
	}
	return k
}

func TestDispersionOfKnownFleets(t *testing.T) {
	tests := map[string]struct {
		fleet      fleet
		phi        [2]float64 // range that holds it
		podNoise   [2]float64
		phiKnown   bool
		noiseKnown bool
	}{
		"independent":     {fleet{pods: 10, ticks: 400, perTick: 4, cluster: 1}, [2]float64{1, 1.3}, [2]float64{0.01, 0.06}, true, true},
		"base rate moves": {fleet{pods: 10, ticks: 400, perTick: 4, cluster: 1, moving: true}, [2]float64{1, 1.3}, [2]float64{0, 0.06}, true, true},
		"clusters":        {fleet{pods: 10, ticks: 400, perTick: 20, cluster: 5}, [2]float64{4, 6.5}, [2]float64{0, 0.06}, true, true},
		"clusters over four ticks": {fleet{pods: 10, ticks: 400, perTick: 20, cluster: 5, spread: 4},
			[2]float64{3.5, 6.5}, [2]float64{0, 0.08}, true, true},
		"pods differ": {fleet{pods: 12, ticks: 400, perTick: 20, cluster: 1, podNoise: 0.2},
			[2]float64{1, 1.6}, [2]float64{0.1, 0.32}, true, true},
		"pods differ and clusters": {fleet{pods: 12, ticks: 400, perTick: 20, cluster: 4, podNoise: 0.2},
			[2]float64{3, 6}, [2]float64{0.1, 0.32}, true, true},
		"few errors tell of clusters only": {fleet{pods: 10, ticks: 100, perTick: 0.5, cluster: 1},
			[2]float64{1, 1.6}, [2]float64{DefaultNoise, DefaultNoise}, true, false},
		"few errors tell of large noise": {fleet{pods: 12, ticks: 100, perTick: 0.5, cluster: 1, podNoise: 1},
			[2]float64{1, 2.5}, [2]float64{0.4, 2}, true, true},
		"nearly no errors": {fleet{pods: 10, ticks: 100, perTick: 0.01, cluster: 1},
			[2]float64{DefaultPhi, DefaultPhi}, [2]float64{DefaultNoise, DefaultNoise}, false, false},
		"no errors": {fleet{pods: 10, ticks: 100, cluster: 1},
			[2]float64{DefaultPhi, DefaultPhi}, [2]float64{DefaultNoise, DefaultNoise}, false, false},
		"one pod": {fleet{pods: 1, ticks: 400, perTick: 20, cluster: 1},
			[2]float64{DefaultPhi, DefaultPhi}, [2]float64{DefaultNoise, DefaultNoise}, false, false},
		"too short": {fleet{pods: 10, ticks: 5, perTick: 20, cluster: 1},
			[2]float64{DefaultPhi, DefaultPhi}, [2]float64{DefaultNoise, DefaultNoise}, false, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				d := EstimateDispersion(tc.fleet.draw(rand.New(rand.NewPCG(seed, 1))))
				if d.PhiKnown != tc.phiKnown || d.NoiseKnown != tc.noiseKnown {
					t.Fatalf("seed %d: %+v", seed, d)
				}
				if d.Phi < tc.phi[0] || d.Phi > tc.phi[1] || d.PodNoise < tc.podNoise[0] || d.PodNoise > tc.podNoise[1] {
					t.Errorf("seed %d: %+v", seed, d)
				}
			}
		})
	}
}

// Nearly all bad requests at one time are a cluster, and no word about what lasts.
func TestDispersionOfOneIncident(t *testing.T) {
	pods := fleet{pods: 10, ticks: 400}.draw(rand.New(rand.NewPCG(3, 1)))
	for i := range pods {
		pods[i][17].Bad = int64(4000 + 60*(i%3))
		pods[i][17].Requests += int64(10 * (i % 3))
	}
	for t := 60; t < 400; t += 60 {
		pods[0][t].Bad++
	}
	if d := EstimateDispersion(pods); !d.PhiKnown || d.NoiseKnown || d.Phi > 3 || math.IsNaN(d.Phi) {
		t.Errorf("%+v", d)
	}
}

// A pod that came later or went earlier has no requests in the other ticks.
func TestDispersionWithPodsThatComeAndGo(t *testing.T) {
	pods := fleet{pods: 10, ticks: 400, perTick: 10, cluster: 1}.draw(rand.New(rand.NewPCG(3, 1)))
	pods[0] = pods[0][:150]
	for i := range 200 {
		pods[1][i] = Counts{}
	}
	d := EstimateDispersion(pods)
	if !d.PhiKnown || d.Phi > 1.3 || d.PodNoise > 0.1 {
		t.Errorf("%+v", d)
	}
}

func TestNoiseOfSetsOfPods(t *testing.T) {
	known := Dispersion{Phi: 1, PodNoise: 0.2, PhiKnown: true, NoiseKnown: true}
	near(t, "one against many", known.Noise(1, 1_000_000), 0.2, 1e-6)
	near(t, "four against four", known.Noise(4, 4), 0.2*math.Sqrt(0.5), 1e-12)
	near(t, "no pods", known.Noise(0, 4), DefaultNoise, 0)
	near(t, "assumed", AssumedDispersion().Noise(1, 9), DefaultNoise, 0)
	wild := Dispersion{PodNoise: 50, NoiseKnown: true}
	p := Defaults()
	if p.Noise = wild.Noise(1, 1); p.Validate() != nil {
		t.Errorf("noise of %v cannot be used", p.Noise)
	}
}

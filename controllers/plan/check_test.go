package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Each law is broken once, by a plan that no rule makes.
func TestCheck(t *testing.T) {
	split := func(o Observed, weight, scale int32) Plan {
		s := o.split(routeRef("shop"), "r-1", 0)
		s.Split.Weight, s.Split.Scale = weight, scale
		return Plan{Effects: []Effect{s}}
	}
	next := func(o Observed, change func(*v1alpha1.Progress)) Plan { return *o.record("", "", change) }
	none := func(*v1alpha1.Progress) {}
	bakingNow := baking(2, time.Minute)
	ended := endingAt(v1alpha1.StageDraining, v1alpha1.OutcomeFailed)
	lost := baking(2, time.Minute, func(o *Observed) { o.Canary.Ready = 0 })
	waits := entered(2, canaryPods(2, 2), weight(500))
	start := func(p *v1alpha1.Progress) { p.ProgrammedSince = microPtr(noon) }
	handOver := func(p *v1alpha1.Progress) { p.Stage = v1alpha1.StageUnpinning }
	open := passed(3, says(v1alpha1.VerdictPending))
	byPerson := next(open, handOver)
	byPerson.Ack = &v1alpha1.RequestStatus{}
	both := next(bakingNow, none)
	both.Effects = []Effect{Release{}}
	stale := next(bakingNow, func(p *v1alpha1.Progress) { p.Sequence-- })
	tests := map[string]struct {
		state Observed
		plan  Plan
		laws  []string
	}{
		"nothing":                       {bakingNow, Plan{}, nil},
		"the step's weight":             {bakingNow, split(bakingNow, 50, 100), nil},
		"records and acts":              {bakingNow, both, []string{"record-or-act"}},
		"the sequence stands":           {bakingNow, stale, []string{"fence"}},
		"wakes now":                     {bakingNow, Plan{Wake: noon}, []string{"wake"}},
		"wakes later":                   {bakingNow, Plan{Wake: noon.Add(1)}, nil},
		"a negative weight":             {bakingNow, split(bakingNow, -1, 100), []string{"I1"}},
		"a weight above the scale":      {bakingNow, split(bakingNow, 101, 100), []string{"I1", "I5"}},
		"a weight without a ready pod":  {lost, split(lost, 10, 100), []string{"I2"}},
		"weight zero without one":       {lost, split(lost, 0, 100), nil},
		"a weight after the end":        {ended, split(ended, 10, 100), []string{"I3", "I5"}},
		"weight zero after the end":     {ended, split(ended, 0, 100), nil},
		"more than the step's weight":   {bakingNow, split(bakingNow, 51, 100), []string{"I5"}},
		"per mille":                     {bakingNow, split(bakingNow, 501, 1000), []string{"I5"}},
		"a clock that may start":        {waits, next(waits, start), nil},
		"a clock without the weight":    {entered(2, canaryPods(2, 2)), next(entered(2, canaryPods(2, 2)), start), []string{"I6"}},
		"a clock without pods":          {entered(2, canaryPods(2, 1), weight(500)), next(entered(2, canaryPods(2, 1), weight(500)), start), []string{"I6"}},
		"a promotion":                   {passed(3), next(passed(3), handOver), nil},
		"a promotion without Pass":      {open, next(open, handOver), []string{"I10"}},
		"a promotion by a person":       {open, byPerson, nil},
		"a promotion by promote-full":   {passed(3, says(v1alpha1.VerdictPending), func(o *Observed) { o.Progress.PromoteFull = true }), next(passed(3, func(o *Observed) { o.Progress.PromoteFull = true }), handOver), nil},
		"a promotion that measures not": {passed(3, func(o *Observed) { o.Config.Measuring = false }), next(passed(3), handOver), nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, v := range Check(tc.state, tc.plan) {
				got = append(got, v.Law)
				if v.Text == "" {
					t.Errorf("%s says nothing", v.Law)
				}
			}
			if !slices.Equal(got, tc.laws) {
				t.Errorf("broken %v, want %v", got, tc.laws)
			}
		})
	}
}

package evidence

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// repeat gives n of a tick, the first at a new weight if the tick says so.
func repeat(n int, tick Tick) []Tick {
	ticks := slices.Repeat([]Tick{tick}, n)
	for i := range ticks {
		ticks[i].WeightChanged = tick.WeightChanged && i == 0
	}
	return ticks
}

func atNewWeight(tick Tick) Tick {
	tick.WeightChanged = true
	return tick
}

func with(b Baseline, tick Tick) Tick {
	tick.Baseline = b
	return tick
}

var (
	healthy = both(2500, 10, 7500, 30)
	faulty  = both(2500, 100, 7500, 30)
)

func TestVerdicts(t *testing.T) {
	tests := map[string]struct {
		ticks   []Tick
		verdict Verdict
		cause   Cause
		frozen  bool
	}{
		"nothing":                         {nil, Undecided, NoCause, false},
		"one tick decides nothing":        {repeat(1, faulty), Undecided, NoCause, false},
		"two are enough":                  {repeat(2, faulty), Fail, ByEvidence, false},
		"a faulty canary":                 {repeat(4, faulty), Fail, ByEvidence, false},
		"a healthy canary":                {repeat(60, healthy), Pass, NoCause, false},
		"Pass belongs to a weight":        {append(repeat(60, healthy), atNewWeight(healthy)), Undecided, NoCause, false},
		"and is won again":                {append(repeat(60, healthy), repeat(60, atNewWeight(healthy))...), Pass, NoCause, false},
		"Fail stays":                      {append(repeat(4, faulty), repeat(200, atNewWeight(healthy))...), Fail, ByEvidence, false},
		"Fail after Pass":                 {append(repeat(60, healthy), repeat(9, faulty)...), Fail, ByEvidence, false},
		"a fault after an hour of health": {append(repeat(360, healthy), repeat(9, atNewWeight(faulty))...), Fail, ByEvidence, false},
		"frozen at weight 100":            {append(repeat(60, healthy), atNewWeight(with(Gone, both(10000, 40, 0, 0)))), Pass, NoCause, true},
		"undecided stays so at 100":       {append(repeat(2, healthy), repeat(600, atNewWeight(with(Gone, both(10000, 0, 0, 0))))...), Undecided, NoCause, true},
		"still judged at 100":             {append(repeat(60, healthy), repeat(5, atNewWeight(with(Gone, both(10000, 600, 0, 0))))...), Fail, ByEvidence, true},
		"a bit worse at 100 is the noise": {append(repeat(60, healthy), repeat(60, atNewWeight(with(Gone, both(10000, 45, 0, 0))))...), Pass, NoCause, true},
		"missing is not gone":             {append(repeat(60, healthy), atNewWeight(with(Missing, healthy))), Undecided, NoCause, false},
		"judged while stable is missing":  {append(repeat(60, healthy), repeat(5, with(Missing, faulty))...), Fail, ByEvidence, false},
		"missing from the start":          {repeat(50, with(Missing, faulty)), Undecided, NoCause, false},
		"no requests at all":              {repeat(500, Tick{}), Undecided, NoCause, false},
		"no canary":                       {repeat(500, both(0, 0, 5000, 20)), Undecided, NoCause, false},
		"no stable, unannounced":          {repeat(500, both(5000, 300, 0, 0)), Undecided, NoCause, false},
		"all bad":                         {repeat(2, both(10, 10, 990, 5)), Fail, AllBad, false},
		"equally bad is not worse":        {repeat(50, both(1000, 1000, 3000, 3000)), Pass, NoCause, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := added(t, Defaults(), tc.ticks...).Report()
			if r.Verdict != tc.verdict || r.Cause != tc.cause || r.Frozen != tc.frozen {
				t.Errorf("%+v", r)
			}
			if (r.Tick >= 0) != (r.Verdict != Undecided) || r.Tick >= len(tc.ticks) {
				t.Errorf("verdict %s at tick %d", r.Verdict, r.Tick)
			}
		})
	}
}

// The tick of the verdict is the first at which it could be had, and what comes later does not move it.
func TestTickOfTheVerdict(t *testing.T) {
	c := comparison(t, Defaults())
	first := -1
	for i, tick := range append(repeat(3, healthy), repeat(40, faulty)...) {
		c.Add(tick)
		if c.Verdict() == Fail && first < 0 {
			first = i
		}
	}
	if r := c.Report(); r.Tick != first || first < 5 {
		t.Errorf("Fail at tick %d, first seen at %d", r.Tick, first)
	}
}

func TestBlocks(t *testing.T) {
	p := Defaults()
	canary, stable := both(40, 3, 0, 0), both(0, 0, 900, 4)
	joined := added(t, p, both(40, 3, 900, 4)).LogE()
	tests := map[string]struct {
		ticks []Tick
		want  float64
	}{
		"two halves":               {[]Tick{canary, stable}, joined},
		"the other way round":      {[]Tick{stable, {}, canary}, joined},
		"the sixth tick":           {[]Tick{canary, {}, {}, {}, {}, stable}, joined},
		"too late":                 {[]Tick{canary, {}, {}, {}, {}, {}, stable}, comparison(t, p).LogE()},
		"the next block is fresh":  {[]Tick{both(0, 0, 500, 400), {}, {}, {}, {}, {}, canary, stable}, joined},
		"a missing stable ends it": {[]Tick{canary, with(Missing, canary), stable}, comparison(t, p).LogE()},
		"a weight ends a block":    {[]Tick{canary, atNewWeight(stable)}, comparison(t, p).LogE()},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			near(t, "ln E", added(t, p, tc.ticks...).LogE(), tc.want, 0)
		})
	}
}

func TestHardFail(t *testing.T) {
	tests := map[string]struct {
		ticks []Tick
		want  bool
	}{
		"twenty in two ticks":         {[]Tick{both(10, 10, 100, 1), both(10, 10, 100, 1)}, true},
		"one tick is a scrape":        {[]Tick{both(500, 500, 100, 1)}, false},
		"nineteen are too few":        {[]Tick{both(10, 10, 100, 1), both(9, 9, 100, 1)}, false},
		"one good one":                {[]Tick{both(10, 10, 100, 1), both(10, 9, 100, 1), both(10, 10, 100, 1)}, false},
		"from then on":                {[]Tick{both(100, 0, 100, 1), both(10, 10, 100, 1), both(10, 10, 100, 1)}, true},
		"pauses do not end it":        {[]Tick{both(10, 10, 100, 1), {}, both(0, 0, 100, 1), both(10, 10, 100, 1)}, true},
		"slowly":                      {slices.Repeat([]Tick{both(1, 1, 30, 0)}, 20), true},
		"stable is half down":         {[]Tick{both(10, 10, 100, 50), both(10, 10, 100, 50)}, false},
		"stable is nearly half down":  {[]Tick{both(10, 10, 100, 49), both(10, 10, 100, 50)}, true},
		"stable was down in pauses":   {[]Tick{both(10, 10, 100, 1), both(0, 0, 9000, 9000), both(10, 10, 100, 1)}, true},
		"stable is down and recovers": {append(repeat(2, both(10, 10, 100, 100)), repeat(3, both(10, 10, 100, 0))...), true},
		"stable has no requests":      {[]Tick{with(Gone, both(10, 10, 0, 0)), with(Gone, both(10, 10, 0, 0))}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var o outage
			got := false
			for _, tick := range tc.ticks {
				got = o.add(tick.Canary, tick.Stable) || got
			}
			if got != tc.want {
				t.Errorf("hard fail: %v, want %v", got, tc.want)
			}
		})
	}
}

// Counts of a stable whose series are missing are no excuse, whatever they are.
func TestHardFailWithoutTheStablesCounts(t *testing.T) {
	tick := with(Missing, both(10, 10, 100, 100))
	if r := added(t, Defaults(), tick, tick).Report(); r.Cause != AllBad {
		t.Errorf("%+v", r)
	}
}

// With a relative margin of 0 there is an absolute level and no stable.
func TestAbsoluteLevel(t *testing.T) {
	p := Defaults()
	p.MarginRelative, p.MarginAbsolute = 0, 0.01
	for name, tc := range map[string]struct {
		tick Tick
		want Verdict
	}{
		"below":                      {both(1000, 5, 0, 0), Pass},
		"above":                      {both(1000, 20, 0, 0), Fail},
		"the stable does not matter": {both(1000, 20, 1000, 900), Fail},
		"nor that it is gone":        {with(Gone, both(1000, 5, 0, 0)), Pass},
	} {
		t.Run(name, func(t *testing.T) {
			r := added(t, p, repeat(120, tc.tick)...).Report()
			share := tc.tick.Canary.BadShare()
			if r.Verdict != tc.want || !(r.Lower <= share && share <= r.Upper) || r.Frozen || r.Level != 0 {
				t.Errorf("%+v", r)
			}
			if r.Upper-r.Lower > share || r.Lower <= 0 {
				t.Errorf("from %v to %v says nothing about %v", r.Lower, r.Upper, share)
			}
		})
	}
}

func TestShareIsNotBelowNothing(t *testing.T) {
	p := Defaults()
	p.MarginRelative, p.MarginAbsolute = 0, 0.01
	if lower, upper := added(t, p, both(1000, 0, 0, 0)).Interval(); lower != 0 || upper <= 0 || upper > 0.05 {
		t.Errorf("a bad share from %v to %v", lower, upper)
	}
}

// What is shown belongs to the weight, except for a ramp, and at weight 100 to the last one.
func TestWhatBelongsToAWeight(t *testing.T) {
	first, second := repeat(5, healthy), repeat(3, atNewWeight(both(5000, 20, 5000, 21)))
	r := added(t, Defaults(), append(first, second...)...).Report()
	if (r.Canary != Counts{15000, 60}) || (r.Stable != Counts{15000, 63}) {
		t.Errorf("%+v", r)
	}
	alone := added(t, Defaults(), second...).Report()
	if r.Lower != alone.Lower || r.Upper != alone.Upper || r.LogAccept != alone.LogAccept || r.LogE == alone.LogE {
		t.Errorf("%+v, the last weight alone %+v", r, alone)
	}
	p := Defaults()
	p.IntervalSpansWeights = true
	if ramp := added(t, p, append(first, second...)...).Report(); ramp.Upper-ramp.Lower >= r.Upper-r.Lower {
		t.Errorf("the interval of a ramp, %v to %v, is not narrower than %v to %v", ramp.Lower, ramp.Upper, r.Lower, r.Upper)
	}
	frozen := added(t, Defaults(), append(append(first, second...), atNewWeight(with(Gone, both(9000, 30, 0, 0))))...).Report()
	if frozen.Canary != r.Canary || frozen.Lower != r.Lower || frozen.LogAccept != r.LogAccept {
		t.Errorf("%+v, before %+v", frozen, r)
	}
}

func TestTheHourOfTheStable(t *testing.T) {
	var l level
	if _, known := l.against(1.1, 0.0005, 1); known {
		t.Error("a level is known before anything was seen")
	}
	for range 360 {
		l.add(Counts{100, 50}, 10)
	}
	for range 361 {
		l.add(Counts{100, 1}, 10)
	}
	if hour := l.hour(); hour.Bad != hour.Requests/100 || hour.Requests < 35000 || hour.Requests > 36000 {
		t.Errorf("of the last hour it remembers %+v", hour)
	}
	// 1.1·(√360 + 1.5)²/35900 + 0.0005, give or take the last minute.
	bad, _ := l.against(1.1, 0.0005, 1)
	near(t, "level", bad, 1.1*0.0117+0.0005, 0.0002)
	spread, _ := l.against(1.1, 0.0005, 4)
	if spread <= bad {
		t.Errorf("the level is %v with dispersion and %v without", spread, bad)
	}
	l.add(Counts{7, 0}, 24*3600)
	l.add(Counts{9, 0}, 10)
	if hour := l.hour(); hour.Requests != 9 {
		t.Errorf("a day later it remembers %+v", hour)
	}
}

func TestParamsOutOfRange(t *testing.T) {
	tests := map[string]func(*Params){
		"alpha is 0: it must be from":                          func(p *Params) { p.Alpha = 0 },
		"alpha is 0.9: ":                                       func(p *Params) { p.Alpha = 0.9 },
		"beta is NaN: ":                                        func(p *Params) { p.Beta = math.NaN() },
		"relative margin is -1: ":                              func(p *Params) { p.MarginRelative = -1 },
		"absolute margin is 2: ":                               func(p *Params) { p.MarginAbsolute = 2 },
		"relative and absolute margin are both 0: ":            func(p *Params) { p.MarginRelative, p.MarginAbsolute = 0, 0 },
		"phi is 0.5: it must be from 1 to 1000":                func(p *Params) { p.Phi = 0.5 },
		"noise is +Inf: ":                                      func(p *Params) { p.Noise = math.Inf(1) },
		"noise of the accept side is -0.1: it must be from 0 ": func(p *Params) { p.AcceptNoise = -0.1 },
		"tick is 0: ":                                          func(p *Params) { p.TickSeconds = 0 },
	}
	for want, change := range tests {
		p := Defaults()
		change(&p)
		if _, err := New(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestTicksThatCannotBe(t *testing.T) {
	for want, tick := range map[string]Tick{
		"canary requests is -1": both(-1, 0, 5, 0),
		"stable errors is -2":   both(1, 0, 5, -2),
		"canary errors is 7 of 5 requests: there cannot be more errors than requests": both(5, 7, 5, 0),
	} {
		if err := tick.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := healthy.Validate(); err != nil {
		t.Error(err)
	}
	// Counters of two series are read at slightly different moments.
	if a, b := added(t, Defaults(), both(5, 7, 100, -3)).Report(), added(t, Defaults(), both(7, 7, 100, 0)).Report(); a != b {
		t.Errorf("%+v and %+v", a, b)
	}
}

// Alone counts the canary from where the stable's counts end, through changes of the weight, until they are back.
func TestAlone(t *testing.T) {
	measured, gone, missing := both(100, 1, 100, 1), with(Gone, both(100, 2, 0, 0)), with(Missing, both(100, 4, 0, 0))
	for name, tc := range map[string]struct {
		ticks    []Tick
		want     Counts
		baseline Baseline
	}{
		"nothing":         {nil, Counts{}, Measured},
		"measured":        {[]Tick{measured}, Counts{}, Measured},
		"gone":            {[]Tick{measured, gone, gone}, Counts{200, 4}, Gone},
		"at a new weight": {[]Tick{measured, missing, atNewWeight(gone)}, Counts{200, 6}, Gone},
		"back":            {[]Tick{gone, measured}, Counts{}, Measured},
		"gone again":      {[]Tick{gone, measured, missing}, Counts{100, 4}, Missing},
	} {
		t.Run(name, func(t *testing.T) {
			if r := added(t, Defaults(), tc.ticks...).Report(); r.Alone != tc.want || r.Baseline != tc.baseline {
				t.Errorf("%+v", r)
			}
		})
	}
	one := Defaults()
	one.MarginRelative, one.MarginAbsolute = 0, 0.01
	if r := added(t, one, gone).Report(); r.Alone != (Counts{}) || r.Canary.Requests != 100 {
		t.Errorf("without a stable: %+v", r)
	}
}

// A canary that turns bad with all traffic: the sentence has the counts that led to the Fail.
func TestSentenceOfAFailWithAllTraffic(t *testing.T) {
	ticks := append(repeat(60, both(5000, 20, 5000, 20)), repeat(5, with(Gone, both(10_000, 400, 0, 0)))...)
	want := "errors: canary 2,000/50,000 (4.0 %), above 0.5 % bad, which is the limit by its last hour (stable has no traffic)"
	if got := added(t, Defaults(), ticks...).Report().Sentence("errors", Defaults()); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

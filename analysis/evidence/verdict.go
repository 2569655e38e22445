package evidence

// Verdict of one comparison. That something stayed undecided for too long is not known here: there
// is no clock.
type Verdict int8

const (
	// Undecided: the evidence allows neither.
	Undecided Verdict = iota
	// Pass: at this weight, the canary is within the margin.
	Pass
	// Fail: the canary is worse than the margin. It stays.
	Fail
)

func (v Verdict) String() string {
	switch v {
	case Pass:
		return "Pass"
	case Fail:
		return "Fail"
	}
	return "Undecided"
}

// Cause of a Fail.
type Cause int8

const (
	// NoCause: there is no Fail.
	NoCause Cause = iota
	// ByEvidence: E reached 1/α.
	ByEvidence
	// AllBad: every request of the canary was bad, and the stable's were not.
	AllBad
)

// Report is everything that a comparison has to say.
type Report struct {
	Verdict Verdict
	Cause   Cause
	// Tick is the 0-based index of the tick that brought the verdict, -1 while undecided.
	Tick int
	// Ticks is how many were added.
	Ticks int
	// LogE and LogAccept are the logarithms of the evidence against and for the canary.
	LogE, LogAccept float64
	// Lower and Upper bound by how much the canary's bad share exceeds the stable's, at any look,
	// with probability 1 - Alpha. See Interval.
	Lower, Upper float64
	// Canary and Stable are counted since the weight changed, over the ticks that were compared.
	Canary, Stable Counts
	// Baseline of the last tick, and Alone what the canary had since the stable's counts are missing or
	// gone: 0 while they are measured, or where there is no stable to compare with.
	Baseline Baseline
	Alone    Counts
	// Frozen: the stable has no traffic, and verdict and interval are those of the last weight.
	Frozen bool
	// Level is the bad share that the canary is judged against while the stable's counts are missing
	// or gone; 0 otherwise.
	Level float64
}

package evidence

import "math"

const (
	levelBuckets = 60
	levelSeconds = 3600
)

// level remembers what the stable did in the last hour in which it had traffic, minute by minute.
type level struct {
	buckets [levelBuckets]Counts
	at      int
	seconds float64 // of the present bucket that have passed
}

// add takes the stable's counts of a tick in. It is called only while they are measured, so that the
// hour stands still when the stable's traffic ends.
func (l *level) add(stable Counts, seconds float64) {
	const width = levelSeconds / levelBuckets
	l.buckets[l.at] = l.buckets[l.at].plus(stable)
	l.seconds += seconds
	for range min(levelBuckets, int(l.seconds/width)) {
		l.at = (l.at + 1) % levelBuckets
		l.buckets[l.at] = Counts{}
	}
	l.seconds = math.Mod(l.seconds, width)
}

func (l *level) hour() Counts {
	var sum Counts
	for _, bucket := range l.buckets {
		sum = sum.plus(bucket)
	}
	return sum
}

// levelErrors is how many standard errors the stable's share is taken above its estimate.
const levelErrors = 3

// against is what the canary is judged against where the stable's counts are not there:
//
//	max(a, r·share + a)
//
// where share is the stable's bad share of the hour as the canary may claim it: three standard errors
// above the estimate, since the hour is a sample, and a canary equal to stable must not fail because the
// stable was lucky. (√(x+1) has a standard deviation of about √φ/2, also for small x.) Without an hour
// there is nothing to judge against.
func (l *level) against(r, a, phi float64) (bad float64, known bool) {
	hour := l.hour()
	if hour.Requests == 0 {
		return 0, false
	}
	root := math.Sqrt(float64(hour.Bad)+1) + levelErrors/2.0*math.Sqrt(phi)
	share := min(1, root*root/float64(hour.Requests))
	return max(a, r*share+a), true
}

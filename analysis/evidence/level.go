package evidence

import "math"

const (
	levelBuckets = 60
	levelSeconds = 3600
)

// level remembers what the stable did in the last hour in which it had traffic, minute by minute.
type level struct {
	buckets [levelBuckets]Counts
	sum     Counts
	at      int
	seconds float64 // of the present bucket that have passed
}

// add takes the stable's counts of a tick in. It is called only while they are measured, so that the
// hour stands still when the stable's traffic ends.
func (l *level) add(stable Counts, seconds float64) {
	l.buckets[l.at] = l.buckets[l.at].plus(stable)
	l.sum = l.sum.plus(stable)
	l.seconds += seconds
	for steps := 0; l.seconds >= levelSeconds/levelBuckets && steps < levelBuckets; steps++ {
		l.seconds -= levelSeconds / levelBuckets
		l.at = (l.at + 1) % levelBuckets
		gone := l.buckets[l.at]
		l.sum.Requests -= gone.Requests
		l.sum.Bad -= gone.Bad
		l.buckets[l.at] = Counts{}
	}
	l.seconds = math.Mod(l.seconds, levelSeconds/levelBuckets)
}

// levelErrors is how many standard errors the stable's share is taken above its estimate.
const levelErrors = 3

// share is the stable's bad share as the canary may claim it: its share of the hour, plus three
// standard errors, since the hour is a sample and a canary equal to stable must not fail because the
// stable was lucky. (√(x+1) has a standard deviation of about ½, also for small x.)
func (l *level) share() float64 {
	if l.sum.Requests == 0 {
		return 0
	}
	root := math.Sqrt(float64(l.sum.Bad)+1) + levelErrors/2.0
	return min(1, root*root/float64(l.sum.Requests))
}

// against is what the canary is judged against where the stable's counts are not there: max(a, r·share + a).
func (l *level) against(r, a float64) float64 {
	return min(1, max(a, r*l.share()+a))
}

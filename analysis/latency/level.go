package latency

import "math"

const (
	levelMinutes  = 60
	minuteSeconds = 60
)

// level remembers what the stable did in the last hour in which it had traffic, minute by minute.
type level struct {
	minutes [levelMinutes][]float64 // requests by group
	at      int
	seconds float64 // of the present minute that have passed
	sum     []float64
}

func newLevel(groups int) level {
	l := level{sum: make([]float64, groups)}
	for i := range l.minutes {
		l.minutes[i] = make([]float64, groups)
	}
	return l
}

// add takes the stable's requests of a tick in, only while they are measured.
func (l *level) add(stable []float64, seconds float64) {
	for i, n := range stable {
		l.minutes[l.at][i] += n
	}
	l.seconds += seconds
	for range min(levelMinutes, int(l.seconds/minuteSeconds)) {
		l.at = (l.at + 1) % levelMinutes
		clear(l.minutes[l.at])
	}
	l.seconds = math.Mod(l.seconds, minuteSeconds)
}

// hour gives the requests of the hour by group, and whether there were any.
func (l *level) hour() ([]float64, bool) {
	clear(l.sum)
	any := 0.0
	for _, minute := range l.minutes {
		for i, n := range minute {
			l.sum[i] += n
			any += n
		}
	}
	return l.sum, any > 0
}

// levelErrors is how many standard errors the stable's share is taken above its estimate.
const levelErrors = 3

// allowed writes the shares that may take longer than each edge, after what the stable did in an hour:
// stretched by the margin, three standard errors above the estimate, plus a. It is the level of a
// comparison of bad requests (evidence), once for each edge.
func (k *kernel) allowed(hour []float64, a, phi float64, shares []float64) {
	all := 0.0
	for _, n := range hour {
		all += n
	}
	for m := range shares {
		longer := 0.0
		for i, n := range hour {
			longer += n * k.rows[i].longer(m)
		}
		root := math.Sqrt(longer+1) + levelErrors/2.0*math.Sqrt(phi)
		shares[m] = min(1, min(1, root*root/all)+a)
	}
}

// longer is the probability of ending up above edge m.
func (r row) longer(m int) float64 {
	switch at := m - r.first; {
	case at < 0:
		return 1
	case at < len(r.above):
		return r.above[at]
	}
	return 0
}

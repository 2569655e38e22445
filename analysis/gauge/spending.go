package gauge

// The samples since the weight changed are looked at after firstLook ticks, and then each time that they
// have doubled; from lastDoubling ticks on the older half is forgotten each time. What begins late would
// be hidden among them, and a step in the middle makes them worth little: so every recentTicks the newest
// of them are also looked at alone.
const (
	firstLook    = 12
	lastDoubling = 3072
	recentTicks  = 96
)

// spent at look k = 1, 2, … of a chance of being wrong:
//
//	α_k = α/( k·(k + 1) ) = α/k - α/(k + 1)
//
// which adds up to α over all looks there will ever be, so that none of them needs to be foreseen and it does
// not matter what they have to do with each other. Doublings are few: what is left for the tenth, after
// some hours, is α/110. Of looks at the newest samples there are a hundred in a day, the last with α/10,000;
// but then a quantile of the normal distribution is 4.9 in place of 3.5, and not more.
func spent(chance float64, look int) float64 {
	k := float64(look)
	return chance / k / (k + 1)
}

// schedule of the looks at one weight.
type schedule struct {
	ticks  int // in which both arms had samples
	next   int // look at all of them
	recent int // ticks since the newest were looked at alone
}

func newSchedule() schedule { return schedule{next: firstLook} }

// tick says what it is time to look at. The newest samples are looked at alone only if there are others.
func (s *schedule) tick() (all, newest bool) {
	s.ticks++
	s.recent++
	if s.recent >= recentTicks {
		s.recent, newest = 0, s.ticks > recentTicks
	}
	return s.ticks >= s.next, newest
}

// looked sets the next look, and says how many of the oldest ticks to forget first.
func (s *schedule) looked() (forget int) {
	if s.ticks >= lastDoubling {
		s.ticks -= lastDoubling / 2
		return lastDoubling / 2
	}
	s.next *= 2
	return 0
}

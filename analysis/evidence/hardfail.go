package evidence

const (
	hardFailRequests = 20
	hardFailTicks    = 2
)

// outage watches for a canary that answers nothing: from some tick on all its requests are bad, at
// least 20 of them over at least two ticks, while in the same ticks less than half of the stable's
// are. Where the stable has no requests, nothing excuses the canary.
type outage struct {
	canary, stable Counts
	ticks          int
}

// add takes a tick in and says whether the canary is down. Ticks without requests of the canary
// neither prolong nor end an outage.
func (o *outage) add(canary, stable Counts) bool {
	if canary.Requests == 0 {
		return false
	}
	if canary.Bad < canary.Requests {
		*o = outage{}
		return false
	}
	o.canary, o.stable = o.canary.plus(canary), o.stable.plus(stable)
	o.ticks++
	return o.canary.Requests >= hardFailRequests && o.ticks >= hardFailTicks && o.stable.BadShare() < 0.5
}

package evidence

// blockTicks is how long a block waits for the other arm.
const blockTicks = 6

// block gathers ticks until both arms have requests: with one arm there is no comparison, and ticks
// with little traffic would be lost one by one. After six ticks without the other arm it is dropped:
// what was counted then says nothing about now. Whether a block is complete depends on requests
// alone, never on how many were bad, so waiting cannot favour an outcome.
type block struct {
	canary, stable Counts
	ticks          int
}

// add takes a tick in. When the block is complete it returns it, and a new one begins.
func (b *block) add(canary, stable Counts) (block, bool) {
	b.canary, b.stable = b.canary.plus(canary), b.stable.plus(stable)
	b.ticks++
	if b.canary.Requests > 0 && b.stable.Requests > 0 {
		whole := *b
		*b = block{}
		return whole, true
	}
	if b.ticks >= blockTicks {
		*b = block{}
	}
	return block{}, false
}

package latency

// blockTicks is how long a block waits for the other arm.
const blockTicks = 6

// block gathers ticks until both arms have requests, and is dropped after six ticks without one of them: as
// in a comparison of bad requests (evidence), and for the same reason.
type block struct {
	canary, stable counts
	ticks          int
}

func newBlock(buckets int) block {
	return block{canary: make(counts, buckets), stable: make(counts, buckets)}
}

func (b *block) reset() {
	clear(b.canary)
	clear(b.stable)
	b.ticks = 0
}

// add takes a tick in and says whether both arms have requests now. Then it is the caller who empties it.
func (b *block) add(canary, stable []int64) (complete bool) {
	if b.ticks >= blockTicks {
		b.reset()
	}
	b.canary.add(canary)
	b.stable.add(stable)
	b.ticks++
	return b.canary.requests() > 0 && b.stable.requests() > 0
}

package plan

import "github.com/belay-dev/belay/api/v1alpha1"

// A hand-over that is not to happen any more is called off in two records, because the write that cannot be taken back, by
// which the workload adopts the canary's ReplicaSet, may have been decided before and arrive at any time. The first record
// ends the planning of such writes: whoever decides from an older one fails when the record is read once more before it
// acts. Then the ReplicaSet is written: whoever had come further carries the resourceVersion of before, and is refused. Only
// when that was seen does the second record end the attempt. If the workload was faster, the hand-over goes on.

const calledOff = "the hand-over is called off: "

// adoptable says that a write which is on its way could still make the canary the workload's.
func (o *Observed) adoptable() bool {
	_, exists := o.canary()
	return exists && !o.recreated()
}

// callOff records how the attempt is to end instead.
func (o *Observed) callOff(e v1alpha1.Ending) *Plan {
	return o.record(v1alpha1.PhaseProgressing, calledOff+e.Reason, func(p *v1alpha1.Progress) { p.CalledOff = &e })
}

// callingOff sees to it that the workload cannot take the canary over any more, and then ends the attempt.
func (o *Observed) callingOff() *Plan {
	c, _ := o.canary()
	switch {
	case !o.adoptable():
		return o.ends(*o.Progress.CalledOff)
	case c.Owned:
		return o.record(v1alpha1.PhaseProgressing, "the workload took the canary over before the hand-over was called off: it goes on", func(p *v1alpha1.Progress) {
			p.CalledOff = nil
		})
	case c.CalledOff != o.fence().String():
		return act(v1alpha1.PhaseProgressing, calledOff+o.Progress.CalledOff.Reason, CallOff{Revision: c})
	}
	return o.ends(*o.Progress.CalledOff)
}

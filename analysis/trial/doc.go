// Package trial follows one compare metric through an attempt: it says which samples have to be read, turns them into ticks
// and feeds the judge. It reads nothing itself and has no clock, so a controller, a back test and a test of both run the same
// code.
//
// # Vocabulary
//
//	exposure  a weight that the attempt reached, and since when
//	history   the hour of stable before the first exposure: it tells how long a tick is, and how much equal pods differ
//	read      one selector over one span of time; whoever runs the trial fills in the series
//	finding   what the trial says at the step that runs now: a verdict, a sentence, numbers
//
// # The way of a trial
//
//	t := trial.New(options)
//	for {
//		reads := t.Reads(now)    // none: nothing can be known before t.Due()
//		…                        // each is read
//		t.Take(now, reads)
//		t.Finding(step)
//	}
//
// # Laws
//
//   - What a trial says is a function of its options and of the samples. One that starts in the middle, after a restart of
//     the controller, reads everything since the first exposure and says the same to the last bit.
//   - Evidence goes through the whole attempt. A Pass belongs to a weight.
//   - Missing data is neither: it accuses nobody and acquits nobody, unless the metric is required.
package trial

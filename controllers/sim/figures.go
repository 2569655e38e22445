package sim

import "fmt"

// Figures add up what happened in many stories.
type Figures struct {
	Stories, Attempts, Promoted, Ended, Reverts                int
	Rounds, Writes, Queries, Requests, Crashes, Faults, Events int
}

func (f *Figures) add(w *World) {
	f.Stories++
	f.Attempts += w.count.attempts
	f.Promoted += w.count.promoted
	f.Ended += w.count.ended
	f.Reverts += len(w.git.Ours())
	f.Rounds += w.count.rounds
	f.Writes += w.count.writes
	f.Queries += w.count.queries
	f.Requests += w.count.requests
	f.Crashes += w.count.crashes
	f.Faults += len(w.faults.names)
	f.Events += w.schedule.Ran()
}

func (f Figures) String() string {
	return fmt.Sprintf("%d stories with %d faults: %d attempts, %d promoted, %d taken back, %d commits; %d controllers died; "+
		"%d rounds, %d writes, %d queries, %d requests, %d events",
		f.Stories, f.Faults, f.Attempts, f.Promoted, f.Ended, f.Reverts, f.Crashes, f.Rounds, f.Writes, f.Queries, f.Requests, f.Events)
}

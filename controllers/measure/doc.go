// Package measure runs the queries of attempts outside of the reconcile loop.
//
// A reconciler says with Ensure what is to be measured (one Job per Rollout: the metrics of the
// step that runs), reads with Snapshot what is known, and is woken whenever that changed. It never
// waits for a metrics source.
//
// # Laws
//
//   - Measurements of a metric are due at Since + initialDelay + n × interval. Ticks that passed
//     while a measurement was under way, while all slots were taken or while the controller was
//     down are skipped: there is one measurement for all of them, never a queue.
//   - At most Options.Concurrency queries run at once, each at most Options.QueryTimeout long.
//     Metrics wait for a slot in the order in which they became due.
//   - A new attempt or step starts with no counts. A result that arrives for an old one is dropped.
//   - A metric that is decided for its step is not asked again, and without jobs nothing is asked.
//   - A comparison (analysis/trial) goes on from step to step of an attempt. It says itself what is
//     to be read and when: stable's history first, then ticks whose samples have all arrived. What
//     it says depends on the samples alone, so after a restart nothing is restored: it is read anew.
//   - Comparisons are judged together as well, and the one that says most is the culprit.
//   - A source that does not answer never fails anything.
//   - Everything ends with the context of Start.
package measure

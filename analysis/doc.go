// Package analysis turns metrics into verdicts: what is asked, how an answer is judged, and what
// several judgements say together.
//
// # Vocabulary
//
//	Metric       what a user declares: a query, conditions, limits (api/v1alpha1)
//	Plan         a metric made ready: its query is parsed, its conditions are compiled
//	Provider     answers a query; one folder per kind of source (prometheus/)
//	Result       the answer: one number, or a list of labelled numbers
//	Measurement  one answer judged by the conditions: Success, Failure, Inconclusive, or no data;
//	             or none, because the source did not answer
//	Verdict      what the measurements of one step say so far: Pending, Pass, Fail, Inconclusive
//
// # The way of a metric
//
//	Resolve    templates + inline metrics + args      → metrics, argument values
//	Compile    metrics                                → plans, or errors a user can act on
//	Render     plan + variables + time in the step    → query text, proved to be shaped as declared
//	Evaluate   plan + result or error                 → measurement
//	Judge      metric + counts + measurement          → counts, verdict, sentence
//	Combine    all metrics of the step                → verdict, sentence
//
// # Laws
//
//   - Pure: no client, no clock, no randomness. The same input gives the same verdict, so a
//     controller that restarts arrives where it was.
//   - No data is neither zero nor failure. No combination of missing data gives Pass, and missing
//     data alone never gives Fail unless the metric says required. A source that does not answer
//     never gives Fail.
//   - A verdict Pass belongs to one step. Counts start afresh at the next weight.
//   - A value that is put into a query cannot change what the query asks (see Render).
//   - Texts of errors and messages may stand in a status: no addresses, ports or ids, and two
//     equal situations give the same text.
package analysis

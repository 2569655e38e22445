// Package ticks reads what canary and stable did, tick by tick, as CSV or as JSON lines that a person or a
// program wrote.
//
// Vocabulary: a record is one line; a tick is one record (wide form) or the records of both arms with the same time
// (long form).
//
//	time,canary_requests,canary_errors,stable_requests,stable_errors,weight     wide
//	time,arm,requests,errors,weight                                             long
//	canary_le_0.1,canary_le_+Inf,stable_le_0.1,stable_le_+Inf                   latency, in either form
//
// Laws:
//   - memory does not grow with the input;
//   - nothing is guessed: what cannot be a count is refused with the line, the column, the value and what is allowed.
package ticks

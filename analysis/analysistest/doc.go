// Package analysistest is the contract that every metric provider keeps: what an answer looks
// like, which error is of which kind, and that a query can be ended. A provider's own tests bring
// a source that behaves as asked (Source), and Run does the rest; RunReader does it for those that
// return raw samples.
package analysistest

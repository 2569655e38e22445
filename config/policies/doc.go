// Package policies has the admission policies as they are shipped. Its tests give them objects and intents that say
// anything, evaluated in memory by the API server's own library.
package policies

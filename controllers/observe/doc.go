// Package observe reads everything that a decision may depend on into one value. All reads of the controller are here;
// they go to caches, except for the proof of Guarded, which only the API server can give.
//
// A source that cannot be read makes the whole observation fail: it is never silently empty. What a person has to change
// becomes a Problem of the observed Rollout, with the field, the value and the way out.
package observe

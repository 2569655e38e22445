// Package gitserver is a Git server for stories: bare repositories behind git's own http-backend, so that clones, partial
// clones and pushes are what they are with any hosting service, plus what a story has to do to a server: take it down, let
// somebody push first, refuse a push, count pushes, tell an agent of them.
//
// Pushes need the user and password of the repository; reading needs none. Pushes that are no fast-forward are refused.
//
// People of a story commit with Repository.Commit. It writes to the bare repository itself and so works while the server
// is down and is neither counted nor held by BeforePush; who listens to Pushed hears of it.
package gitserver

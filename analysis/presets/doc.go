// Package presets knows how gateways, meshes and applications report requests, so that a user names
// one of them and not a query:
//
//	compare: {preset: Traefik}
//
// A preset is three selectors, written as templates: of all requests that one arm answered, of those
// that were bad (answered with 5xx), and of how long they took. Each arm's series are found by its
// Service or by its revision; .Service and .Revision are the arm's own.
//
// Names and labels are those that the projects document. testdata holds what each of them writes, and
// a test looks for canary and stable in it. docs/concepts/presets.md is the page for users.
package presets

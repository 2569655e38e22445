// Command generate turns the plain manifests in config/ (CRDs, RBAC, admission policies) into templates of the Helm chart,
// so that there is one source of each and the chart is what is tested.
//
// It works on text and not on objects, because the comments in the manifests are for whoever reads the chart as well. Three
// things change: braces that a template engine would read as its own are escaped, the controller's namespace and service
// account become the release's, and every file stands behind the value that switches it off.
//
// Run it in the repository's root: go run ./config/generate
package main

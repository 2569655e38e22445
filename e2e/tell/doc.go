// Package tell is for telling stories: a Story is a shop and the test in which it is told. What is done in it and what is
// waited for is in story.go; what has to come of it is beside that: requests and pods (requests.go), commits (git.go),
// who got the traffic and for how long (shares.go), and that nothing is left at the end (rest.go).
//
// A story sees what users see: the API server, Git, the answers to requests. It knows no code of the controller.
package tell

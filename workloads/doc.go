// Package workloads is about pods: how a workload is held, how a canary is made beside it, and how the workload takes
// the canary's pods over.
//
// A revision is one pod template, compared on live objects as the workload's own controller compares. The canary is made
// in such a way that the workload can adopt it: nothing restarts at the hand-over.
//
// Laws: nothing here reduces the stable revision; a template is copied from the stored object in its unstructured form,
// because a typed copy would drop fields that it does not know and would never be equal again.
package workloads

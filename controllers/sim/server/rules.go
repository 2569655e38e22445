package server

import (
	"strings"
)

func plural(kind string) string { return strings.ToLower(kind) + "s" }

func specCounts(next, old content) bool { return !equal(next["spec"], old["spec"]) }

// deploymentCounts: annotations of a Deployment go to its ReplicaSets, so they count too.
func deploymentCounts(next, old content) bool {
	return specCounts(next, old) || !equal(metadata(next)["annotations"], metadata(old)["annotations"])
}

// endpointsCount: an EndpointSlice has no spec; everything but metadata counts, and labels.
func endpointsCount(next, old content) bool {
	for _, key := range []string{"addressType", "endpoints", "ports"} {
		if !equal(next[key], old[key]) {
			return true
		}
	}
	return !equal(metadata(next)["labels"], metadata(old)["labels"])
}

func fixedLabels(next, old content) { keep(metadata(next), metadata(old), "labels") }

func fixedOwners(next, old content) {
	keep(metadata(next), metadata(old), "ownerReferences")
	status, _ := next["status"].(content)
	if before, _ := old["status"].(content); status != nil && text(status, "qosClass") == "" {
		keep(status, before, "qosClass")
	}
}

func emptyStatus(object content) { object["status"] = content{} }

func emptyReplicas(object content) { object["status"] = content{"replicas": int64(0)} }

func noLoadBalancer(object content) { object["status"] = content{"loadBalancer": content{}} }

func pendingPod(object content) {
	object["status"] = content{"phase": "Pending", "qosClass": quality(object)}
}

func activeNamespace(object content) {
	object["status"] = content{"phase": "Active"}
	object["spec"] = content{"finalizers": []any{"kubernetes"}}
}

// quality is the class of service that a pod's requests and limits give it.
func quality(pod content) string {
	spec, _ := pod["spec"].(content)
	containers, _ := spec["containers"].([]any)
	best, guaranteed := true, true
	for _, c := range containers {
		c, _ := c.(content)
		resources, _ := c["resources"].(content)
		limits, _ := resources["limits"].(content)
		requests, _ := resources["requests"].(content)
		best = best && len(limits) == 0 && len(requests) == 0
		guaranteed = guaranteed && limits["cpu"] != nil && limits["memory"] != nil && equal(limits, requests)
	}
	switch {
	case best:
		return "BestEffort"
	case guaranteed:
		return "Guaranteed"
	}
	return "Burstable"
}

// anyName: a name need only fit into a path.
func anyName(string, bool) []string { return nil }

func equalButMetadata(next, old content) bool {
	for _, object := range []content{next, old} {
		for key := range object {
			if key != "metadata" && key != "status" && !equal(next[key], old[key]) {
				return false
			}
		}
	}
	return true
}

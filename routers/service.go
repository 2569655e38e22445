package routers

import (
	"fmt"
	"regexp"
	"strconv"
)

// Pin is the intent on a Service: it selects only pods that carry Key=Value.
type Pin struct {
	Fence
	// Key is pod-template-hash or controller-revision-hash.
	Key, Value string
}

var pinSyntax = regexp.MustCompile(`^([0-9]{1,9})\.([0-9]{1,9})/(pod-template-hash|controller-revision-hash)=([a-z0-9-]{1,63})$`)

// ParsePin reads an intent. Anything that is not one in every detail counts as absent.
func ParsePin(value string) (Pin, bool) {
	m := pinSyntax.FindStringSubmatch(value)
	if m == nil {
		return Pin{}, false
	}
	p := Pin{Key: m[3], Value: m[4]}
	p.Attempt, _ = strconv.ParseInt(m[1], 10, 64)
	p.Sequence, _ = strconv.ParseInt(m[2], 10, 64)
	return p, true
}

func (p Pin) String() string { return fmt.Sprintf("%s/%s=%s", p.Fence, p.Key, p.Value) }

// ServiceState is a Service in front of the workload's pods, as it is stored.
type ServiceState struct {
	Name            string
	ResourceVersion string
	// Pin is the intent that is written; nil: none.
	Pin *Pin
	// Pinned: the selector carries the pin.
	Pinned bool
	// Ready counts ready endpoints by revision (pod-template-hash).
	Ready map[string]int32
	// Foreign counts ready endpoints whose pods are not the workload's.
	Foreign int32
	// Terminating counts endpoints that are going away, by revision.
	Terminating map[string]int32
	// ContestedBy is who last tried to undo the pin.
	ContestedBy string
}

// CanaryServiceState is the Service of the canary's own pods.
type CanaryServiceState struct {
	Found bool
	// Foreign: an object of that name exists and is not ours.
	Foreign bool
	// Revision that it selects.
	Revision string
	// Ready counts its ready endpoints that belong to that revision.
	Ready int32
	// Current: it says what the user's Service says (ports, affinity, …).
	Current bool
	// Named: a route of the namespace names it, whoever wrote that: without it the route would answer with errors.
	Named bool
}

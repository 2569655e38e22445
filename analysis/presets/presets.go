package presets

import (
	"fmt"
	"slices"
	"strings"
)

// Preset is how one source reports the requests of an arm.
type Preset struct {
	// Name that users write.
	Name string
	// Requests and Errors are counters, Latency is a histogram. Empty: the source has none.
	Requests, Errors, Latency string
	// Unit of Latency: s or ms.
	Unit string
	// PodLabel names the pod that answered. Empty: the series do not tell.
	PodLabel string
	// Needs is what has to be set up so that the series are there, in one sentence. Empty: nothing.
	Needs string
	// Cannot is what the source does not tell, in one sentence. Empty: nothing that matters.
	Cannot string
	// Refused says why the source cannot compare canary with stable at all, and what to use instead.
	Refused string
	// Page where the project documents it.
	Page string
}

// Get returns the preset of a name. The error names those that can be used.
func Get(name string) (Preset, error) {
	list := All()
	i := slices.IndexFunc(list, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, fmt.Errorf("%q is unknown: use one of %s", name, strings.Join(Names(), ", "))
	}
	if list[i].Refused != "" {
		return Preset{}, fmt.Errorf("%s cannot be used: %s", name, list[i].Refused)
	}
	return list[i], nil
}

// Names of the presets that can be used.
func Names() []string {
	var names []string
	for _, p := range All() {
		if p.Refused == "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// All presets, also those that are refused, in the order of the documentation.
func All() []Preset {
	return []Preset{envoyGateway(), istio(), traefik(), nginxGatewayFabric(), cilium(), linkerd(), kong(), podLabel()}
}

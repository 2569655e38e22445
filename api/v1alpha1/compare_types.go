package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Compare judges canary against stable by counters of both, validly at any look.
//
// +kubebuilder:validation:XValidation:rule="[has(self.requests), has(self.histogram), has(self.preset)].filter(given, given).size() == 1",message="exactly one of requests, histogram and preset is given"
// +kubebuilder:validation:XValidation:rule="has(self.requests) == has(self.errors)",message="requests and errors are given together"
type Compare struct {
	// requests selects the counter of requests that ended, for one arm: a selector like
	// http_requests_total{service="{{ .Service }}"}. It is read once for the canary and once for stable, with .Service,
	// .Revision and .Arm as those of the arm, and with the other variables of a query.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Requests string `json:"requests,omitempty"`
	// errors selects the part of requests that was bad.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Errors string `json:"errors,omitempty"`
	// histogram selects a latency histogram of one arm: the name without _bucket. Classic and native ones.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Histogram string `json:"histogram,omitempty"`
	// preset: requests, errors and latency as a gateway or mesh reports them. It becomes two metrics, "<name>" for errors and
	// "<name> latency".
	// +optional
	// +kubebuilder:validation:Enum=EnvoyGateway;Istio;Traefik;NGINXGatewayFabric;Cilium;Linkerd;Kong;PodLabel
	Preset string `json:"preset,omitempty"`
	// marginPercent is what still counts as not worse, relative to stable: 10 (default) is up to 1.1 times its share of bad
	// requests, or its latency.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	MarginPercent *int32 `json:"marginPercent,omitempty"`
	// marginAbsolute is a share of bad requests, 0 to 0.5, that still counts as not worse. Default "0.0005": three stray
	// errors are no reason.
	// +optional
	// +kubebuilder:default="0.0005"
	// +kubebuilder:validation:MaxLength=11
	// +kubebuilder:validation:Pattern=`^0(\.[0-9]{1,9})?$`
	// +kubebuilder:validation:XValidation:rule="double(self) <= 0.5",message="marginAbsolute must be between 0 and 0.5"
	MarginAbsolute string `json:"marginAbsolute,omitempty"`
	// alpha bounds the probability that a canary within the margin is ever rejected by this metric, 0.000001 to 0.2.
	// Default "0.01".
	// +optional
	// +kubebuilder:default="0.01"
	// +kubebuilder:validation:MaxLength=11
	// +kubebuilder:validation:Pattern=`^0\.[0-9]{1,9}$`
	// +kubebuilder:validation:XValidation:rule="double(self) >= 0.000001 && double(self) <= 0.2",message="alpha must be between 0.000001 and 0.2"
	Alpha string `json:"alpha,omitempty"`
	// noTrafficDeadline: a canary without a request for so long is Inconclusive. Default 10m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="noTrafficDeadline must be between 10s and 24h"
	NoTrafficDeadline *metav1.Duration `json:"noTrafficDeadline,omitempty"`
	// allowNeverSeen: an errors selector that matched nothing in either arm for seven days may give a Pass. Without it that
	// is taken for a typo.
	// +optional
	AllowNeverSeen bool `json:"allowNeverSeen,omitempty"`
	// podLabel is the label of the series that names the pod of the application: stable's pods tell how much equal pods
	// differ. Default: the preset's; without one a dispersion is assumed.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^([a-zA-Z_][a-zA-Z0-9_]*)?$`
	PodLabel string `json:"podLabel,omitempty"`
}

// ComparisonStatus is what a comparison says at its last tick. Numbers that are no integers are text, as people read them.
type ComparisonStatus struct {
	// since is where the grid of ticks is anchored, tickSeconds how long a tick is, ticks how many were judged.
	Since       metav1.Time `json:"since"`
	TickSeconds int32       `json:"tickSeconds"`
	Ticks       int64       `json:"ticks"`
	// canaryRequests and the others count since the attempt's first tick.
	CanaryRequests int64 `json:"canaryRequests"`
	CanaryBad      int64 `json:"canaryBad"`
	StableRequests int64 `json:"stableRequests"`
	StableBad      int64 `json:"stableBad"`
	// excessBad is how many bad requests of the canary would not have been bad at stable, at stable's share.
	ExcessBad int64 `json:"excessBad"`
	// cost says that in words; empty for latencies.
	// +optional
	Cost string `json:"cost,omitempty"`
	// logE is the natural logarithm of the evidence that the canary is worse than the margin; it fails at logThreshold.
	LogE         string `json:"logE"`
	LogThreshold string `json:"logThreshold"`
	// logAccept is that of the evidence, at this weight, that it is within the margin.
	LogAccept string `json:"logAccept"`
	// lower and upper bound the excess of the canary's share of bad requests, at any look.
	Lower string `json:"lower"`
	Upper string `json:"upper"`
	// phi and noise are the dispersion that the evidence allows for; assumed says that stable's pods could not be told apart.
	Phi     string `json:"phi"`
	Noise   string `json:"noise"`
	Assumed bool   `json:"assumed,omitempty"`
	// neverSeen: no error was seen in either arm, so the selector of errors may be a typo.
	// +optional
	NeverSeen bool `json:"neverSeen,omitempty"`
	// frozen: stable has no traffic left to compare with; the verdict is that of the last weight.
	Frozen bool `json:"frozen,omitempty"`
}

// Exposure is a weight that an attempt reached.
type Exposure struct {
	Step           int32 `json:"step"`
	WeightPermille int32 `json:"weightPermille"`
	// pods is how many canary pods the step asks for.
	Pods int32 `json:"pods,omitempty"`
	// since is when the step's clock first started.
	Since metav1.MicroTime `json:"since"`
}

// Gauge judges whether a quantity that every pod reports at all times (memory, CPU, the depth of a queue) is higher at the
// canary than at stable: a rank test at few looks.
type Gauge struct {
	// selector of the series of one arm's pods, like process_resident_memory_bytes{pod=~"shop-{{ .Revision }}-.+"}. It is read
	// once for the canary and once for stable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Selector string `json:"selector"`
	// rate: the series is a counter, and how fast it grows is the quantity: container_cpu_usage_seconds_total.
	// +optional
	Rate bool `json:"rate,omitempty"`
	// podLabel is the label that names the pod. Series of one pod are added up. Default pod.
	// +optional
	// +kubebuilder:default=pod
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_][a-zA-Z0-9_]*$`
	PodLabel string `json:"podLabel,omitempty"`
	// marginPercent is how much higher than stable still counts as not higher. Default 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	MarginPercent *int32 `json:"marginPercent,omitempty"`
	// marginAbsolute, in the unit of the series, is added to that. Default "0".
	// +optional
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^[0-9]{1,15}(\.[0-9]{1,9})?$`
	MarginAbsolute string `json:"marginAbsolute,omitempty"`
	// alpha bounds the probability that a canary within the margin is ever rejected, 0.000001 to 0.2. Default "0.01".
	// +optional
	// +kubebuilder:default="0.01"
	// +kubebuilder:validation:MaxLength=11
	// +kubebuilder:validation:Pattern=`^0\.[0-9]{1,9}$`
	// +kubebuilder:validation:XValidation:rule="double(self) >= 0.000001 && double(self) <= 0.2",message="alpha must be between 0.000001 and 0.2"
	Alpha string `json:"alpha,omitempty"`
}

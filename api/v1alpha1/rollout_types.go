package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Rollout guards every release of one workload: it holds a new pod template, splits traffic step by step, judges, and
// either hands the canary pods over to the workload or sends all traffic back to stable and reverts the change in Git.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=blro,categories=belay
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Step",type=string,JSONPath=`.status.step`
// +kubebuilder:printcolumn:name="Weight",type=string,JSONPath=`.status.weight`
// +kubebuilder:printcolumn:name="Canary",type=string,JSONPath=`.status.canary.image`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Stable",type=string,priority=1,JSONPath=`.status.stable.image`
// +kubebuilder:printcolumn:name="Guarded",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Guarded")].status`
// +kubebuilder:printcolumn:name="Reverted",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="GitReverted")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 50",message="metadata.name: at most 50 characters, because names of owned objects are made from it"
type Rollout struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says what is guarded and how.
	// +required
	Spec RolloutSpec `json:"spec"`
	// status is what the controller saw, decided and remembers.
	// +optional
	Status RolloutStatus `json:"status,omitempty"`
}

// RolloutSpec is what a user declares in Git, next to the workload.
type RolloutSpec struct {
	// workloadRef names the Deployment in the same namespace that this Rollout guards. It stays an ordinary Deployment.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="workloadRef is immutable: delete this Rollout and make one for the other workload"
	WorkloadRef WorkloadReference `json:"workloadRef"`

	// services are the Services in front of the workload whose share of traffic is split. Every other Service that
	// selects the workload's pods is pinned to stable while an attempt runs.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1
	// +listType=map
	// +listMapKey=name
	Services []ServiceReference `json:"services"`

	// routes are the routes in the same namespace that send traffic to the services.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	Routes []RouteReference `json:"routes"`

	// strategy says how a new revision takes over.
	// +required
	Strategy Strategy `json:"strategy"`

	// analysis says what is measured and when a release is bad. Without it a release is judged by its pods alone.
	// +optional
	Analysis *Analysis `json:"analysis,omitempty"`

	// git says where the workload is declared, so that a failed revision can be taken out of Git by a commit. Without it
	// traffic still goes back to stable.
	// +optional
	Git *Git `json:"git,omitempty"`

	// progressDeadline bounds every wait on pods and routes; when it is over the attempt is aborted. Default 10m.
	// +optional
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="progressDeadline must be between 1s and 24h"
	ProgressDeadline *metav1.Duration `json:"progressDeadline,omitempty"`

	// ignoreTemplateChanges lists pod template annotations whose change is no release.
	// Default [kubectl.kubernetes.io/restartedAt], so that `kubectl rollout restart` stays what it is.
	// +optional
	// +kubebuilder:default={"kubectl.kubernetes.io/restartedAt"}
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9A-Z./_-]+$`
	// +listType=set
	IgnoreTemplateChanges []string `json:"ignoreTemplateChanges,omitempty"`

	// suspend stops progress: nothing advances, an attempt in flight is still judged and may still be aborted.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// WorkloadReference names a workload in the Rollout's namespace.
type WorkloadReference struct {
	// apiVersion of the workload. Default apps/v1.
	// +optional
	// +kubebuilder:default="apps/v1"
	// +kubebuilder:validation:MaxLength=64
	APIVersion string `json:"apiVersion,omitempty"`
	// kind of the workload: Deployment.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// name of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
}

// ServiceReference names a Service in the Rollout's namespace.
type ServiceReference struct {
	// name of the Service.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
}

// RouteReference names a route in the Rollout's namespace.
type RouteReference struct {
	// group of the route's kind. Default gateway.networking.k8s.io.
	// +optional
	// +kubebuilder:default="gateway.networking.k8s.io"
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
	// kind of the route: HTTPRoute.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// name of the route.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Git says where the workload is declared.
type Git struct {
	// repository is the name of a Repository in the controller's namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Repository string `json:"repository"`
	// branch that the GitOps agent follows.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Branch string `json:"branch"`
	// path is the directory whose files are the inputs of this workload, relative to the repository's root.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(p, p == '..')",message="path is relative to the repository's root and must not contain '..'"
	Path string `json:"path"`
	// mode: Push commits the revert to the branch, Off never writes. The stricter of this and the Repository's wins.
	// +optional
	// +kubebuilder:default=Push
	// +kubebuilder:validation:Enum=Push;Off
	Mode GitMode `json:"mode,omitempty"`
	// maxAge: a failure older than this is no longer reverted. Default 1h.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="maxAge must be at least 1m"
	MaxAge *metav1.Duration `json:"maxAge,omitempty"`
}

// GitMode says how a revert is written.
type GitMode string

// The ways to write a revert, from the most to the least.
const (
	GitModePush GitMode = "Push"
	GitModeOff  GitMode = "Off"
)

// RolloutList is a list of Rollouts.
//
// +kubebuilder:object:root=true
type RolloutList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Rollout `json:"items"`
}

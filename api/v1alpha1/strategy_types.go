package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Strategy says how a new revision takes over: exactly one of its fields.
//
// +kubebuilder:validation:ExactlyOneOf=canary
type Strategy struct {
	// canary shifts traffic step by step.
	// +optional
	Canary *Canary `json:"canary,omitempty"`
}

// Canary shifts traffic from stable to canary step by step.
type Canary struct {
	// steps are the ladder, from the first exposure to 100 %. Weights never fall. A ladder that ends lower than 100 gets
	// {weight: 100, bake: 0s} appended, visibly in the status.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	Steps []Step `json:"steps"`

	// handOver: Full brings all canary pods up before the workload takes them over, so that not one of them restarts.
	// +optional
	// +kubebuilder:default=Full
	// +kubebuilder:validation:Enum=Full
	HandOver HandOver `json:"handOver,omitempty"`

	// settle is the data-plane lag granted after a route reports a change as programmed. Default 3s.
	// +optional
	// +kubebuilder:default="3s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('10m')",message="settle must be between 0s and 10m"
	Settle *metav1.Duration `json:"settle,omitempty"`
}

// HandOver says how the workload takes the canary pods over.
type HandOver string

// HandOverFull brings all canary pods up first.
const HandOverFull HandOver = "Full"

// Step is one rung of the ladder: exactly one of weight, weightPermille and approve.
//
// +kubebuilder:validation:ExactlyOneOf=weight;weightPermille;approve
// +kubebuilder:validation:XValidation:rule="!has(self.approve) || (!has(self.bake) && !has(self.replicas))",message="an approve step has neither bake nor replicas"
type Step struct {
	// weight is the canary's share of traffic in percent, 0 to 100.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Weight *int32 `json:"weight,omitempty"`
	// weightPermille is the same in thousandths, 0 to 1000, where percent is too coarse.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	WeightPermille *int32 `json:"weightPermille,omitempty"`
	// bake is the least time that the step lasts, counted while its weight is programmed and its pods are ready.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('168h')",message="bake must be between 0s and 168h"
	Bake *metav1.Duration `json:"bake,omitempty"`
	// replicas of the canary at this step, as a number or a percentage of the workload's. Default: the step's share,
	// rounded up, at least one.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:Pattern=`^([1-9][0-9]?|100)%$`
	Replicas *intstr.IntOrString `json:"replicas,omitempty"`
	// approve waits for a person to say `kubectl belay promote`.
	// +optional
	Approve *Approve `json:"approve,omitempty"`
}

// Approve waits for a person.
type Approve struct {
	// timeout after which onTimeout applies. Default 24h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="timeout must be between 1s and 720h"
	Timeout *metav1.Duration `json:"timeout,omitempty"`
	// onTimeout: Abort (default) or Continue.
	// +optional
	// +kubebuilder:default=Abort
	// +kubebuilder:validation:Enum=Abort;Continue
	OnTimeout TimeoutAction `json:"onTimeout,omitempty"`
}

// TimeoutAction says what happens when nobody answered.
type TimeoutAction string

// What happens when nobody answered.
const (
	TimeoutAbort    TimeoutAction = "Abort"
	TimeoutContinue TimeoutAction = "Continue"
)

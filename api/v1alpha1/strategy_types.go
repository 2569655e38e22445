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

// Canary shifts traffic from stable to canary, by steps that are written down or by a ramp that finds its own.
//
// +kubebuilder:validation:XValidation:rule="has(self.steps) != has(self.ramp)",message="exactly one of steps and ramp is given"
type Canary struct {
	// steps are the ladder, from the first exposure to 100 %. Weights never fall. A ladder that ends lower than 100 gets
	// {weight: 100, bake: 0s} appended, visibly in the status.
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	Steps []Step `json:"steps,omitempty"`

	// ramp instead of steps: each weight is chosen by what the comparisons have ruled out so far. It needs a compare metric
	// with requests and errors.
	// +optional
	Ramp *Ramp `json:"ramp,omitempty"`

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

// Ramp raises the weight as fast as the evidence allows: no higher than the weight at which the canary, were it as bad as the
// evidence still allows, would make more requests bad than the budget. Each weight lasts 30 s at least and is at most twice
// the one before.
//
// +kubebuilder:validation:XValidation:rule="self.from <= self.to",message="from must not be above to"
type Ramp struct {
	// from is the first weight in percent, at most 99: at 100 there is nothing to compare with.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	From int32 `json:"from,omitempty"`
	// to is the highest weight in percent at which canary and stable are compared. 100 follows when the budget allows it there.
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	To int32 `json:"to,omitempty"`
	// budgetPermille is how many of a thousand requests may be made bad, at most. Default 2.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	BudgetPermille int32 `json:"budgetPermille,omitempty"`
	// maxDuration: a ramp that has not come to its end after so long is Inconclusive. Default 30m.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('168h')",message="maxDuration must be between 1m and 168h"
	MaxDuration *metav1.Duration `json:"maxDuration,omitempty"`
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

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Analysis says what is measured during an attempt.
type Analysis struct {
	// interval between two measurements of a metric that names none. Default 10s.
	// +optional
	// +kubebuilder:default="10s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="interval must be between 1s and 1h"
	Interval *metav1.Duration `json:"interval,omitempty"`
	// startAt is the step (1-based) from which metrics run. Default 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	StartAt int32 `json:"startAt,omitempty"`
	// provider is a named Prometheus of the controller's configuration; empty: the default.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Provider string `json:"provider,omitempty"`
	// templates whose metrics run.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	Templates []TemplateReference `json:"templates,omitempty"`
	// args give values to the templates' arguments.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	Args []Argument `json:"args,omitempty"`
	// metrics given inline; the same items as in a template.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	Metrics []Metric `json:"metrics,omitempty"`
	// stepDeadline: a step that has no Pass after this time is Inconclusive. 0 (default): three times its bake, and at
	// least long enough for every metric to be measured four times.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('720h')",message="stepDeadline must be between 0s and 720h"
	StepDeadline *metav1.Duration `json:"stepDeadline,omitempty"`
	// onInconclusive: Pause (default) waits for a person, Abort goes back to stable. Neither writes to Git.
	// +optional
	// +kubebuilder:default=Pause
	// +kubebuilder:validation:Enum=Pause;Abort
	OnInconclusive InconclusiveAction `json:"onInconclusive,omitempty"`
}

// InconclusiveAction says what an inconclusive verdict leads to.
type InconclusiveAction string

// What an inconclusive verdict leads to.
const (
	InconclusivePause InconclusiveAction = "Pause"
	InconclusiveAbort InconclusiveAction = "Abort"
)

// TemplateReference names an AnalysisTemplate or a ClusterAnalysisTemplate.
type TemplateReference struct {
	// name of the template.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// kind: AnalysisTemplate (default, same namespace) or ClusterAnalysisTemplate.
	// +optional
	// +kubebuilder:default=AnalysisTemplate
	// +kubebuilder:validation:Enum=AnalysisTemplate;ClusterAnalysisTemplate
	Kind string `json:"kind,omitempty"`
}

// Argument is a named value for queries, read as {{ .Args.<name> }}.
type Argument struct {
	// name of the argument.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Name string `json:"name"`
	// value. In a template: the default; left out there, a Rollout must give one. It is escaped as PromQL string content.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Value *string `json:"value,omitempty"`
}

// Metric is one thing that is measured and judged.
//
// +kubebuilder:validation:ExactlyOneOf=prometheus;compare;gauge
// +kubebuilder:validation:XValidation:rule="!has(self.prometheus) || has(self.successCondition) || has(self.failureCondition)",message="a metric needs successCondition, failureCondition or both"
// +kubebuilder:validation:XValidation:rule="has(self.prometheus) || !(has(self.successCondition) || has(self.failureCondition) || has(self.initialDelay) || has(self.count) && self.count > 0 || has(self.failureLimit) && self.failureLimit > 0 || has(self.consecutiveFailureLimit) && self.consecutiveFailureLimit > 0 || has(self.consecutiveSuccessLimit) && self.consecutiveSuccessLimit > 0)",message="conditions, initialDelay, count and limits of failures and successes belong to a prometheus metric"
type Metric struct {
	// name of the metric, unique in the attempt.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9 _.-]*[A-Za-z0-9])?$`
	Name string `json:"name"`
	// prometheus is a query whose result the conditions judge.
	// +optional
	Prometheus *PrometheusQuery `json:"prometheus,omitempty"`
	// compare judges the canary against stable by counters.
	// +optional
	Compare *Compare `json:"compare,omitempty"`
	// gauge judges the canary against stable by what every pod reports at all times.
	// +optional
	Gauge *Gauge `json:"gauge,omitempty"`
	// successCondition is a CEL expression over result (a double, or a list of doubles), with isNaN(), isInf() and
	// default(). Without it, success is the opposite of failureCondition.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	SuccessCondition string `json:"successCondition,omitempty"`
	// failureCondition likewise. Without it, failure is the opposite of successCondition. With both given and neither
	// true the measurement is inconclusive.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	FailureCondition string `json:"failureCondition,omitempty"`
	// interval between two measurements. Default: the analysis' interval.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="interval must be between 1s and 1h"
	Interval *metav1.Duration `json:"interval,omitempty"`
	// initialDelay from the start of the step's clock to the first measurement. Default 0s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('168h')",message="initialDelay must be between 0s and 168h"
	InitialDelay *metav1.Duration `json:"initialDelay,omitempty"`
	// count of measurements in a step; 0 (default): as long as the step lasts.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	Count int32 `json:"count,omitempty"`
	// failureLimit: more failed measurements than this in one step are a Fail. Default 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	FailureLimit int32 `json:"failureLimit,omitempty"`
	// consecutiveFailureLimit: this many failed measurements in a row are a Fail. Where it is set, failureLimit counts only
	// when above 0. 0: off.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	ConsecutiveFailureLimit int32 `json:"consecutiveFailureLimit,omitempty"`
	// consecutiveSuccessLimit: this many successful measurements in a row are a Pass of the step's metric. 0: off.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	ConsecutiveSuccessLimit int32 `json:"consecutiveSuccessLimit,omitempty"`
	// inconclusiveLimit: more inconclusive measurements than this in one step are Inconclusive. Default 3.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	InconclusiveLimit *int32 `json:"inconclusiveLimit,omitempty"`
	// consecutiveErrorLimit: more measurements without data or with an error in a row than this are Inconclusive, or a
	// Fail when the metric is required. Default 4.
	// +optional
	// +kubebuilder:default=4
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	ConsecutiveErrorLimit *int32 `json:"consecutiveErrorLimit,omitempty"`
	// required: persistent absence of data is a failure. Default false: it is Inconclusive, as always when the source does
	// not answer.
	// +optional
	Required bool `json:"required,omitempty"`
	// dryRun: measured and shown, does not count.
	// +optional
	DryRun bool `json:"dryRun,omitempty"`
}

// PrometheusQuery is an instant query.
type PrometheusQuery struct {
	// query in PromQL, with {{ .Namespace }}, {{ .Name }}, {{ .Service }}, {{ .Revision }}, {{ .Arm }}, {{ .Interval }},
	// {{ .Since }} and {{ .Args.<name> }}. .Service and .Revision are the canary's. Every value is escaped as PromQL
	// string content.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8192
	Query string `json:"query"`
}

// AnalysisTemplateSpec is a list of metrics with arguments.
type AnalysisTemplateSpec struct {
	// args of the queries. One without a value must be given by the Rollout.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	Args []Argument `json:"args,omitempty"`
	// metrics that are measured.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	Metrics []Metric `json:"metrics"`
}

// AnalysisTemplate is a reusable list of metrics for Rollouts of its namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:categories=belay
// +kubebuilder:printcolumn:name="Metrics",type=string,JSONPath=`.spec.metrics[*].name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AnalysisTemplate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec AnalysisTemplateSpec `json:"spec"`
}

// AnalysisTemplateList is a list of AnalysisTemplates.
//
// +kubebuilder:object:root=true
type AnalysisTemplateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AnalysisTemplate `json:"items"`
}

// ClusterAnalysisTemplate is an AnalysisTemplate for every namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,categories=belay
// +kubebuilder:printcolumn:name="Metrics",type=string,JSONPath=`.spec.metrics[*].name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ClusterAnalysisTemplate struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec AnalysisTemplateSpec `json:"spec"`
}

// ClusterAnalysisTemplateList is a list of ClusterAnalysisTemplates.
//
// +kubebuilder:object:root=true
type ClusterAnalysisTemplateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterAnalysisTemplate `json:"items"`
}

// Package v1alpha1 holds the API of Belay: Rollout, AnalysisTemplate, ClusterAnalysisTemplate and Repository.
//
// A field exists here only when the controller does what it says; an unknown field is refused by strict decoding.
// Vocabulary: a revision is one pod template of the workload; stable is the revision that passed, canary the one under
// judgement; an attempt is one try to bring one canary revision to 100 %.
//
// +kubebuilder:object:generate=true
// +groupName=belay.dev
package v1alpha1

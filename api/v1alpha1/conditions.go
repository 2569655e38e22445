package v1alpha1

// Types of conditions.
const (
	ConditionReady           = "Ready"           // as kstatus reads it: at rest and nothing wrong
	ConditionReconciling     = "Reconciling"     // something goes on by itself
	ConditionStalled         = "Stalled"         // a person has to do something
	ConditionGuarded         = "Guarded"         // proved: a new template is held
	ConditionTrafficReady    = "TrafficReady"    // routes are programmed as written
	ConditionAnalysisHealthy = "AnalysisHealthy" // metrics can be measured
	ConditionGitReverted     = "GitReverted"     // the failed revision was taken out of Git
)

package v1alpha1

// Labels and annotations. Intents are one annotation on the object that they change; admission policies derive the
// in-flight form from them on every write by anyone.
const (
	// LabelRollout on a workload names the Rollout that governs it.
	LabelRollout = "belay.dev/rollout"
	// LabelCanaryOf on a canary Service names the Service whose share it takes.
	LabelCanaryOf = "belay.dev/canary-of"
	// LabelAttempt marks the ConfigMap with the parameters of an attempt.
	LabelAttempt = "belay.dev/attempt"

	// AnnotationHold on a workload: "<attempt>.<sequence>/<saved paused>".
	AnnotationHold = "belay.dev/hold"
	// AnnotationPin on a Service: "<attempt>.<sequence>/<label key>=<value>".
	AnnotationPin = "belay.dev/pin"
	// AnnotationSplit on a route: "<attempt>.<sequence>/<service>/<canary service>/<weight>/<scale>".
	AnnotationSplit = "belay.dev/split"
	// AnnotationContestedBy names the last foreign writer who tried to undo an intent.
	AnnotationContestedBy = "belay.dev/contested-by"
	// AnnotationIgnore on a workload lists the pod template annotations whose change is no release.
	AnnotationIgnore = "belay.dev/ignore-template-changes"
	// AnnotationBypass on a workload lets one template change through; its value is the reason.
	AnnotationBypass = "belay.dev/bypass"
	// AnnotationBypassed is the reason that was used up.
	AnnotationBypassed = "belay.dev/bypassed"
	// AnnotationHeld on a held workload says in one sentence what to run.
	AnnotationHeld = "belay.dev/held"
	// AnnotationCalledOff on the ReplicaSet of a canary that is not to be handed over: "<attempt>.<sequence>".
	AnnotationCalledOff = "belay.dev/called-off"
	// AnnotationRequest on a Rollout: "<verb> <revision> <token>".
	AnnotationRequest = "belay.dev/request"
	// AnnotationRequestedBy is the user who wrote the request; set by admission.
	AnnotationRequestedBy = "belay.dev/requested-by"
	// AnnotationSourceRevision on a workload is the Git commit that it was applied from, where an agent says so.
	AnnotationSourceRevision = "belay.dev/source-revision"

	// Finalizer of a Rollout: takes everything of ours off before it goes.
	Finalizer = "belay.dev/rollout"
)

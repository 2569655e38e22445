package fidelity

// spoil makes a patch of the Rollout's spec that is refused, or is not.
func spoiling(s *run) {
	s.create(rollout)
	for _, spec := range []string{
		`{"workloadRef":{"kind":"Job"}}`,
		`{"workloadRef":{"name":"Not A Name"}}`,
		`{"services":[{"name":"web"},{"name":"web"}]}`,
		`{"services":[]}`,
		`{"strategy":{"canary":{"steps":[]}}}`,
		`{"strategy":{"canary":{"steps":[{"weight":5,"weightPermille":5}]}}}`,
		`{"strategy":{"canary":{"steps":[{"weight":50},{"weight":5}]}}}`,
		`{"strategy":{"canary":{"steps":[{"weight":101}]}}}`,
		`{"strategy":{"canary":{"steps":[{"weight":5,"bake":"soon"}]}}}`,
		`{"strategy":{"canary":{"steps":[{"weight":5,"bake":60}]}}}`,
		`{"strategy":{"canary":{"steps":[{"weight":5,"replicas":"half"}]}}}`,
		`{"strategy":{"canary":{"handOver":"Sudden"}}}`,
		`{"strategy":null}`,
		`{"routes":[{"kind":"Strange","name":"x"}]}`,
		`{"routes":null}`,
		`{"analysis":{"templates":[]}}`,
		`{"analysis":{"templates":[{"name":"a"},{"name":"a"}],"startAt":0}}`,
		`{"git":{"repository":"platform"}}`,
		`{"git":{"repository":"platform","branch":"main","path":"/apps"}}`,
		`{"progressDeadline":"-1m"}`,
		`{"ignoreTemplateChanges":["a","a"]}`,
		`{"suspend":null,"allowCoexistence":true}`,
	} {
		s.patch("Rollout", "web", merging, `{"spec":`+spec+`}`)
	}
	s.get("Rollout", "web")
	for _, manifest := range []string{
		`{apiVersion: belay.dev/v1alpha1, kind: AnalysisTemplate, metadata: {name: golden}, spec: {metrics: []}}`,
		`{apiVersion: belay.dev/v1alpha1, kind: AnalysisTemplate, metadata: {name: golden}, spec: {metrics: [{name: a}]}}`,
		`{apiVersion: belay.dev/v1alpha1, kind: AnalysisTemplate, metadata: {name: golden}, spec: {metrics: [{name: a, prometheus: {query: up}, successCondition: "result <"}]}}`,
		`{apiVersion: belay.dev/v1alpha1, kind: Repository, metadata: {name: platform}, spec: {url: "ftp://x"}}`,
		`{apiVersion: belay.dev/v1alpha1, kind: Repository, metadata: {name: platform}, spec: {}}`,
		`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web}, spec: {hostnames: ["*"], rules: [{matches: [{path: {type: Exact, value: x}}], backendRefs: [{name: web, port: 99999}]}]}}`,
		`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web}, spec: {parentRefs: [{name: a}, {name: a}]}}`,
		`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web}, spec: {rules: [{filters: [{type: RequestRedirect}], backendRefs: [{name: web, port: 80}]}]}}`,
		`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}`,
		`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: web}]}}}}`,
		`{apiVersion: v1, kind: Service, metadata: {name: web}}`,
		`{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 0}, {port: 80}]}}`,
		`{apiVersion: v1, kind: Service, metadata: {name: 1web}, spec: {ports: [{port: 80}, {port: 80}]}}`,
		`{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: []}}`,
		`{apiVersion: v1, kind: ConfigMap, metadata: {name: notes}, data: {"a b": c}}`,
	} {
		s.create(manifest)
	}
}

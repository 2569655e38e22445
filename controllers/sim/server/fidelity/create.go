package fidelity

import (
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const pod = `
apiVersion: v1
kind: Pod
metadata: {name: web-1, labels: {app: web}}
spec:
  containers: [{name: web, image: "registry/web", ports: [{containerPort: 80}], resources: {limits: {cpu: "1"}}, readinessProbe: {httpGet: {port: 80}}}]
  volumes: [{name: tmp}, {name: conf, configMap: {name: conf}}, {name: key, secret: {secretName: key}}]
`

func creating(s *run) {
	s.create(deployment)
	s.create(deployment)
	s.get("Deployment", "web")
	s.create(service)
	s.create(route)
	s.create(rollout)
	s.create(configMap)
	s.create(`{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {a: b}}`)
	s.create(pod)
	s.create(`
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-1, generation: 7, uid: mine, creationTimestamp: "2020-01-01T00:00:00Z"}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: web, image: "web:latest", env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}
status: {replicas: 3}
`)
	s.create(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: web-1}}]
ports: [{port: 80}]
`)
	s.create(`
apiVersion: v1
kind: Event
metadata: {name: told.1}
involvedObject: {kind: Deployment, name: web, namespace: ` + s.namespace + `}
reason: Step
message: went on
type: Normal
`)
	s.create(`{apiVersion: belay.dev/v1alpha1, kind: ClusterAnalysisTemplate, metadata: {name: ` + s.namespace + `}, spec: {metrics: [{name: errors, prometheus: {query: up}, successCondition: "result < 1"}]}}`)
	s.create(`{apiVersion: belay.dev/v1alpha1, kind: AnalysisTemplate, metadata: {name: golden}, spec: {metrics: [{name: errors, prometheus: {query: up}, successCondition: "result < 1"}]}}`)
	s.create(`{apiVersion: belay.dev/v1alpha1, kind: Repository, metadata: {name: platform}, spec: {url: "https://git.example/platform", access: [{namespaces: [shop], branches: [main], paths: ["apps/**"]}]}}`)
}

func creatingOddly(s *run) {
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {generateName: notes-}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {generateName: notes-, name: given}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {namespace: ` + s.namespace + `}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: Not_A_Name}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: nowhere, namespace: nowhere}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: old, resourceVersion: "5"}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: labelled, labels: {"a b": c, d: "e f"}}}`)
	s.create(`{apiVersion: v1, kind: ConfigMap, metadata: {name: empty, labels: {}, annotations: {}}, data: {}}`)
	s.create(`{apiVersion: belay.dev/v1alpha1, kind: Rollout, metadata: {generateName: web-}, spec: {}}`)
	s.create(`{apiVersion: belay.dev/v1alpha1, kind: Rollout, metadata: {name: web, labels: {a: 1}}, spec: {}}`)
	s.create(deployment, client.DryRunAll)
	s.get("Deployment", "web")
	s.create(rollout, client.DryRunAll, client.FieldOwner("prober"))
	s.get("Rollout", "web")
	s.create(deployment+"  strange: 1\n", client.FieldValidation("Strict"))
	s.create(deployment+"  strange: 1\n", client.FieldValidation("Warn"))
	s.create(rollout+"  strange: 1\n", client.FieldValidation("Strict"))
	s.create(rollout + "  strange: 1\n")
	s.create(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: broken}, spec: {replicas: many}}`)
	s.create(`{apiVersion: v1, kind: Service, metadata: {name: broken}, spec: {ports: [{port: "80"}]}}`)
}

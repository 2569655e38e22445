package world

import (
	"fmt"
	"regexp"
)

// files are a shop as it lies in Git.
func files(o ShopOptions) map[string]string {
	out := map[string]string{
		Path + "/deployment.yaml": fmt.Sprintf(deployment, o.Replicas, o.Image),
		Path + "/service.yaml":    service,
		Path + "/route.yaml":      fmt.Sprintf(route, o.Name),
		"README.md":               "The shop.\n",
	}
	if !o.WithoutRollout {
		out[Path+"/rollout.yaml"] = Rollout(o)
	}
	return out
}

// Rollout is the Rollout of a shop as it lies in Git.
func Rollout(o ShopOptions) string {
	o = o.withDefaults()
	return fmt.Sprintf(rollout, o.Steps, o.Name)
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: %d
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: shop
        image: %s # the release
        ports:
        - {name: http, containerPort: 8080}
        readinessProbe:
          periodSeconds: 1
          httpGet: {path: /healthz, port: http}
`

const service = `apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector: {app: shop}
  ports:
  - {name: http, port: 80, targetPort: http}
`

const route = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  parentRefs:
  - {name: belay, namespace: gateway}
  hostnames: [%s.example.com]
  rules:
  - backendRefs:
    - {name: shop, port: 80}
`

const rollout = `apiVersion: belay.dev/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  workloadRef: {kind: Deployment, name: shop}
  services: [{name: shop}]
  routes:
  - {kind: HTTPRoute, name: shop}
  strategy:
    canary:
      settle: 1s
      steps: %s
  progressDeadline: 1m
  analysis:
    interval: 1s
    metrics:
    - name: error-rate
      prometheus:
        query: >-
          (sum(rate(traefik_service_requests_total{service=~"{{ .Namespace }}-{{ .Service }}-http-[0-9]+@kubernetesgateway",code=~"5.."}[5s])) or vector(0))
          / sum(rate(traefik_service_requests_total{service=~"{{ .Namespace }}-{{ .Service }}-http-[0-9]+@kubernetesgateway"}[5s]))
      successCondition: "result < 0.05"
      failureLimit: 1
      consecutiveErrorLimit: 20
    stepDeadline: 30s
  git:
    repository: %s
    branch: main
    path: apps/shop
`

var image = regexp.MustCompile(`image: \S+`)

// WithImage is a Deployment's file with another image.
func WithImage(file, name string) string { return image.ReplaceAllString(file, "image: "+name) }

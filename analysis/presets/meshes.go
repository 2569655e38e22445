package presets

// istio is told by the side that asks: a pod that was killed cannot report its last errors.
func istio() Preset {
	const service = `reporter="source",destination_service_namespace="{{ .Namespace }}",destination_service_name="{{ .Service }}"`
	return Preset{
		Name:     "Istio",
		Requests: narrowed("istio_requests_total", service),
		Errors:   narrowed("istio_requests_total", service, `response_code=~"5.."`),
		Latency:  narrowed("istio_request_duration_milliseconds", service),
		Unit:     "ms",
		Needs:    "a gateway or a sidecar on the asking side",
		Cannot:   "requests of callers outside of the mesh that pass no gateway are not counted, nor what waypoints of ambient mode report",
		Page:     "https://istio.io/latest/docs/reference/config/metrics/",
	}
}

// cilium is told by the proxy beside the pods that answer, which lives on when a pod is killed.
func cilium() Preset {
	const pods = `reporter="server",destination_namespace="{{ .Namespace }}",destination_pod=~".+-{{ .Revision }}-[a-z0-9]+"`
	return Preset{
		Name:     "Cilium",
		Requests: narrowed("hubble_http_requests_total", pods),
		Errors:   narrowed("hubble_http_requests_total", pods, `status=~"5.."`),
		Latency:  narrowed("hubble_http_request_duration_seconds", pods),
		Unit:     "s",
		PodLabel: "destination_pod",
		Needs: "Hubble's metric httpV2 with labelsContext=destination_namespace,destination_pod, and a policy with HTTP rules at the pods, " +
			"without which Cilium does not see requests",
		Cannot: "requests that Cilium's Gateway could not deliver are not counted",
		Page:   "https://docs.cilium.io/en/stable/observability/metrics/#httpv2",
	}
}

// linkerd is told by the side that asks. An answer that never came has no status, and counts as bad.
func linkerd() Preset {
	const backend = `backend_kind="Service",backend_namespace="{{ .Namespace }}",backend_name="{{ .Service }}"`
	return Preset{
		Name:     "Linkerd",
		Requests: narrowed("outbound_http_route_backend_response_statuses_total", backend),
		Errors:   narrowed("outbound_http_route_backend_response_statuses_total", backend, `http_status=~"(5..)?"`),
		Latency:  narrowed("outbound_http_route_backend_response_duration_seconds", backend),
		Unit:     "s",
		Needs:    "callers, or the ingress, in the mesh",
		Cannot:   "gRPC is reported by other metrics: write the selectors out, with outbound_grpc_route_backend_response_statuses_total",
		Page:     "https://linkerd.io/docs/reference/proxy-metrics/",
	}
}

// podLabel is what applications count themselves, with the label pod that Prometheus puts on what it
// scrapes from pods.
func podLabel() Preset {
	const pods = `namespace="{{ .Namespace }}",pod=~".+-{{ .Revision }}-[a-z0-9]+"`
	return Preset{
		Name:     "PodLabel",
		Requests: narrowed("http_requests_total", pods),
		Errors:   narrowed("http_requests_total", pods, `code=~"5.."`),
		Latency:  narrowed("http_request_duration_seconds", pods),
		Unit:     "s",
		PodLabel: "pod",
		Needs:    "the labels namespace and pod on what is scraped, and the usual names http_requests_total{code} and http_request_duration_seconds",
		Cannot:   "a pod that was killed cannot report its last errors, and requests that never reached a pod are not counted",
		Page:     "https://pkg.go.dev/github.com/prometheus/client_golang/prometheus/promhttp#InstrumentHandlerCounter",
	}
}

package presets

// narrowed gives a selector of the metric with matchers, and perhaps one more.
func narrowed(metric, matchers string, more ...string) string {
	for _, m := range more {
		matchers += "," + m
	}
	return metric + "{" + matchers + "}"
}

// envoyGateway counts by Envoy's clusters, of which there is one for each Service and port if backends
// are merged; otherwise all backends of a rule share one.
func envoyGateway() Preset {
	const cluster = `envoy_cluster_name=~"service/{{ .Namespace }}/{{ .Service }}/[0-9]+(/[a-z0-9]+)?"`
	return Preset{
		Name:     "EnvoyGateway",
		Requests: narrowed("envoy_cluster_upstream_rq_xx", cluster),
		Errors:   narrowed("envoy_cluster_upstream_rq_xx", cluster, `envoy_response_code_class="5"`),
		Latency:  narrowed("envoy_cluster_upstream_rq_time", cluster),
		Unit:     "ms",
		Needs:    "Envoy Gateway 1.9 or newer with mergeBackends set in the EnvoyProxy: without it, all backends of a rule are one cluster",
		Cannot:   "an answer that Envoy retries is counted apart, so retries hide errors; rules with session persistence, a fallback backend or consistent hashing are one cluster all the same",
		Page:     "https://gateway.envoyproxy.io/docs/api/extension_types/#envoyproxyspec",
	}
}

// traefik has one name for each Service and port, whichever route leads to it.
func traefik() Preset {
	const service = `service=~"{{ .Namespace }}-{{ .Service }}-http-[0-9]+@kubernetesgateway"`
	return Preset{
		Name:     "Traefik",
		Requests: narrowed("traefik_service_requests_total", service),
		Errors:   narrowed("traefik_service_requests_total", service, `code=~"5.."`),
		Latency:  narrowed("traefik_service_request_duration_seconds", service),
		Unit:     "s",
		Needs:    "--metrics.prometheus.addServicesLabels, which is on unless it was turned off",
		Cannot:   "requests of all routes that lead to a Service are counted together",
		Page:     "https://doc.traefik.io/traefik/reference/install-configuration/observability/metrics/",
	}
}

// nginxGatewayFabric has an upstream for each Service and port.
func nginxGatewayFabric() Preset {
	const upstream = `nginx_upstream_name=~"{{ .Namespace }}_{{ .Service }}_[0-9]+(_.+)?"`
	return Preset{
		Name:     "NGINXGatewayFabric",
		Requests: narrowed("nginx_http_upstream_peer_responses_total", upstream),
		Errors:   narrowed("nginx_http_upstream_peer_responses_total", upstream, `nginx_status_range="5xx"`),
		Needs:    "NGINX Plus: NGINX Open Source counts all requests of the gateway together",
		Cannot:   "there is no histogram of latencies, only averages",
		Page:     "https://docs.nginx.com/nginx-gateway-fabric/monitoring/prometheus/",
	}
}

// kong counts by its own services, and makes one of them for a rule of a route, with the backends as
// its weighted targets.
func kong() Preset {
	return Preset{
		Name: "Kong",
		Refused: "Kong counts by Kong service, and a rule of an HTTPRoute is one service whatever its backends, so canary and stable " +
			"are one series; use PodLabel, or selectors of your application's own counters",
		Page: "https://developer.konghq.com/plugins/prometheus/",
	}
}

// Package prometheus answers queries from Prometheus and what speaks its HTTP API: Thanos, Mimir,
// VictoriaMetrics and others.
//
// Addresses, credentials and tenants are the controller's configuration, a File of named sources
// with the namespaces that may use each. A Rollout or template names a source and nothing else, so
// that it can neither make the controller call another address nor borrow its credentials.
//
//	default: main
//	providers:
//	- name: main
//	  address: http://prometheus.monitoring.svc:9090
//	- name: payments
//	  address: https://mimir.example.com/prometheus
//	  namespaces: [payments]
//	  bearerTokenFile: /etc/belay/tokens/payments
//	  tls: {caFile: /etc/belay/ca/mimir.crt}
//	  headers: {X-Scope-OrgID: payments}
//	  timeout: 5s
//
// Files of tokens, passwords and certificates are read again when they change. Each source bounds
// how many queries run at once and how large an answer may be.
//
// Besides numbers there are raw samples, as they were scraped (Raw): a range selector in an instant query
// returns them, where a range query would return values at moments of its own.
//
// Texts of errors are stable: they name the source and what is wrong, never an address.
package prometheus

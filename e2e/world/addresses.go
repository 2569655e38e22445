package world

import (
	"fmt"
	"strings"
)

// PrometheusAddress is host:port of Prometheus.
func (w *World) PrometheusAddress() string {
	return strings.TrimPrefix(w.Cluster.Prometheus(), "http://")
}

// GitAddress is host:port of the Git server.
func (w *World) GitAddress() string { return strings.TrimPrefix(w.Git.URL(), "http://") }

// OutsideGit is a repository's URL for people outside, when the server can be reached at address.
func (w *World) OutsideGit(address, repository string) string {
	return fmt.Sprintf("http://%s:%s@%s/%s.git", gitUser, gitPassword, address, repository)
}

package proxy

import (
	"net/url"
	"strings"
)

// narrow lets a list or a watch over all namespaces give the window's objects alone. The API server does the choosing,
// by a field that every namespaced object has.
func (p *Proxy) narrow(u *url.URL) {
	if p.options.Window == "" || !everywhere(u.Path) {
		return
	}
	q := u.Query()
	selector := "metadata.namespace=" + p.options.Window
	if given := q.Get("fieldSelector"); given != "" {
		selector = given + "," + selector
	}
	q.Set("fieldSelector", selector)
	u.RawQuery = q.Encode()
}

// everywhere says that a path names a kind in all namespaces. What has no namespace is seen by everybody.
func everywhere(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) == 3 && parts[0] == "api":
		return parts[2] != "namespaces" && parts[2] != "nodes"
	case len(parts) == 4 && parts[0] == "apis":
		return parts[1] != "admissionregistration.k8s.io" && !strings.HasPrefix(parts[3], "cluster")
	}
	return false
}

package server

import "fmt"

// allocateAddress gives a Service the address that it is reached at inside the cluster. Nobody owns what the server hands out.
func allocateAddress(s *Server, next, old content) {
	spec, _ := next["spec"].(content)
	if spec == nil || text(spec, "type") == "ExternalName" {
		return
	}
	spec = copied(spec)
	next["spec"] = spec
	if before, _ := old["spec"].(content); before != nil && text(spec, "clusterIP") == "" {
		keep(spec, before, "clusterIP", "clusterIPs")
	}
	if text(spec, "clusterIP") == "" {
		s.addresses++
		spec["clusterIP"] = fmt.Sprintf("10.96.%d.%d", s.addresses/250+1, s.addresses%250+1)
	}
	if length(spec, "clusterIPs") == 0 {
		spec["clusterIPs"] = []any{spec["clusterIP"]}
	}
	if length(spec, "ipFamilies") == 0 {
		spec["ipFamilies"] = []any{"IPv4"}
	}
	if text(spec, "ipFamilyPolicy") == "" {
		spec["ipFamilyPolicy"] = "SingleStack"
	}
}

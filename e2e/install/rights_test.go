package install

import (
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Each line is "<user> <verb> <resource>[.<group>][/<subresource>] <namespace>"; "*" stands for all namespaces.
func TestRights(t *testing.T) {
	for name, c := range map[string]struct {
		may, mayNot []string
	}{
		"controller": {
			may: []string{
				"update rollouts.belay.dev/status shop", "update rollouts.belay.dev shop", "list analysistemplates.belay.dev *", "list clusteranalysistemplates.belay.dev *",
				"patch deployments.apps shop", "update deployments.apps shop", "create replicasets.apps shop", "delete replicasets.apps shop",
				"create services shop", "delete services shop", "patch httproutes.gateway.networking.k8s.io shop", "list gateways.gateway.networking.k8s.io *",
				"list endpointslices.discovery.k8s.io *", "list pods *", "create configmaps shop", "delete configmaps shop", "create events.events.k8s.io shop",
				"list mutatingadmissionpolicies.admissionregistration.k8s.io *", "list repositories.belay.dev belay-system", "get secrets belay-system",
				"create leases.coordination.k8s.io belay-system", "update leases.coordination.k8s.io belay-system",
			},
			mayNot: []string{
				"create rollouts.belay.dev shop", "delete rollouts.belay.dev shop", "create deployments.apps shop", "delete deployments.apps shop",
				"create httproutes.gateway.networking.k8s.io shop", "delete httproutes.gateway.networking.k8s.io shop", "update gateways.gateway.networking.k8s.io shop",
				"delete pods shop", "create pods shop", "get secrets shop", "list secrets belay-system", "list repositories.belay.dev shop", "update repositories.belay.dev belay-system",
				"update mutatingadmissionpolicies.admissionregistration.k8s.io *", "delete validatingadmissionpolicies.admissionregistration.k8s.io *",
				"promote rollouts.belay.dev shop", "bypass rollouts.belay.dev shop", "create leases.coordination.k8s.io shop", "impersonate users *",
			},
		},
		"vera": {
			may:    []string{"get rollouts.belay.dev shop", "watch rollouts.belay.dev shop", "list analysistemplates.belay.dev shop"},
			mayNot: []string{"patch rollouts.belay.dev shop", "pause rollouts.belay.dev shop", "abort rollouts.belay.dev shop", "promote rollouts.belay.dev shop"},
		},
		"eddie": {
			may:    []string{"get rollouts.belay.dev shop", "patch rollouts.belay.dev shop", "create rollouts.belay.dev shop", "pause rollouts.belay.dev shop", "abort rollouts.belay.dev shop", "retry rollouts.belay.dev shop"},
			mayNot: []string{"promote rollouts.belay.dev shop", "bypass rollouts.belay.dev shop", "update rollouts.belay.dev/status shop", "create repositories.belay.dev shop", "abort rollouts.belay.dev empty"},
		},
		"anna": {
			may:    []string{"promote rollouts.belay.dev shop", "bypass rollouts.belay.dev shop", "abort rollouts.belay.dev shop", "patch rollouts.belay.dev shop"},
			mayNot: []string{"update rollouts.belay.dev/status shop", "promote rollouts.belay.dev empty", "create clusteranalysistemplates.belay.dev *"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			user := name
			if name == "controller" {
				user = ours
			}
			for _, line := range c.may {
				if !allowed(t, user, line) {
					t.Errorf("may not: %s", line)
				}
			}
			for _, line := range c.mayNot {
				if allowed(t, user, line) {
					t.Errorf("may: %s", line)
				}
			}
		})
	}
}

func allowed(t *testing.T, user, line string) bool {
	t.Helper()
	fields := strings.Fields(line)
	resource, subresource, _ := strings.Cut(fields[1], "/")
	resource, group, _ := strings.Cut(resource, ".")
	namespace := strings.TrimPrefix(fields[2], "*")
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: fields[0], Group: group, Resource: resource, Subresource: subresource, Namespace: namespace,
		},
	}}
	answer, err := shared.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}

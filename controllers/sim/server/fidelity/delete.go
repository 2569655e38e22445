package fidelity

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func deleting(s *run) {
	old := s.create(configMap)
	m := s.patch("ConfigMap", "notes", merging, `{"data":{"b":"2"}}`)
	other, current := types.UID("00000000-1111-4000-8000-000000000000"), m.GetUID()
	stale, fresh := old.GetResourceVersion(), m.GetResourceVersion()
	s.delete("ConfigMap", "notes", client.Preconditions{UID: &other})
	s.delete("ConfigMap", "notes", client.Preconditions{ResourceVersion: &stale})
	s.delete("ConfigMap", "notes", client.DryRunAll)
	s.delete("ConfigMap", "notes", client.Preconditions{UID: &current, ResourceVersion: &fresh})
	s.delete("ConfigMap", "notes")
	s.create(configMap)
	s.delete("ConfigMap", "notes", client.PropagationPolicy(metav1.DeletePropagationForeground))
	s.patch("ConfigMap", "notes", merging, `{"metadata":{"finalizers":null}}`)
	s.create(configMap)
	s.delete("ConfigMap", "notes", client.PropagationPolicy(metav1.DeletePropagationOrphan))
	s.delete("ConfigMap", "notes", client.PropagationPolicy(metav1.DeletePropagationBackground))
	s.create(configMap)
	s.delete("ConfigMap", "notes", client.GracePeriodSeconds(30))
}

func finalizing(s *run) {
	s.create(with(deployment, "{name: web}\n", "{name: web, finalizers: [example.com/a]}\n"))
	s.delete("Deployment", "web", client.DryRunAll)
	s.delete("Deployment", "web")
	s.delete("Deployment", "web")
	s.create(deployment)
	s.patch("Deployment", "web", merging, `{"spec":{"replicas":3}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"finalizers":["example.com/a","example.com/b"]}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"deletionTimestamp":null}}`)
	s.patch("Deployment", "web", merging, `{"metadata":{"finalizers":null}}`, client.DryRunAll)
	s.patch("Deployment", "web", merging, `{"metadata":{"finalizers":null},"spec":{"replicas":4}}`)
	s.get("Deployment", "web")
	s.create(with(rollout, "{name: web}\nspec", "{name: web, finalizers: [belay.dev/rollout, notqualified, other.example/x]}\nspec"))
	s.delete("Rollout", "web")
	r := s.get("Rollout", "web")
	s.updateStatus(r, set("Held", "status", "phase"))
	r = s.get("Rollout", "web")
	r = s.update(r, set([]any{"other.example/x"}, "metadata", "finalizers"))
	s.update(r, unset("metadata", "finalizers"))
	s.get("Rollout", "web")
	s.create(with(rollout, "{name: web}\nspec", "{name: web, finalizers: [\"not a name\"]}\nspec"))
}

func ending(s *run) {
	s.create(pod)
	s.delete("Pod", "web-1")
	s.create(with(pod, "spec:", "spec:\n  nodeName: local"))
	s.delete("Pod", "web-1")
	s.delete("Pod", "web-1")
	s.patchStatus("Pod", "web-1", merging, `{"status":{"phase":"Running"}}`)
	s.delete("Pod", "web-1", client.GracePeriodSeconds(60))
	s.delete("Pod", "web-1", client.GracePeriodSeconds(5))
	s.delete("Pod", "web-1", client.DryRunAll, client.GracePeriodSeconds(0))
	s.delete("Pod", "web-1", client.GracePeriodSeconds(0))
	s.create(with(pod, "spec:", "spec:\n  nodeName: local\n  terminationGracePeriodSeconds: 0"))
	s.delete("Pod", "web-1")
	s.create(with(pod, "spec:", "spec:\n  nodeName: local", "{name: web-1,", "{name: web-1, finalizers: [example.com/a],"))
	s.delete("Pod", "web-1", client.GracePeriodSeconds(0))
	s.patch("Pod", "web-1", merging, `{"metadata":{"finalizers":null}}`)
	s.get("Pod", "web-1")
	s.create(with(pod, "spec:", "spec:\n  nodeName: local", "{name: web-1,", "{name: web-1, finalizers: [example.com/a],"))
	s.delete("Pod", "web-1", client.GracePeriodSeconds(20))
	s.patch("Pod", "web-1", merging, `{"metadata":{"finalizers":null}}`)
	s.delete("Pod", "web-1", client.GracePeriodSeconds(0))
	s.create(with(pod, "spec:", "spec:\n  nodeName: local"))
	s.patchStatus("Pod", "web-1", merging, `{"status":{"phase":"Failed"}}`)
	s.delete("Pod", "web-1")
	for _, name := range []string{"a", "b", "c"} {
		s.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + name + ", labels: {keep: no}}}")
	}
	s.create(configMap)
	o := s.named("ConfigMap", "")
	s.tape.say("delete all of them", told(s.client(person).DeleteAllOf(s.ctx(), o, client.InNamespace(s.namespace), client.MatchingLabels{"keep": "no"})))
	s.list("ConfigMap", client.InNamespace(s.namespace))
}

func told(err error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}

func owning(s *run) {
	m := s.create(configMap)
	owner := func(extra string) string {
		return `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"notes","uid":"` + string(m.GetUID()) + `"` + extra + `}]}}`
	}
	s.create("{apiVersion: v1, kind: ConfigMap, metadata: {name: owned}}")
	s.patch("ConfigMap", "owned", merging, owner(""))
	s.patch("ConfigMap", "owned", merging, owner(`,"controller":true,"blockOwnerDeletion":true`))
	s.patch("ConfigMap", "owned", merging, owner(`},{"apiVersion":"v1","kind":"ConfigMap","name":"notes","uid":"`+string(m.GetUID())+`"`))
	s.patch("ConfigMap", "owned", merging, owner(`,"controller":true},{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"b","controller":true`))
	s.patch("ConfigMap", "owned", merging, `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"notes"}]}}`)
	s.patch("ConfigMap", "owned", merging, `{"metadata":{"ownerReferences":[{"kind":"ConfigMap","uid":"a"}]}}`)
	s.patch("ConfigMap", "owned", merging, `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Event","name":"a","uid":"a"}]}}`)
	s.patch("ConfigMap", "owned", strategic, `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"b"}]}}`)
	s.apply("other", `{apiVersion: v1, kind: ConfigMap, metadata: {name: owned, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: c, uid: c}]}}`)
	s.delete("ConfigMap", "notes")
	s.get("ConfigMap", "owned")
}

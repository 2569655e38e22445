package crashpoints

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/tell"
)

// end is what the telling came to: everything that could differ and must not, without what differs by its nature, such
// as times, addresses and the figures of measurements.
func (s *shop) end() string {
	s.T.Helper()
	var out strings.Builder
	say := func(what string, value any) {
		text, err := yaml.Marshal(value)
		s.Must(err)
		fmt.Fprintf(&out, "# %s\n%s", what, text)
	}
	say("Rollout", s.rolloutEnd())
	for _, d := range tell.Declared() {
		u := tell.Object(d.APIVersion, d.Kind)
		s.Get(u)
		spec := u.Object["spec"].(map[string]any)
		for key := range spec {
			if strings.HasPrefix(key, "clusterIP") {
				delete(spec, key)
			}
		}
		if d.Kind == "HTTPRoute" {
			delete(spec, "hostnames") // by which each shop is reached
		}
		notes := u.GetAnnotations()
		for key := range notes {
			if !strings.HasPrefix(key, "belay.dev/") {
				delete(notes, key)
			}
		}
		say(d.Kind, map[string]any{"annotations": notes, "labels": u.GetLabels(), "spec": spec})
	}
	say("ReplicaSets", s.replicaSets())
	say("others", s.others())
	log, err := s.Repo.Log(s.T.Context(), "main", 50)
	s.Must(err)
	var authors []string
	for _, c := range log {
		authors = append(authors, c.Name)
	}
	say("commits by, the newest first", authors)
	return out.String()
}

func (s *shop) rolloutEnd() map[string]any {
	r := s.Rollout()
	st, p := r.Status, *r.Status.Progress
	conditions := map[string]string{}
	for _, c := range st.Conditions {
		conditions[c.Type] = fmt.Sprintf("%s %s", c.Status, c.Reason)
	}
	if p.Revert != nil && reverted(p.Revert.State) {
		conditions[v1alpha1.ConditionGitReverted] = string(meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionGitReverted).Status)
	}
	var history []string
	for _, a := range st.History {
		history = append(history, fmt.Sprintf("attempt %d: %s of %s %s at step %s, commit: %t", a.Attempt, a.Outcome, a.Image, a.Revision, a.Step, a.Commit != ""))
	}
	out := map[string]any{
		"finalizers": r.Finalizers, "phase": st.Phase, "message": st.Message, "conditions": conditions, "history": history,
		"step": st.Step, "weight": st.Weight, "waiting": st.Waiting, "request": st.Request,
		"stage": p.Stage, "attempt": p.Attempt, "stable": p.Stable.ReplicaSet + " " + p.Stable.Image, "source known": p.Stable.Source != "",
		"canary": p.Canary != nil, "retiring": p.Retiring, "weightPermille": p.WeightPermille,
	}
	if p.Revert != nil {
		out["reverted"] = reverted(p.Revert.State)
	}
	for _, q := range p.Quarantine {
		out["quarantine"] = q.ReplicaSet
	}
	return out
}

func (s *shop) replicaSets() []string {
	var sets appsv1.ReplicaSetList
	s.Must(s.World.Client.List(s.T.Context(), &sets, client.InNamespace(s.Name)))
	var out []string
	for _, rs := range sets.Items {
		owner := "nobody"
		if o := metav1.GetControllerOf(&rs); o != nil {
			owner = o.Kind + " " + o.Name
		}
		out = append(out, fmt.Sprintf("%s of %s: %s, %d wanted, %d ready", rs.Name, owner, rs.Spec.Template.Spec.Containers[0].Image, *rs.Spec.Replicas, rs.Status.ReadyReplicas))
	}
	slices.Sort(out)
	return out
}

// others are the names of what else is there.
func (s *shop) others() []string {
	var services corev1.ServiceList
	var maps corev1.ConfigMapList
	s.Must(s.World.Client.List(s.T.Context(), &services, client.InNamespace(s.Name)))
	s.Must(s.World.Client.List(s.T.Context(), &maps, client.InNamespace(s.Name)))
	var out []string
	for _, x := range services.Items {
		out = append(out, "Service "+x.Name)
	}
	for _, x := range maps.Items {
		out = append(out, "ConfigMap "+x.Name)
	}
	slices.Sort(out)
	return out
}

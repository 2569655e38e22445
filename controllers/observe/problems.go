package observe

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/controllers/plan"
	"github.com/belay-dev/belay/routers"
)

// spec finds in the live spec what the schema could not refuse.
func (s *Scene) spec(live Snapshot) {
	if len(live.Spec.Services) > 0 && len(live.Spec.Services[0].Name)+len("-canary") > 63 {
		s.problem("NameTooLong", "spec.services[0].name %q has more than 56 characters: the canary's Service is named after it", live.Spec.Services[0].Name)
	}
	var last int32
	for i, step := range ladder(live.Spec.Strategy.Canary) {
		if step.Permille < last {
			s.problem("WeightsFall", "spec.strategy.canary.steps[%d]: %s is below the %s of the step before it, and weights must not fall: put the steps in order",
				i, plan.Percent(step.Permille), plan.Percent(last))
		}
		last = step.Permille
	}
	if c := live.Spec.Strategy.Canary; c != nil {
		for i, step := range c.Steps {
			if step.Replicas != nil && step.Replicas.Type == intstr.Int && step.Replicas.IntVal < 1 {
				s.problem("InvalidReplicas", "spec.strategy.canary.steps[%d].replicas is %d: at least 1, or a percentage such as 30%%", i, step.Replicas.IntVal)
			}
		}
	}
	s.beyondLadder(live)
}

// beyondLadder finds an analysis that never runs: its metrics would let everything through unmeasured.
func (s *Scene) beyondLadder(live Snapshot) {
	steps := ladder(live.Spec.Strategy.Canary)
	a := live.Spec.Analysis
	gating := slices.ContainsFunc(live.Metrics, func(m v1alpha1.Metric) bool { return !m.DryRun })
	if a != nil && gating && int(a.StartAt) > len(steps) {
		s.problem("AnalysisNeverRuns", "spec.analysis.startAt is %d, the ladder has %d steps: no metric would ever be measured; name a step of the ladder", a.StartAt, len(steps))
	}
}

// trafficProblems finds what is wrong with Services and routes.
func (o *Observer) trafficProblems(ctx context.Context, s *Scene, canary string) error {
	if err := o.serviceProblems(ctx, s); err != nil {
		return err
	}
	for _, r := range s.Routes {
		s.routeProblems(r, canary)
	}
	return nil
}

func (o *Observer) serviceProblems(ctx context.Context, s *Scene) error {
	name := s.Config.Service
	var svc corev1.Service
	err := o.Reader.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: name}, &svc)
	if apierrors.IsNotFound(err) {
		s.problem("ServiceMissing", "spec.services[0].name: Service %s does not exist in namespace %s: create it, or correct the name", name, s.Namespace)
		return nil
	}
	if err != nil {
		return err
	}
	selects := func(found routers.ServiceState) bool { return found.Name == name }
	if s.Workload.Found && !slices.ContainsFunc(s.Services, selects) {
		s.problem("ServiceSelectsNothing", "spec.services[0].name: Service %s does not select the pods of %s: its selector must match their labels", name, s.WorkloadName)
		return nil
	}
	return o.sharedServices(ctx, s, &svc)
}

// sharedServices finds another workload behind the Service: a pin would cut it off.
func (o *Observer) sharedServices(ctx context.Context, s *Scene, svc *corev1.Service) error {
	selector := labels.Set{}
	for k, v := range svc.Spec.Selector {
		if k != "pod-template-hash" {
			selector[k] = v
		}
	}
	if len(selector) == 0 {
		return nil
	}
	var list unstructured.UnstructuredList
	list.SetAPIVersion("apps/v1")
	list.SetKind("DeploymentList")
	if err := o.Reader.List(ctx, &list, client.InNamespace(s.Namespace)); err != nil {
		return fmt.Errorf("listing Deployments: %w", err)
	}
	for _, d := range list.Items {
		if d.GetName() == s.Rollout.Spec.WorkloadRef.Name {
			continue
		}
		podLabels, _, _ := unstructured.NestedStringMap(d.Object, "spec", "template", "metadata", "labels")
		if selector.AsSelector().Matches(labels.Set(podLabels)) {
			s.problem("ServiceSelectsOthers", "spec.services[0].name: Service %s also selects the pods of Deployment %s: give it a selector that matches %s only", svc.Name, d.GetName(), s.WorkloadName)
			return nil
		}
	}
	return nil
}

func (s *Scene) routeProblems(r routers.State, canary string) {
	name := fmt.Sprintf("%s %s", r.Ref.Kind, r.Ref.Name)
	switch {
	case !r.Found:
		s.problem("RouteMissing", "spec.routes: %s does not exist in namespace %s: create it, or correct the name", name, s.Namespace)
	case r.Divided && r.Intent == nil:
		s.problem("CanaryInGit", "%s names the backend %s, which Belay makes itself: take it out of Git", name, canary)
	case !r.Names && !r.Divided:
		s.problem("RouteWithoutService", "spec.routes: no rule of %s sends traffic to Service %s: add a backendRef, or take the route out of spec.routes", name, s.Config.Service)
	case len(r.Unsplit) > 0:
		s.problem("SplitImpossible", "spec.routes: %s cannot be split: %s would have more than 16 backends or a weight above 1,000,000; take backends out of the rule, or use smaller weights", name, r.Unsplit[0])
	}
}

// conflicts finds another Rollout on the same workload or Service. The older one goes on; the younger one has to go.
func (o *Observer) conflicts(ctx context.Context, s *Scene) error {
	var list v1alpha1.RolloutList
	if err := o.Reader.List(ctx, &list, client.InNamespace(s.Namespace)); err != nil {
		return fmt.Errorf("listing Rollouts: %w", err)
	}
	mine := s.Rollout
	for i := range list.Items {
		other := &list.Items[i]
		if other.UID == mine.UID || !older(other, mine) {
			continue
		}
		if other.Spec.WorkloadRef.Kind == mine.Spec.WorkloadRef.Kind && other.Spec.WorkloadRef.Name == mine.Spec.WorkloadRef.Name {
			s.problem("WorkloadContested", "spec.workloadRef: %s is governed by Rollout %s already: delete one of the two", s.WorkloadName, other.Name)
		}
		for _, svc := range other.Spec.Services {
			if slices.Contains(mine.Spec.Services, svc) {
				s.problem("ServiceContested", "spec.services: Service %s is split by Rollout %s already: delete one of the two", svc.Name, other.Name)
			}
		}
	}
	return nil
}

func older(a, b *v1alpha1.Rollout) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Name < b.Name
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

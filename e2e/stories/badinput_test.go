package stories

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/belay-dev/belay/api/v1alpha1"
	"github.com/belay-dev/belay/e2e/gitserver"
	"github.com/belay-dev/belay/e2e/world"
)

// Files of a shop.
const (
	deploymentFile = world.Path + "/deployment.yaml"
	serviceFile    = world.Path + "/service.yaml"
	routeFile      = world.Path + "/route.yaml"
	rolloutFile    = world.Path + "/rollout.yaml"
)

// mistake is a shop in which something is wrong when the Rollout comes.
type mistake struct {
	// made changes the files, rollout.yaml with them; the Rollout is added when the rest serves.
	made func(files map[string]string)
	// reason of the condition and the Event, and texts that both have: the field, the value and the way out.
	reason string
	texts  []string
	// mended changes the files back; nil: as the shop is without the mistake.
	mended func(files map[string]string)
	// again: what is wrong cannot be changed, the Rollout has to be deleted.
	again bool
}

// instead replaces a text of a file.
func instead(file, old, now string) func(map[string]string) {
	return func(files map[string]string) {
		if strings.Count(files[file], old) != 1 {
			panic(fmt.Sprintf("%s does not have %q once:\n%s", file, old, files[file]))
		}
		files[file] = strings.Replace(files[file], old, now, 1)
	}
}

func all(edits ...func(map[string]string)) func(map[string]string) {
	return func(files map[string]string) {
		for _, edit := range edits {
			edit(files)
		}
	}
}

const (
	inlineMetric = "  analysis:\n    interval: 1s\n    metrics:\n"
	anArgument   = "  analysis:\n    interval: 1s\n    args: [{name: host, value: %q}]\n    metrics:\n" +
		"    - name: from-host\n      prometheus: {query: 'sum(rate(requests{host=%s{{ .Args.host }}%s}[5s]))'}\n      successCondition: \"result > 0\"\n"
	secondDeployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\nspec:\n  replicas: 1\n  selector:\n    matchLabels: {app: other}\n" +
		"  template:\n    metadata:\n      labels: {app: other, team: a}\n    spec:\n      containers:\n      - {name: other, image: \"shop:v1\"}\n"
	secondService = "apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec:\n  selector: {app: shop}\n  ports:\n  - {name: http, port: 80, targetPort: http}\n"
)

var mistakes = map[string]mistake{
	"workload-missing": {
		made:   instead(rolloutFile, "{kind: Deployment, name: shop}", "{kind: Deployment, name: shopp}"),
		reason: "WorkloadMissing", texts: []string{"spec.workloadRef", "Deployment shopp", "create it, or correct the name"}, again: true,
	},
	"workload-unknown": {
		made:   instead(rolloutFile, "{kind: Deployment, name: shop}", "{kind: StatefulSet, name: shop}"),
		reason: "UnknownWorkloadKind", texts: []string{"spec.workloadRef", "apps/v1 StatefulSet", "known is apps/v1 Deployment"}, again: true,
	},
	"service-missing": {
		made:   instead(rolloutFile, "services: [{name: shop}]", "services: [{name: shopp}]"),
		reason: "ServiceMissing", texts: []string{"spec.services[0].name", "Service shopp", "create it, or correct the name"},
	},
	"route-missing": {
		made:   instead(rolloutFile, "{kind: HTTPRoute, name: shop}", "{kind: HTTPRoute, name: shopp}"),
		reason: "RouteMissing", texts: []string{"spec.routes", "HTTPRoute shopp", "create it, or correct the name"},
	},
	"route-unknown": {
		made:   instead(rolloutFile, "{kind: HTTPRoute, name: shop}", "{kind: GRPCRoute, name: shop}"),
		reason: "UnknownRouteKind", texts: []string{"spec.routes", "GRPCRoute", "known is gateway.networking.k8s.io/HTTPRoute"},
	},
	"route-elsewhere": {
		made: all(instead(routeFile, "{name: shop, port: 80}", "{name: other, port: 80}"),
			func(files map[string]string) { files[world.Path+"/other.yaml"] = secondService }),
		reason: "RouteWithoutService", texts: []string{"spec.routes", "HTTPRoute shop", "Service shop", "add a backendRef"},
	},
	"template-missing": {
		made:   instead(rolloutFile, inlineMetric, "  analysis:\n    interval: 1s\n    templates: [{name: golden}]\n    metrics:\n"),
		reason: "TemplateMissing", texts: []string{"spec.analysis.templates", `AnalysisTemplate "golden"`, "create it, or correct the name"},
		mended: func(files map[string]string) {
			files[world.Path+"/golden.yaml"] = "apiVersion: belay.dev/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: golden}\nspec:\n  metrics:\n" +
				"  - name: always\n    prometheus: {query: \"vector(1)\"}\n    successCondition: \"result == 1.0\"\n"
		},
	},
	"provider-unknown": {
		made:   instead(rolloutFile, inlineMetric, "  analysis:\n    interval: 1s\n    provider: mian\n    metrics:\n"),
		reason: "UnknownProvider", texts: []string{"spec.analysis.provider", "mian", "main"},
	},
	"recreate": {
		made:   instead(deploymentFile, "  selector:\n", "  strategy: {type: Recreate}\n  selector:\n"),
		reason: "StrategyRecreate", texts: []string{"Deployment shop", "Recreate", "set spec.strategy.type to RollingUpdate"},
	},
	"two-deployments": {
		made: all(instead(serviceFile, "{app: shop}", "{team: a}"), instead(deploymentFile, "labels: {app: shop}", "labels: {app: shop, team: a}"),
			func(files map[string]string) { files[world.Path+"/other.yaml"] = secondDeployment }),
		reason: "ServiceSelectsOthers", texts: []string{"spec.services[0].name", "Service shop", "Deployment other", "give it a selector"},
		mended: instead(serviceFile, "{team: a}", "{app: shop}"),
	},
	"sixteen-backends": {
		made: all(instead(routeFile, "    - {name: shop, port: 80}\n", "    - {name: shop, port: 80}\n"+strings.Repeat("    - {name: other, port: 80}\n", 15)),
			func(files map[string]string) { files[world.Path+"/other.yaml"] = secondService }),
		reason: "SplitImpossible", texts: []string{"spec.routes", "HTTPRoute shop", "rule 1", "more than 16 backends", "take backends out"},
	},
	"falling-weights": {
		made: func(files map[string]string) {
			files[rolloutFile] = steps(files[rolloutFile], "[{weight: 50}, {weight: 10}]")
		},
		reason: "WeightsFall", texts: []string{"spec.strategy.canary.steps[1]", "10%", "must not fall"},
	},
	"promql": {
		made:   instead(rolloutFile, inlineMetric, inlineMetric+"    - {name: typo, prometheus: {query: \"sum(rate(requests[5s])\"}, successCondition: \"result > 0\"}\n"),
		reason: "InvalidMetric", texts: []string{"spec.analysis", `metric "typo"`, "prometheus.query", "parenthesis"},
	},
	"cel": {
		made:   instead(rolloutFile, inlineMetric, inlineMetric+"    - {name: typo, prometheus: {query: \"up\"}, successCondition: \"reslut > 0\"}\n"),
		reason: "InvalidMetric", texts: []string{"spec.analysis", `metric "typo"`, "successCondition", "reslut"},
	},
	"argument-breaks-out": {
		made:   instead(rolloutFile, inlineMetric, fmt.Sprintf(anArgument, "x`} or vector(1) or up{a=`", "`", "`")),
		reason: "InvalidMetric", texts: []string{`metric "from-host"`, `argument "host"`, "would change what the query asks", "between quotes"},
	},
	"argument-without-quotes": {
		made:   instead(rolloutFile, inlineMetric, fmt.Sprintf(anArgument, "\"x\"} or vector(1) or up{a=\"y\"", "", "")),
		reason: "InvalidMetric", texts: []string{`metric "from-host"`, `argument "host"`, "between quotes"},
	},
}

// A Rollout comes with a mistake. A condition and an Event name the field, the value and the way out, and nothing is
// touched. When the mistake is mended, the Rollout takes up its work.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var right map[string]string
			var rollout string
			s := open(t, shared, world.ShopOptions{Name: "bad-" + name, Rate: 5, WithoutRollout: true, Edit: func(files map[string]string) {
				right = maps.Clone(files)
				right[rolloutFile] = world.Rollout(world.ShopOptions{Name: "bad-" + name})
				wrong := maps.Clone(right)
				m.made(wrong)
				rollout = wrong[rolloutFile]
				delete(wrong, rolloutFile)
				maps.Copy(files, wrong)
			}})
			s.settled()
			before := s.everything()
			s.Commit("a Rollout", map[string]string{rolloutFile: rollout})

			r := s.Until(20*time.Second, "it says "+m.reason, stalled(m.reason))
			s.condition(r, v1alpha1.ConditionStalled, metav1.ConditionTrue, m.reason, m.texts...)
			s.event(corev1.EventTypeWarning, m.reason, m.texts...)
			s.untouched(before)

			if m.mended != nil {
				right = maps.Clone(s.Files)
				m.mended(right)
			}
			// Where the Rollout has to go, the agent must not bring the wrong one back.
			s.Agent.Pause()
			if m.again {
				s.Must(s.World.Client.Delete(t.Context(), r))
			}
			s.Commit("mended", right)
			s.Agent.Resume()
			s.Until(time.Minute, "healthy and guarded", func(r *v1alpha1.Rollout) bool {
				return r.Status.Phase == v1alpha1.PhaseHealthy && meta.IsStatusConditionTrue(r.Status.Conditions, v1alpha1.ConditionGuarded)
			})
		})
	}
}

// A value cannot leave the quotes that a template puts it in: it is asked for as it is, and what nobody measures
// promotes nothing.
func TestArgumentStaysInItsQuotes(t *testing.T) {
	t.Parallel()
	const value = `x"} or vector(1) or up{a="`
	s := open(t, shared, world.ShopOptions{Name: "quotes", Edit: instead(rolloutFile, inlineMetric, fmt.Sprintf(anArgument, value, `"`, `"`))})
	s.Ship("shop:v2")

	r := s.Until(time.Minute, "it is inconclusive", func(r *v1alpha1.Rollout) bool { return r.Status.Phase == v1alpha1.PhaseInconclusive })
	s.condition(r, v1alpha1.ConditionStalled, metav1.ConditionTrue, "Inconclusive", "from-host")
	for _, m := range r.Status.Metrics {
		if m.Name == "from-host" && (!strings.Contains(m.Query, `host="x\x22} or vector(1) or up{a=\x22"`) || m.Verdict == v1alpha1.VerdictPass) {
			t.Errorf("the query was %s, the verdict %s", m.Query, m.Verdict)
		}
	}
	s.Must(world.Throughout(t.Context(), 5*time.Second, func(ctx context.Context) error {
		if r := s.Rollout(); r.Status.Step != "1/3" || r.Status.Phase != v1alpha1.PhaseInconclusive {
			return fmt.Errorf("step %s, phase %s: it advanced without a verdict", r.Status.Step, r.Status.Phase)
		}
		return nil
	}))
	s.NoRequestLost()
}

// The second of two Rollouts on one workload waits until the first is gone; the first does not mind.
func TestTwoRollouts(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "two-rollouts", Rate: 5})
	before := s.everything()
	const file = world.Path + "/second.yaml"
	s.Commit("a second Rollout", map[string]string{file: strings.Replace(s.Files[rolloutFile], "  name: shop\n", "  name: second\n", 1)})

	var second v1alpha1.Rollout
	s.Eventually(20*time.Second, func(ctx context.Context) error {
		if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "second"}, &second); err != nil {
			return err
		}
		if !stalled("WorkloadContested")(&second) {
			return fmt.Errorf("it is %s: %s", second.Status.Phase, second.Status.Message)
		}
		return nil
	})
	texts := []string{"spec.workloadRef", "Deployment shop", "Rollout shop", "delete one of the two"}
	s.condition(&second, v1alpha1.ConditionStalled, metav1.ConditionTrue, "WorkloadContested", texts...)
	s.event(corev1.EventTypeWarning, "WorkloadContested", texts...)
	if len(second.Finalizers) != 0 {
		t.Errorf("the second Rollout has the finalizers %v", second.Finalizers)
	}
	s.unchanged(before)
	s.healthy()

	_, err := s.Repo.Commit(t.Context(), "main", gitserver.Change{Message: "one is enough", Delete: []string{rolloutFile}})
	s.Must(err)
	s.Must(s.World.Client.Delete(t.Context(), s.Rollout()))
	s.Eventually(time.Minute, func(ctx context.Context) error {
		if err := s.World.Client.Get(ctx, client.ObjectKey{Namespace: s.Name, Name: "second"}, &second); err != nil {
			return err
		}
		if second.Status.Phase != v1alpha1.PhaseHealthy || !meta.IsStatusConditionTrue(second.Status.Conditions, v1alpha1.ConditionGuarded) {
			return fmt.Errorf("it is %s: %s", second.Status.Phase, second.Status.Message)
		}
		return nil
	})
	s.NoRequestLost()
}

// A Repository does not let the shop have its path reverted. The condition says so before anything happens; a bad
// release loses its traffic all the same, and Git follows when the platform team gives access.
func TestRepositoryGivesNoAccess(t *testing.T) {
	t.Parallel()
	s := open(t, shared, world.ShopOptions{Name: "no-access"})
	s.access("apps/another-shop/**")
	r := s.Until(20*time.Second, "access is denied", reverted(metav1.ConditionFalse, "RepositoryAccessDenied"))
	texts := []string{"Repository no-access", "namespace no-access", `path "apps/shop"`, `branch "main"`, "spec.access must list them"}
	s.condition(r, v1alpha1.ConditionGitReverted, metav1.ConditionFalse, "RepositoryAccessDenied", texts...)
	s.event(corev1.EventTypeWarning, "RepositoryAccessDenied", texts...)

	sha := s.Ship("shop:v3")
	s.Until(time.Minute, "traffic is back on stable", func(r *v1alpha1.Rollout) bool {
		return r.Status.Progress.ClearedAt != nil && r.Status.Progress.Ending != nil
	})
	s.Must(s.onStable(t.Context()))
	s.Until(time.Minute, "the failed revision is held", func(r *v1alpha1.Rollout) bool { return r.Status.Progress.Stage == v1alpha1.StageHeld })
	s.NoCommit(sha)
	if attempted, _ := s.Repo.Pushes(); attempted != 0 {
		t.Errorf("%d pushes came without access", attempted)
	}

	s.access("apps/**")
	s.Ended("shop:v3", v1alpha1.OutcomeFailed, v1alpha1.PhaseHealthy)
	s.OneRevert(sha)
	s.GitAgrees()
	s.OnlyFailed("v3")
}

// The API server is too old for the policies. Nothing could be held there, and so nothing is touched.
func TestServerWithoutPolicies(t *testing.T) {
	t.Parallel()
	older, err := world.Start(t.Context(), world.Options{WithoutPolicyAPI: true, PodCIDR: "10.244.128.0/17"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(older.Stop)
	s := open(t, older, world.ShopOptions{Name: "older", Rate: 5, WithoutRollout: true})
	s.settled()
	before := s.everything()
	s.Commit("a Rollout", map[string]string{rolloutFile: world.Rollout(world.ShopOptions{Name: "older"})})

	r := s.Until(20*time.Second, "it says PolicyAPIMissing", stalled("PolicyAPIMissing"))
	texts := []string{"admissionregistration.k8s.io/v1 MutatingAdmissionPolicy", "Kubernetes 1.36 or newer"}
	s.condition(r, v1alpha1.ConditionStalled, metav1.ConditionTrue, "PolicyAPIMissing", texts...)
	s.condition(r, v1alpha1.ConditionGuarded, metav1.ConditionFalse, "NotHeld", texts...)
	s.event(corev1.EventTypeWarning, "PolicyAPIMissing", texts...)
	s.untouched(before)

	// Not guarded is what it says: the Deployment is an ordinary one.
	s.Ship("shop:v2")
	s.Eventually(time.Minute, func(ctx context.Context) error {
		pods, err := s.Shop.Pods(ctx)
		if err == nil && len(world.PodsOf(pods, "shop:v2")) != 3 {
			err = fmt.Errorf("the pods are %v", pods)
		}
		return err
	})
}

// steps gives a Rollout's text another ladder.
func steps(rollout, ladder string) string {
	before, rest, _ := strings.Cut(rollout, "      steps: ")
	_, after, _ := strings.Cut(rest, "\n")
	return before + "      steps: " + ladder + "\n" + after
}

// stalled is for until: a person has to do something about it.
func stalled(reason string) func(*v1alpha1.Rollout) bool {
	return func(r *v1alpha1.Rollout) bool {
		c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionStalled)
		return c != nil && c.Status == metav1.ConditionTrue && c.Reason == reason
	}
}

// access says what the shop's Repository lets its namespace have reverted.
func (s *story) access(path string) {
	s.T.Helper()
	var repository v1alpha1.Repository
	s.Must(s.World.Client.Get(s.T.Context(), client.ObjectKey{Namespace: world.Namespace, Name: s.Name}, &repository))
	repository.Spec.Access[0].Paths = []string{path}
	s.Must(s.World.Client.Update(s.T.Context(), &repository))
}

// everything lists the versions of all objects of the shop that a Rollout could touch.
func (s *story) everything() map[string]string {
	s.T.Helper()
	versions, err := s.versions(s.T.Context())
	s.Must(err)
	return versions
}

func (s *story) versions(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for _, kind := range []struct{ apiVersion, kind string }{
		{"apps/v1", "Deployment"}, {"apps/v1", "ReplicaSet"}, {"v1", "Service"}, {"v1", "ConfigMap"}, {"gateway.networking.k8s.io/v1", "HTTPRoute"},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(kind.apiVersion)
		list.SetKind(kind.kind + "List")
		if err := s.World.Client.List(ctx, list, client.InNamespace(s.Name)); err != nil {
			return nil, err
		}
		for _, o := range list.Items {
			versions[kind.kind+" "+o.GetName()] = o.GetResourceVersion()
		}
	}
	return versions, nil
}

// settled waits until nothing of the shop changes any more.
func (s *story) settled() {
	s.T.Helper()
	last, since := s.everything(), time.Now()
	s.Eventually(30*time.Second, func(ctx context.Context) error {
		now, err := s.versions(ctx)
		if err != nil {
			return err
		}
		if !maps.Equal(now, last) {
			last, since = now, time.Now()
		}
		if quiet := time.Since(since); quiet < 2*time.Second {
			return fmt.Errorf("something was written %s ago", quiet)
		}
		return nil
	})
}

// unchanged says for a while that every object is the one that it was, and that there is no other.
func (s *story) unchanged(before map[string]string) {
	s.T.Helper()
	s.Must(world.Throughout(s.T.Context(), 3*time.Second, func(ctx context.Context) error {
		now, err := s.versions(ctx)
		if err == nil && !maps.Equal(now, before) {
			err = fmt.Errorf("the objects were %v and are %v", before, now)
		}
		return err
	}))
}

// untouched says that a Rollout with a mistake left everything alone, and would leave nothing behind.
func (s *story) untouched(before map[string]string) {
	s.T.Helper()
	s.unchanged(before)
	if r := s.Rollout(); len(r.Finalizers) != 0 || r.Status.Phase != v1alpha1.PhaseDegraded {
		s.T.Errorf("the Rollout is %s and has the finalizers %v, want Degraded and none", r.Status.Phase, r.Finalizers)
	}
}

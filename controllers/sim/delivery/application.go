package delivery

import (
	"fmt"
	"strings"
	"time"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// Application is what a team declares in Git: a Deployment, Services, HTTPRoutes, and the Rollout that guards them. The zero
// value of a field is the simplest thing; Namespace and Name are required.
type Application struct {
	Namespace, Name string
	// Version is the tag of the first image.
	Version string
	// Replicas; 0: three.
	Replicas int
	// Env are variables of the container, NAME=value.
	Env []string
	// MinReady is the Deployment's minReadySeconds.
	MinReady int

	// Beside are further Services that select the same pods, and no route names: they are pinned, never split.
	Beside int
	// Routes that the Rollout governs; 0: one. Rules of each; 0: one.
	Routes, Rules int
	// Filter puts a filter on every reference to the Service, Timeout a time-out on every rule.
	Filter  bool
	Timeout time.Duration
	// Weight of the reference to the Service, and of a reference to a Service of somebody else in the same rule; 0: neither.
	Weight, Other int

	// Ladder; empty: 10, 50 and 100 %, ten seconds each.
	Ladder []v1alpha1.Step
	// Settle; 0: a second. Deadline of progress; 0: two minutes.
	Settle, Deadline time.Duration
	// Unguarded leaves the Rollout out.
	Unguarded bool
	// Analysis; nil: what Measured says.
	Analysis *v1alpha1.Analysis
	// Unmeasured leaves the analysis out.
	Unmeasured bool
	// Repository by which failed revisions are taken out of Git; empty: they are not.
	Repository, Branch string
	// MaxAge of a failure that is reverted; 0: the API's.
	MaxAge time.Duration
}

// Folder of the application's files.
func (a Application) Folder() string { return "apps/" + a.Name }

// Image of a version.
func (a Application) Image(version string) string {
	return "registry.example.com/" + a.Name + ":" + version
}

// VersionOf is the version of an image.
func VersionOf(image string) string {
	_, version, _ := strings.Cut(image, ":")
	return version
}

// RouteNames are the names of the HTTPRoutes.
func (a Application) RouteNames() []string {
	names := []string{a.Name}
	for i := 1; i < a.Routes; i++ {
		names = append(names, fmt.Sprintf("%s-%d", a.Name, i))
	}
	return names
}

// BesideNames are the names of the Services beside.
func (a Application) BesideNames() []string {
	var names []string
	for i := range a.Beside {
		names = append(names, fmt.Sprintf("%s-beside-%d", a.Name, i))
	}
	return names
}

// OtherName is the name of the Service of somebody else.
func (a Application) OtherName() string { return a.Name + "-other" }

// Step is a rung with a weight in percent.
func Step(weight int32, bake time.Duration) v1alpha1.Step {
	return v1alpha1.Step{Weight: &weight, Bake: duration(bake)}
}

// Measured is an analysis with one metric: the share of the canary's requests that fail, which Source answers. Below 1 % is
// good, above 5 % is bad.
func Measured(interval time.Duration) *v1alpha1.Analysis {
	labels := `{namespace="{{ .Namespace }}",rollout="{{ .Name }}",service="{{ .Service }}",revision="{{ .Revision }}",arm="{{ .Arm }}"}[{{ .Since }}]`
	return &v1alpha1.Analysis{
		Interval: duration(interval),
		Metrics: []v1alpha1.Metric{{
			Name: "failed-share",
			Prometheus: &v1alpha1.PrometheusQuery{
				Query: "sum(rate(failed_total" + labels + ")) / sum(rate(requests_total" + labels + "))",
			},
			SuccessCondition: "result < 0.01",
			FailureCondition: "result > 0.05",
			FailureLimit:     1,
		}},
	}
}

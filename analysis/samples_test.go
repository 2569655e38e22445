package analysis

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/belay-dev/belay/api/v1alpha1"
)

// document is as much of a sample as concerns the analysis.
type document struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		v1alpha1.AnalysisTemplateSpec `json:",inline"`
		Analysis                      *v1alpha1.Analysis `json:"analysis"`
	} `json:"spec"`
}

func documentsOf(t *testing.T, file string) []document {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	var out []document
	for {
		var d document
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
}

// What users copy must work: every analysis of the samples resolves, compiles and renders.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("../config/samples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	common := map[string]v1alpha1.AnalysisTemplateSpec{}
	for _, file := range files {
		for _, d := range documentsOf(t, file) {
			if (d.Kind == "AnalysisTemplate" || d.Kind == "ClusterAnalysisTemplate") && common[d.Metadata.Name].Metrics == nil {
				common[d.Metadata.Name] = d.Spec.AnalysisTemplateSpec
			}
		}
	}
	tried := 0
	for _, file := range files {
		// A file that brings its own template means that one.
		own := map[string]v1alpha1.AnalysisTemplateSpec{}
		documents := documentsOf(t, file)
		for _, d := range documents {
			own[d.Metadata.Name+d.Kind] = d.Spec.AnalysisTemplateSpec
		}
		for _, d := range documents {
			if d.Spec.Analysis == nil {
				continue
			}
			tried++
			t.Run(filepath.Base(file)+"/"+d.Metadata.Name, func(t *testing.T) {
				var templates []v1alpha1.AnalysisTemplateSpec
				for _, r := range d.Spec.Analysis.Templates {
					kind := r.Kind
					if kind == "" {
						kind = "AnalysisTemplate"
					}
					spec, ok := own[r.Name+kind]
					if !ok {
						spec = common[r.Name]
					}
					templates = append(templates, spec)
				}
				metrics, args, err := Resolve(d.Spec.Analysis, templates)
				if err != nil {
					t.Fatal(err)
				}
				plans, err := Compile(metrics, Options{Args: args})
				if err != nil {
					t.Fatal(err)
				}
				for i := range plans {
					if c := plans[i].Comparison; c != nil {
						canary, err := c.Selectors.Select(shopVars)
						other := shopVars
						other.Service, other.Revision, other.Arm = "checkout", "5f6d", "stable"
						stable, err2 := c.Selectors.Select(other)
						if err != nil || err2 != nil || canary.Requests+strings.Join(canary.Histograms, "") == stable.Requests+strings.Join(stable.Histograms, "") {
							t.Errorf("%s: %v, %v: the arms are %+v and %+v", plans[i].Metric.Name, err, err2, canary, stable)
						}
						continue
					}
					if _, err := plans[i].Render(shopVars, time.Hour); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	if tried == 0 {
		t.Error("no sample has an analysis")
	}
}
